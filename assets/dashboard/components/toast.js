// Short notes that come and go, read out by screen readers.

import { h } from "../dom.js";
import { icon } from "../icons.js";

const SHOWN_FOR = 8_000;
const SHOWN_WITH_ACTION_FOR = 20_000;

/** The place of the toasts; it stays in the document so that screen readers watch it. */
export const toasts = h("div", { class: "toasts", role: "status", "aria-live": "polite" });

/** Shows a note; `action` is a button in it: `{label, run}`. It stays while the pointer or the focus is on it. */
export function toast(text, action) {
  let timer;
  const close = () => {
    clearTimeout(timer);
    note.remove();
  };
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(close, action ? SHOWN_WITH_ACTION_FOR : SHOWN_FOR);
  };
  const act = () => {
    close();
    action.run();
  };
  const note = h(
    "div",
    { class: "toast", onpointerenter: () => clearTimeout(timer), onpointerleave: wait, onfocusin: () => clearTimeout(timer), onfocusout: wait },
    h("span", null, text),
    action && h("button", { class: "button small", type: "button", onclick: act }, action.label),
    h("button", { class: "icon-button", type: "button", "aria-label": "Dismiss", onclick: close }, icon("close", 16)),
  );
  toasts.append(note);
  wait();
}
