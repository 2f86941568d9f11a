// The memories that something was derived from.

import { get } from "../api.js";
import { h } from "../dom.js";
import { memoryLink, memoryPath } from "./memory.js";

const SHOWN = 5;

/** A list of these memories: the first few with their text, the rest by their ids. */
export async function sourceList(ids, userId, read = readMemory) {
  const found = await Promise.all(ids.slice(0, SHOWN).map((id) => read(id, userId)));
  const rest = ids.slice(SHOWN);
  return [
    h("ul", { class: "source-list" }, found.filter(Boolean).map((memory) => h("li", null, memoryLink(memory, userId)))),
    rest.length > 0 &&
      h("details", { class: "why" }, h("summary", null, `${rest.length} more`), h("ul", { class: "plain-list" }, rest.map((id) => h("li", null, h("a", { class: "mono", href: memoryPath(id, userId) }, id))))),
  ];
}

/** A memory, or null where it is gone meanwhile. */
function readMemory(id, userId) {
  return get(`/v1/memories/${encodeURIComponent(id)}`, { user_id: userId }).catch((error) => {
    if (error.code === "MEMORY_NOT_FOUND") return null;
    throw error;
  });
}

/** Reads memories one time each. */
export function rememberingReader() {
  const known = new Map();
  return (id, userId) => {
    if (!known.has(id)) {
      const reading = readMemory(id, userId);
      reading.catch(() => known.delete(id));
      known.set(id, reading);
    }
    return known.get(id);
  };
}
