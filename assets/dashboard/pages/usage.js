// How much the account is used: sums, charts, and the same as tables.

import { get, rateLimit } from "../api.js";
import { fill, h } from "../dom.js";
import { compact, duration, milliseconds, number, percent } from "../format.js";
import { field } from "../components/form.js";
import { allKeys } from "../components/key-names.js";
import { empty } from "../components/notice.js";
import { button, card, pageHead, segments, show, table, tile } from "../components/page.js";
import { firstStep, merge, mergeBy, mergeByTime } from "../usage-series.js";

const RANGES = {
  "24h": { label: "24 hours", count: 24, granularity: "hour" },
  "7d": { label: "7 days", count: 7, granularity: "day" },
  "30d": { label: "30 days", count: 30, granularity: "day" },
};
const SESSION = "session";
const SESSION_NAME = "Dashboard and sign-ins";

export default function usage({ root, query, signal, keepQuery }) {
  const state = {
    range: query.get("range") in RANGES ? query.get("range") : "24h",
    key: query.get("key") ?? "",
    endpoint: query.get("endpoint") ?? "",
    table: query.get("table") ?? "endpoint",
  };
  const filters = h("div", { class: "toolbar" });
  const place = h("div", { class: "stack" });
  let names = new Map();
  let endpoints = [];
  let drawing = new AbortController();

  const change = (changes) => {
    Object.assign(state, changes);
    reload();
  };
  const reload = () => {
    keepQuery({ ...state, range: state.range === "24h" ? "" : state.range, table: state.table === "endpoint" ? "" : state.table });
    return show(place, load, { signal, lines: 8 });
  };
  signal.addEventListener("abort", () => drawing.abort());

  const load = async () => {
    const { count, granularity } = RANGES[state.range];
    const now = Date.now();
    const start = firstStep(now, count, granularity);
    const [answer, keys] = await Promise.all([
      get("/v1/usage", { from: new Date(start).toISOString(), granularity, api_key_id: state.key === SESSION ? "" : state.key }, signal),
      allKeys(),
    ]);
    names = new Map([...keys.map((key) => [key.api_key_id, key.name]), [SESSION, SESSION_NAME]]);
    const ofKey = answer.series.filter((point) => !state.key || point.api_key_id === state.key);
    endpoints = [...new Set([...ofKey.map((point) => point.endpoint), state.endpoint])].filter(Boolean).sort();
    showFilters();
    drawing.abort();
    drawing = new AbortController();
    const points = ofKey.filter((point) => !state.endpoint || point.endpoint === state.endpoint);
    return content({ state, points, totals: answer.totals, steps: mergeByTime(points, start, now, granularity), granularity, names, signal: drawing.signal });
  };

  const showFilters = () => {
    const choice = (name, label, options) => {
      const made = field({ name, label, tag: "select", options, value: state[name] });
      made.input.addEventListener("change", () => change({ [name]: made.input.value }));
      return made.element;
    };
    const had = filters.contains(document.activeElement) ? document.activeElement.name : null;
    fill(
      filters,
      segments("Time range", Object.entries(RANGES).map(([id, range]) => [id, range.label]), state.range, (range) => change({ range })),
      choice("key", "Key", [["", "All keys"], ...names]),
      choice("endpoint", "Endpoint", [["", "All endpoints"], ...endpoints.map((endpoint) => [endpoint, endpoint])]),
    );
    if (had) filters.querySelector(`[name="${had}"]:checked, select[name="${had}"]`)?.focus();
  };

  fill(root, pageHead("Usage", "Requests, errors and latency of this account.", button("Refresh", reload, { name: "rotate" })), filters, place);
  showFilters();
  reload();
}

function content({ state, points, totals, steps, granularity, names, signal }) {
  const all = merge(points);
  const isWhole = !state.endpoint && state.key !== SESSION;
  return [
    h(
      "dl",
      { class: "tiles" },
      tile("Requests", compact(all.requests)),
      tile("Errors", compact(all.errors), all.requests > 0 && percent(all.errors / all.requests)),
      isWhole ? tile("Memories created", compact(totals.memories_created)) : tile("Median latency", milliseconds(all.p50), "approximate"),
      isWhole ? tile("Searches", compact(totals.searches)) : tile("95th percentile", milliseconds(all.p95), "approximate"),
    ),
    all.requests === 0
      ? h("div", { class: "card" }, empty("usage", "No requests in this period", h("p", null, "Choose a longer range or another filter.")))
      : [charts(steps, granularity, all, signal), tables(state, points, steps, granularity, names)],
    limits(),
  ];
}

