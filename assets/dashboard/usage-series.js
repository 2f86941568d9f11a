// Sums over the points of a usage answer.

const STEP = { hour: 3_600_000, day: 86_400_000 };

/** The start of the first of so many steps, of which the last is the one that is running. */
export function firstStep(now, count, granularity) {
  const width = STEP[granularity];
  return (Math.floor(now / width) - count + 1) * width;
}

/**
 * Merges points into one.
 * The median is the mean of the medians, weighted by requests, and the 95th percentile is the largest one: both are
 * approximations, since percentiles can't be merged exactly.
 */
export function merge(points) {
  const sum = (read) => points.reduce((total, point) => total + read(point), 0);
  const requests = sum((point) => point.requests);
  return {
    requests,
    errors: sum((point) => point.errors),
    p50: requests > 0 ? sum((point) => point.p50_ms * point.requests) / requests : null,
    p95: requests > 0 ? Math.max(...points.map((point) => point.p95_ms)) : null,
  };
}

/** One merged row for each value that `read` gives, most requests first: `[{name, requests, …}]`. */
export function mergeBy(points, read) {
  return [...group(points, read)].map(([name, some]) => ({ name, ...merge(some) })).sort((a, b) => b.requests - a.requests);
}

/** One merged row for each step from `from` to `to` in milliseconds, also where nothing happened. */
export function mergeByTime(points, from, to, granularity) {
  const width = STEP[granularity];
  const steps = group(points, (point) => Math.floor(Date.parse(point.start) / width));
  const rows = [];
  for (let step = Math.floor(from / width); step * width < to; step += 1) {
    rows.push({ start: step * width, ...merge(steps.get(step) ?? []) });
  }
  return rows;
}

function group(points, read) {
  const groups = new Map();
  for (const point of points) {
    const name = read(point);
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(point);
  }
  return groups;
}
