// Taking text along.

import { h } from "../dom.js";
import { icon } from "../icons.js";

/** A button that copies; it says so for a moment. */
export function copyButton(text, label = "Copy") {
  const words = h("span", { "aria-live": "polite" }, label);
  const button = h("button", { class: "button small copy", type: "button", onclick: copy }, icon("copy", 14), words);
  async function copy() {
    try {
      await navigator.clipboard.writeText(text);
      words.textContent = "Copied";
    } catch {
      words.textContent = "Select it and copy it yourself";
    }
    setTimeout(() => (words.textContent = label), 3000);
  }
  return button;
}

/** A long text that is shown whole and can be copied, such as a receipt. */
export function copyBlock(text, label) {
  return h("div", { class: "copy-block wrapped" }, h("pre", { tabindex: 0, "aria-label": label }, h("code", null, text)), copyButton(text));
}
