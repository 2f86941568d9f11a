// Changing a memory, unless somebody else changed it meanwhile.

import { patch } from "../api.js";
import { h } from "../dom.js";
import { localInput } from "../format.js";
import { CATEGORIES, TYPES, capital } from "../words.js";
import { openDialog } from "./dialog.js";
import { checkbox, choices, field, form } from "./form.js";
import { notice } from "./notice.js";
import { button } from "./page.js";
import { toast } from "./toast.js";

const MOST_CATEGORIES = 3;

/** Opens the form; `after` runs once the memory is changed, or to be read anew. */
export function openMemoryForm(memory, userId, after) {
  openDialog("Edit memory", (close) => memoryForm(memory, userId, close, after), { isWide: true });
}

function memoryForm(memory, userId, close, after) {
  const text = field({ name: "content", label: "Text", tag: "textarea", rows: 4, required: true, value: memory.memory });
  const categories = categoryBoxes(memory.categories);
  const type = choices({ name: "memory_type", legend: "Type", options: Object.entries(TYPES), value: memory.type });
  const importance = field({ name: "importance", label: "Importance", hint: "From 0 (trivial) to 1 (defines the person).", type: "number", min: 0, max: 1, step: "any", inputmode: "decimal", required: true, value: memory.importance });
  const expiry = field({ name: "expires_at", label: "Forget it on", hint: "In your time zone. Leave empty to keep it.", type: "datetime-local", value: memory.expires_at ? localInput(memory.expires_at) : "" });

  const submit = async ({ data, refuse }) => {
    const chosen = data.getAll("category");
    if (chosen.length === 0) return refuse("categories", "Choose one to three categories");
    const changes = changed(memory, { content: data.get("content").trim(), categories: chosen, memory_type: type.value(), importance: Number(data.get("importance")) });
    const until = data.get("expires_at");
    if (!until && memory.expires_at) changes.clear_expires_at = true;
    if (until && until !== (memory.expires_at && localInput(memory.expires_at))) changes.expires_at = new Date(until).toISOString();
    if (Object.keys(changes).length > 0) {
      const options = { headers: { "If-Match": `"${memory.version}"` } };
      await patch(`/v1/memories/${encodeURIComponent(memory.id)}`, { ...changes, user_id: userId }, options);
      toast("Memory changed.");
      after();
    }
    return close();
  };

  const explain = (error) => {
    if (error.code !== "CONFLICT") return null;
    const reload = () => {
      close();
      after();
    };
    return notice("warn", ["This memory was changed in the meantime. Your changes are not saved.", button("Load it again", reload, { kind: "small" })]);
  };

  const content = [text.element, categories, h("div", { class: "field-pair" }, type.element, h("div", null, importance.element, expiry.element))];
  return form({ content, label: "Save", cancel: close, submit, explain });
}

/** Boxes for the categories, of which three at most can be ticked. */
function categoryBoxes(chosen) {
  const boxes = CATEGORIES.map((category) => checkbox({ name: "category", value: category, label: capital(category), checked: chosen.includes(category) }));
  const inputs = boxes.map((box) => box.querySelector("input"));
  const fit = () => {
    const isFull = inputs.filter((input) => input.checked).length >= MOST_CATEGORIES;
    for (const input of inputs) input.disabled = isFull && !input.checked;
  };
  fit();
  return h("fieldset", { class: "field", "data-field": "categories", onchange: fit }, h("legend", null, "Categories, one to three"), h("div", { class: "check-grid" }, boxes));
}

function changed(memory, { content, categories, memory_type, importance }) {
  const changes = {};
  if (content !== memory.memory) changes.content = content;
  if (categories.join() !== [...memory.categories].sort((a, b) => CATEGORIES.indexOf(a) - CATEGORIES.indexOf(b)).join()) changes.categories = categories;
  if (memory_type !== memory.type) changes.memory_type = memory_type;
  if (importance !== memory.importance) changes.importance = importance;
  return changes;
}
