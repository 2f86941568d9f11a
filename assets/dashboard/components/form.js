// Forms: labelled fields, errors beside the field they are about, a button that waits.

import { fill, h, uniqueId } from "../dom.js";
import { icon } from "../icons.js";
import { problem } from "./notice.js";

/**
 * A labelled field.
 * @param tag `input` (default), `textarea` or `select`
 * @param options for `select`: `[[value, label]]`
 * @returns {{element: HTMLElement, input: HTMLElement}}
 */
export function field({ name, label, hint, tag = "input", options, value, isOptional, ...props }) {
  const id = uniqueId(name);
  const hintId = hint && `${id}-hint`;
  const choices = options?.map(([v, words]) => h("option", { value: v, selected: String(v) === String(value) }, words));
  const settings = { id, name, "aria-describedby": hintId, ...props };
  if (tag !== "select") settings.value = value ?? "";
  const input = h(tag, settings, choices);
  const optional = isOptional && h("span", { class: "optional" }, " (optional)");
  const element = h(
    "div",
    { class: "field" },
    h("label", { for: id }, label, optional),
    hint && h("p", { class: "hint", id: hintId }, hint),
    input,
  );
  return { element, input };
}

/** A password, with a button to show it. */
export function passwordField(settings) {
  const { element, input } = field({ type: "password", required: true, ...settings });
  const toggle = h("button", { class: "reveal", type: "button", "aria-pressed": "false", "aria-controls": input.id, "aria-label": `Show ${settings.label.toLowerCase()}` }, "Show");
  toggle.addEventListener("click", () => {
    const isShown = input.type === "text";
    input.type = isShown ? "password" : "text";
    toggle.textContent = isShown ? "Show" : "Hide";
    toggle.setAttribute("aria-pressed", String(!isShown));
  });
  const box = h("div", { class: "with-reveal" });
  input.replaceWith(box);
  box.append(input, toggle);
  return { element, input };
}

/** A labelled box to tick. */
export function checkbox({ name, label, hint, value, checked, ...props }) {
  const id = uniqueId("check");
  return h(
    "div",
    { class: "check" },
    h("input", { type: "checkbox", id, name, value, checked, "aria-describedby": hint && `${id}-hint`, ...props }),
    h("div", null, h("label", { for: id }, label), hint && h("p", { class: "hint", id: `${id}-hint` }, hint)),
  );
}

/**
 * Choices of which one is taken, each with a line on what it means.
 * @param options `[[value, label, hint?]]`
 */
export function choices({ name, legend, options, value, onchange }) {
  const group = uniqueId(name);
  const option = ([v, label, hint]) => {
    const id = uniqueId("choice");
    return h(
      "div",
      { class: "check" },
      h("input", { type: "radio", id, name: group, value: v, checked: v === value, "aria-describedby": hint && `${id}-hint`, onchange: () => onchange?.(v) }),
      h("div", null, h("label", { for: id }, label), hint && h("p", { class: "hint", id: `${id}-hint` }, hint)),
    );
  };
  const element = h("fieldset", { class: "field", "data-field": name }, h("legend", null, legend), options.map(option));
  return { element, value: () => element.querySelector(`input[name="${group}"]:checked`)?.value };
}

/**
 * A form that submits by script.
 * @param submit an async function of `{data, refuse}`; `refuse(field, reason)` shows what is wrong with a field. An error
 *   it throws is shown beside the fields that it names, else above the buttons.
 */
export function form({ content, label, kind = "primary", cancel, submit, explain }) {
  const place = h("div", { class: "form-problem" });
  const send = h("button", { class: `button ${kind}`, type: "submit" }, label);
  const element = h(
    "form",
    { novalidate: true, method: "post" },
    content,
    place,
    h("div", { class: "form-buttons" }, cancel && h("button", { class: "button", type: "button", onclick: cancel }, "Cancel"), send),
  );
  const refuse = (name, reason) => markField(element, name, reason);
  const attempt = async (event) => {
    event?.preventDefault();
    if (send.getAttribute("aria-disabled") === "true") return;
    clearFaults(element);
    fill(place);
    if (!checkRequired(element)) return;
    send.setAttribute("aria-disabled", "true");
    try {
      await submit({ data: new FormData(element), refuse });
    } catch (error) {
      if (error.status !== undefined) showFault(error);
      else throw error;
    } finally {
      send.removeAttribute("aria-disabled");
    }
  };
  const showFault = (error) => {
    const content = explain?.(error);
    if (content) return fill(place, content);
    const rest = error.violations.filter(({ field: name, reason }) => !refuse(name, reason));
    if (rest.length > 0 || error.violations.length === 0) return fill(place, problem(error, error.isTemporary ? attempt : null));
    return undefined;
  };
  element.addEventListener("submit", attempt);
  return element;
}

function checkRequired(element) {
  const missing = [...element.querySelectorAll("[required]")].filter((input) => !input.value.trim());
  missing.reverse().forEach((input) => markField(element, input.name, "Fill this in"));
  return missing.length === 0;
}

/** Shows what is wrong with a field and goes there. `allowed_ips[2]` belongs to the field `allowed_ips`. */
function markField(element, name, reason) {
  const plain = name?.replace(/\[\d+\].*$/, "");
  const input = plain && element.querySelector(`[name="${CSS.escape(plain)}"], [data-field="${CSS.escape(plain)}"]`);
  const place = input?.closest(".field");
  if (!place) return false;
  const id = uniqueId("fault");
  const words = reason.charAt(0).toUpperCase() + reason.slice(1);
  place.append(h("p", { class: "fault", id }, icon("warning", 14), words));
  input.setAttribute("aria-invalid", "true");
  input.setAttribute("aria-describedby", [input.getAttribute("aria-describedby"), id].filter(Boolean).join(" "));
  const target = input.matches("fieldset") ? input.querySelector("input") : input;
  target?.focus();
  return true;
}

function clearFaults(element) {
  for (const fault of element.querySelectorAll(".fault")) fault.remove();
  for (const input of element.querySelectorAll("[aria-invalid]")) {
    input.removeAttribute("aria-invalid");
    const ids = (input.getAttribute("aria-describedby") ?? "").split(" ").filter((id) => id && !id.startsWith("fault-"));
    if (ids.length > 0) input.setAttribute("aria-describedby", ids.join(" "));
    else input.removeAttribute("aria-describedby");
  }
}
