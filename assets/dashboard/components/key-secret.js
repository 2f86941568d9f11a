// A new key, shown this once.

import { h } from "../dom.js";
import { copyButton } from "./copy.js";
import { openDialog } from "./dialog.js";
import { notice } from "./notice.js";
import { button } from "./page.js";
import { snippets } from "./snippets.js";

/** The key itself, large, with a button to copy it and a word of warning. */
export function secret(key) {
  return h(
    "div",
    { class: "secret" },
    h("div", { class: "secret-box" }, h("code", { tabindex: 0, "aria-label": "The new key" }, key), copyButton(key, "Copy key")),
    notice("warn", "Store it in a safe place now. You won’t see it again."),
  );
}

/** Shows a new key until it is put away on purpose. */
export function showSecret(title, key, ...words) {
  openDialog(
    title,
    (close) => [
      words,
      secret(key),
      h("h3", null, "Use it"),
      h("p", { class: "soft" }, "Stores a conversation, then searches it. The key is already filled in."),
      snippets(key),
      h("div", { class: "form-buttons" }, button("I have stored the key", close, { kind: "primary" })),
    ],
    { isFirm: true, isWide: true },
  );
}
