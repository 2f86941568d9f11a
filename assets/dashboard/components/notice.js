// What a page says instead of, or beside, its content: errors, waiting, nothing there.

import { h } from "../dom.js";
import { icon } from "../icons.js";
import { duration } from "../format.js";
import { capital } from "../words.js";

/** An error in words. */
export function errorWords(error) {
  if (!("status" in error)) return "Something went wrong on this page. Reload it.";
  if (error.status === 0) return "The service can’t be reached. Check your connection.";
  if (error.status === 429) {
    return error.retryAfter ? `Too many requests. Try again in ${duration(error.retryAfter)}.` : "Too many requests. Try again in a minute.";
  }
  if (error.status >= 502) return "The service is unavailable at the moment.";
  if (error.status === 500) return "Something went wrong on the server.";
  return `${capital(error.message).replace(/[.]$/, "")}.`;
}

/** A box that says what went wrong; with `retry`, a button for trying again. */
export function problem(error, retry) {
  return notice("bad", [
    errorWords(error),
    error.requestId && h("small", { class: "request-id" }, "Request ", h("code", null, error.requestId)),
    retry && h("button", { class: "button small", type: "button", onclick: retry }, "Try again"),
  ]);
}

/** A box beside the content. `kind`: `bad`, `good`, `warn` or `info`. */
export function notice(kind, content) {
  const name = { bad: "warning", warn: "warning", good: "check", info: "info" }[kind];
  return h("div", { class: `notice notice-${kind}`, role: kind === "bad" ? "alert" : null }, icon(name), h("div", { class: "notice-text" }, content));
}

/** Lines in place of content that is on its way. */
export function loading(lines = 3) {
  const bars = Array.from({ length: lines }, () => h("span", { class: "bar" }));
  return h("div", { class: "loading", role: "status" }, h("span", { class: "visually-hidden" }, "Loading"), bars);
}

/** What stands where there is nothing yet. */
export function empty(name, title, ...content) {
  return h("div", { class: "empty" }, h("span", { class: "empty-icon" }, icon(name, 24)), h("h2", null, title), content);
}
