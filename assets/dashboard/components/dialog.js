// Modal dialogs. The browser keeps the focus inside and gives it back at the end.

import { h, uniqueId } from "../dom.js";
import { icon } from "../icons.js";
import { field, form } from "./form.js";

/**
 * Opens a dialog.
 * @param title its heading
 * @param content a function of `close` that gives what stands in it
 * @param isFirm true where a stray Escape must not close it
 */
export function openDialog(title, content, { isFirm = false, isWide = false } = {}) {
  const id = uniqueId("dialog");
  const close = () => dialog.close();
  const dialog = h(
    "dialog",
    { "aria-labelledby": id, class: isWide ? "wide" : null },
    h(
      "header",
      { class: "dialog-head" },
      h("h2", { id }, title),
      !isFirm && h("button", { class: "icon-button", type: "button", "aria-label": "Close", onclick: close }, icon("close")),
    ),
    h("div", { class: "dialog-body" }, content(close)),
  );
  dialog.addEventListener("cancel", (event) => isFirm && event.preventDefault());
  dialog.addEventListener("keydown", (event) => isFirm && event.key === "Escape" && event.preventDefault());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  dialog.querySelector(".dialog-body :is(input:not([type=radio]), input:checked, textarea, select)")?.focus();
}

/** Closes what is open, when the page under it goes. */
export function closeDialogs() {
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
}

/**
 * Asks before something is done.
 * @param word what has to be typed first, if anything
 * @param run does it; an error it throws is shown in the dialog
 */
export function confirm({ title, text, label, word, run }) {
  openDialog(title, (close) => {
    const typed = word && field({ name: "word", label: `Type “${word}” to confirm`, autocomplete: "off", spellcheck: "false" });
    const isTyped = () => typed.input.value.trim().toLowerCase() === word.toLowerCase();
    return form({
      content: [h("div", { class: "prose" }, text), typed?.element],
      label,
      kind: "danger",
      cancel: close,
      async submit({ refuse }) {
        if (word && !isTyped()) return refuse("word", `This is not “${word}”`);
        await run();
        return close();
      },
    });
  });
}
