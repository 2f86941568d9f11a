// The charts of the usage page, drawn by uPlot in the colours of the theme.

import uPlot from "./vendor/uplot-1.6.32/uPlot.min.js";
import { fill, h } from "./dom.js";
import { compact, milliseconds, number } from "./format.js";

const HEIGHT = 220;
const FONT = "12px system-ui, sans-serif";
const LABEL_WIDTH = 72;

const style = h("link", { rel: "stylesheet", href: "/dashboard/assets/vendor/uplot-1.6.32/uPlot.min.css" });

/**
 * A chart whose colours follow the theme and whose width follows its place, until `signal` aborts.
 * @param label what it shows, for those who can't see it
 * @param series `[{label, color, kind: "bars"|"line", values}]`; `color` is the name of a CSS property
 * @param kind of the values: `count` or `time` in milliseconds
 * @param steps the labels of the x axis, a short and a full one each: `[{short, full}]`
 */
export function chart({ label, series, steps, kind, signal }) {
  if (!style.isConnected) document.head.append(style);
  const format = kind === "time" ? milliseconds : number;
  const canvas = h("div", { class: "chart-canvas", role: "img", "aria-label": label });
  const readings = series.map(() => h("span", { class: "reading" }));
  const moment = h("span", { class: "soft" });
  const legend = h(
    "div",
    { class: "legend", "aria-hidden": "true" },
    series.map((one, index) => h("span", null, h("span", { class: "swatch", style: { background: `var(${one.color})` } }), one.label, readings[index])),
    moment,
  );

  const tell = (plot) => {
    const index = plot.cursor.idx;
    const isOn = index !== null && index !== undefined;
    series.forEach((one, i) => fill(readings[i], isOn ? format(one.values[index]) : null));
    fill(moment, isOn ? steps[index].full : null);
  };

  let plot = null;
  const draw = () => {
    plot?.destroy();
    const width = canvas.clientWidth;
    if (width === 0) return;
    const data = [steps.map((_, index) => index), ...series.map((one) => one.values)];
    plot = new uPlot(options(series, steps, kind, width, tell), data, canvas);
  };

  const watch = new ResizeObserver(() => {
    const width = canvas.clientWidth;
    if (!plot) draw();
    else if (width > 0 && width !== plot.width) plot.setSize({ width, height: HEIGHT });
  });
  watch.observe(canvas);
  const theme = matchMedia("(prefers-color-scheme: dark)");
  theme.addEventListener("change", draw, { signal });
  signal.addEventListener("abort", () => {
    watch.disconnect();
    plot?.destroy();
  });
  return h("div", { class: "chart" }, legend, canvas);
}

function options(series, steps, kind, width, tell) {
  const css = getComputedStyle(document.documentElement);
  const color = (name) => css.getPropertyValue(name).trim();
  const axis = { stroke: color("--soft"), font: FONT, ticks: { show: false } };
  const grid = { stroke: color("--line"), width: 1 };
  const compactTime = (value) => (value >= 1000 ? `${value / 1000} s` : `${value} ms`);
  return {
    width,
    height: HEIGHT,
    padding: [12, 20, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    hooks: { setCursor: [tell] },
    scales: {
      x: { time: false, range: () => [-0.5, steps.length - 0.5] },
      y: { range: (_, __, max) => [0, Math.max(kind === "time" ? 1 : 4, (max ?? 0) * 1.08)] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 28,
        splits: (plot) => labelled(steps.length, plot.bbox.width / devicePixelRatio),
        values: (_, splits) => splits.map((index) => steps[index]?.short ?? ""),
      },
      {
        ...axis,
        grid,
        size: 56,
        values: (_, splits) => splits.map((value) => (kind === "time" ? compactTime(value) : Number.isInteger(value) ? compact(value) : "")),
      },
    ],
    series: [{}, ...series.map((one) => look(one, color(one.color)))],
  };
}

function look(one, color) {
  if (one.kind === "bars") {
    return { label: one.label, fill: color, stroke: color, width: 0, paths: uPlot.paths.bars({ size: [0.7, 40], radius: 0.15 }), points: { show: false } };
  }
  return { label: one.label, stroke: color, width: 2, points: { size: 5, fill: color, stroke: color } };
}

/** The steps that get a label: as many as fit, evenly apart, the newest among them. */
function labelled(count, width) {
  const every = Math.max(1, Math.ceil((count * LABEL_WIDTH) / Math.max(width, LABEL_WIDTH)));
  const indices = [];
  for (let index = count - 1; index >= 0; index -= every) indices.unshift(index);
  return indices;
}