function charts(steps, granularity, all, signal) {
  const requests = h("div", { class: "chart-place" });
  const latency = h("div", { class: "chart-place" });
  const labels = steps.map(({ start }) => stepLabels(start, granularity));
  const values = (name) => steps.map((step) => step[name]);
  import("../usage-charts.js").then(({ chart }) => {
    if (signal.aborted) return;
    fill(
      requests,
      chart({
        label: `Requests over time: ${number(all.requests)} in all, ${number(all.errors)} of them failed. The table below has the numbers.`,
        series: [
          { label: "Requests", color: "--accent", kind: "bars", values: values("requests") },
          { label: "of them failed", color: "--bad", kind: "bars", values: values("errors") },
        ],
        steps: labels,
        kind: "count",
        signal,
      }),
    );
    fill(
      latency,
      chart({
        label: `Latency over time: median about ${milliseconds(all.p50)}, 95th percentile up to ${milliseconds(all.p95)}. The table below has the numbers.`,
        series: [
          { label: "Median", color: "--accent", kind: "line", values: values("p50") },
          { label: "95th percentile", color: "--second", kind: "line", values: values("p95") },
        ],
        steps: labels,
        kind: "time",
        signal,
      }),
    );
  });
  const zone = granularity === "day" ? "Days begin at midnight UTC. " : "";
  return [
    card("Requests and errors", requests),
    card("Latency", latency, h("p", { class: "card-foot soft" }, `${zone}Merged percentiles are approximations: the median is weighted by requests, the 95th percentile is the largest one.`)),
  ];
}

function stepLabels(start, granularity) {
  const format = (options) => new Intl.DateTimeFormat(navigator.language, options).format(start);
  if (granularity === "hour") {
    return { short: format({ hour: "numeric", minute: "2-digit" }), full: format({ dateStyle: "medium", timeStyle: "short" }) };
  }
  return { short: format({ day: "numeric", month: "short", timeZone: "UTC" }), full: format({ dateStyle: "medium", timeZone: "UTC" }) };
}

function tables(state, points, steps, granularity, names) {
  const place = h("div");
  const keyName = (id) => names.get(id) ?? id;
  const views = {
    endpoint: ["Endpoint", () => mergeBy(points, (point) => point.endpoint), (row) => h("span", { class: "mono" }, row.name)],
    key: ["Key", () => mergeBy(points, (point) => point.api_key_id), (row) => h("span", { title: row.name }, keyName(row.name))],
    time: ["Time", () => [...steps].reverse(), (row) => h("time", { datetime: new Date(row.start).toISOString() }, stepLabels(row.start, granularity).full)],
  };
  const choose = (view) => {
    state.table = view;
    const [label, rows, cell] = views[view];
    fill(place, table(`Usage by ${label.toLowerCase()}`, [{ label, cell }, ...numbers()], rows()));
  };
  const view = state.table in views ? state.table : "endpoint";
  choose(view);
  return card("In numbers", segments("Rows of the table", [["endpoint", "By endpoint"], ["key", "By key"], ["time", "By time"]], view, choose), place);
}

function numbers() {
  return [
    { label: "Requests", cell: (row) => number(row.requests), class: "num" },
    { label: "Errors", cell: (row) => h("span", null, number(row.errors), row.errors > 0 && h("span", { class: "soft" }, ` (${percent(row.errors / row.requests)})`)), class: "num" },
    { label: "Median", cell: (row) => milliseconds(row.p50), class: "num" },
    { label: "95th percentile", cell: (row) => milliseconds(row.p95), class: "num" },
  ];
}

function limits() {
  if (!rateLimit) return null;
  const { limit, remaining, reset } = rateLimit;
  const seconds = Math.max(0, reset - Date.now() / 1000);
  return card(
    "Current rate limit",
    h(
      "div",
      { class: "limit" },
      h("meter", { min: 0, max: limit, value: remaining, low: limit * 0.2, "aria-label": "Requests left in this minute" }),
      h("p", null, h("strong", null, number(remaining)), ` of ${number(limit)} requests left in this minute; `, seconds > 0 ? `resets in ${duration(seconds)}.` : "it has reset."),
    ),
    h("p", { class: "soft" }, "Requests from this dashboard count too."),
  );
}
