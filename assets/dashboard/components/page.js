// The parts that pages are made of.

import { fill, h, uniqueId } from "../dom.js";
import { icon } from "../icons.js";
import { loading, problem } from "./notice.js";

/** The head of a page: its name, a line on what it is for, and what can be done on it. */
export function pageHead(title, lead, ...actions) {
  return h(
    "header",
    { class: "page-head" },
    h("div", null, h("h1", null, title), lead && h("p", { class: "lead" }, lead)),
    actions.length > 0 && h("div", { class: "actions" }, actions),
  );
}

/** A section in a box. */
export function card(title, ...content) {
  const id = uniqueId("section");
  return h("section", { class: "card", "aria-labelledby": id }, h("h2", { id, class: "card-title" }, title), content);
}

/** A number with its name. */
export function tile(label, value, note) {
  return h("div", { class: "tile" }, h("dt", null, label), h("dd", null, value, note && h("small", null, note)));
}

/** A button. `kind`: `primary`, `danger`, `ghost` or nothing. */
export function button(label, onclick, { kind = "", name, ...props } = {}) {
  return h("button", { class: `button ${kind}`.trim(), type: "button", onclick, ...props }, name && icon(name, 16), label);
}

/** A button that shows an icon only; `label` is what it is called. */
export function iconButton(name, label, onclick) {
  return h("button", { class: "icon-button", type: "button", "aria-label": label, title: label, onclick }, icon(name));
}

/**
 * Fills `place` with what `load` makes: lines while it waits, the problem with a way to try again if it fails.
 * A later call for the same place makes an earlier one void.
 */
export async function show(place, load, { signal, lines } = {}) {
  const turn = {};
  place.turn = turn;
  const isStale = () => place.turn !== turn || signal?.aborted;
  const wait = setTimeout(() => !isStale() && fill(place, loading(lines)), place.hasChildNodes() ? 400 : 0);
  place.setAttribute("aria-busy", "true");
  try {
    const content = await load();
    if (!isStale()) replaceContent(place, content);
  } catch (error) {
    if (error.name !== "AbortError" && error.status !== 401 && !isStale()) {
      fill(place, problem(error, () => show(place, load, { signal, lines })));
    }
  } finally {
    clearTimeout(wait);
    if (!isStale()) place.removeAttribute("aria-busy");
  }
}

/** Replaces the content and keeps the focus: on the control of the same name, else on the place itself. */
function replaceContent(place, content) {
  const focused = place.contains(document.activeElement) ? document.activeElement : null;
  const name = focused && nameOf(focused);
  fill(place, content);
  if (!focused) return;
  const same = [...place.querySelectorAll("a, button, input, select, summary")].find((element) => !element.disabled && nameOf(element) === name);
  if (!same) place.setAttribute("tabindex", "-1");
  (same ?? place).focus({ preventScroll: true });
}

function nameOf(element) {
  return element.getAttribute("aria-label") ?? (element.textContent || element.value);
}

/**
 * A table. On narrow screens each row becomes a card, where the name of the column stands before each value.
 * @param columns `[{label, cell(row), class?, isHidden?}]`; a hidden label is for screen readers only.
 */
export function table(caption, columns, rows, { rowClass } = {}) {
  const label = (column) => (column.isHidden ? h("span", { class: "visually-hidden" }, column.label) : column.label);
  const head = columns.map((column) => h("th", { scope: "col", role: "columnheader", class: column.class }, label(column)));
  const line = (row) =>
    h(
      "tr",
      { role: "row", class: rowClass?.(row) },
      columns.map((c) => h("td", { role: "cell", class: c.class, "data-label": c.isHidden ? null : c.label }, c.cell(row))),
    );
  return h(
    "div",
    { class: "table-box" },
    h(
      "table",
      { role: "table" },
      h("caption", { class: "visually-hidden" }, caption),
      h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, head)),
      h("tbody", { role: "rowgroup" }, rows.map(line)),
    ),
  );
}

/**
 * A row of choices of which one is taken.
 * @param choices `[[value, label]]`
 */
export function segments(label, choices, chosen, choose) {
  const name = uniqueId("segments");
  const option = ([value, words]) =>
    h(
      "label",
      null,
      h("input", { type: "radio", name, value, checked: value === chosen, onchange: () => choose(value) }),
      h("span", null, words),
    );
  return h("fieldset", { class: "segments" }, h("legend", { class: "visually-hidden" }, label), choices.map(option));
}
