// Numbers, times and durations in words.

import { h } from "./dom.js";

const LANGUAGE = navigator.language;
const MINUTE = 60;
const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

const whole = new Intl.NumberFormat(LANGUAGE);
const short = new Intl.NumberFormat(LANGUAGE, { notation: "compact", maximumFractionDigits: 1 });
const dayFormat = new Intl.DateTimeFormat(LANGUAGE, { dateStyle: "medium" });
const minuteFormat = new Intl.DateTimeFormat(LANGUAGE, { dateStyle: "medium", timeStyle: "short" });
const relative = new Intl.RelativeTimeFormat(LANGUAGE, { numeric: "auto" });

/** A count, in full. */
export function number(value) {
  return whole.format(value ?? 0);
}

/** A count that has to fit a small place. */
export function compact(value) {
  return value < 10_000 ? whole.format(value) : short.format(value);
}

/** A share of 0 to 1 in per cent. */
export function percent(share) {
  const digits = share > 0 && share < 0.1 ? 1 : 0;
  return new Intl.NumberFormat(LANGUAGE, { style: "percent", maximumFractionDigits: digits }).format(share);
}

/** A latency. */
export function milliseconds(value) {
  if (value === null || value === undefined) return "–";
  if (value >= 1000) return `${(value / 1000).toFixed(1)} s`;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}

/** A count with its noun: `plural(2, "memory", "memories")` is “2 memories”. */
export function plural(count, one, many = `${one}s`) {
  return `${number(count)} ${count === 1 ? one : many}`;
}

/** A length of time, in its largest whole unit. */
export function duration(seconds) {
  if (seconds >= DAY) return plural(Math.round(seconds / DAY), "day");
  if (seconds >= HOUR) return plural(Math.round(seconds / HOUR), "hour");
  if (seconds >= MINUTE) return plural(Math.round(seconds / MINUTE), "minute");
  return plural(Math.max(1, Math.ceil(seconds)), "second");
}

/** How long ago or ahead a time is: relative within a week, else the date. */
function near(date) {
  const seconds = (date.getTime() - Date.now()) / 1000;
  const distance = Math.abs(seconds);
  if (distance < 45) return relative.format(0, "second");
  if (distance < HOUR) return relative.format(Math.round(seconds / MINUTE), "minute");
  if (distance < DAY) return relative.format(Math.round(seconds / HOUR), "hour");
  if (distance < 7 * DAY) return relative.format(Math.round(seconds / DAY), "day");
  return dayFormat.format(date);
}

/** A time, with the whole of it in UTC on hover. `style`: `near` (default), `day` or `minute`. */
export function time(value, style = "near") {
  if (!value) return h("span", { class: "soft" }, "–");
  const date = new Date(value);
  const words = { near, day: (d) => dayFormat.format(d), minute: (d) => minuteFormat.format(d) }[style](date);
  const title = `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
  return h("time", { datetime: value, title, lang: LANGUAGE }, words);
}

/** What `<input type="datetime-local">` takes, in the visitor's own time. */
export function localInput(value) {
  const date = new Date(value);
  const shifted = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 16);
}
