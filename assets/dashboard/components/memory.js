// How a memory looks in a list, and how memories are deleted with a way back.

import { post, queryString, remove } from "../api.js";
import { h } from "../dom.js";
import { plural, time } from "../format.js";
import { icon } from "../icons.js";
import { TYPES, categoryChip, relevanceWords, signWords } from "../words.js";
import { toast } from "./toast.js";
import { errorWords } from "./notice.js";

const isPrivate = (memory) => memory.categories.includes("private");

/** The address of a memory's page. */
export function memoryPath(id, userId) {
  return `/dashboard/memories/${encodeURIComponent(id)}${queryString({ user_id: userId })}`;
}

/** A memory's text as a link to its page; that of a private one only after “Show”. */
export function memoryLink(memory, userId) {
  const link = h("a", { class: "memory-text", href: memoryPath(memory.id, userId) }, memory.memory);
  if (!isPrivate(memory)) return link;
  const place = h("span", { class: "memory-hidden" }, icon("lock", 14), "A private memory ");
  const reveal = h("button", { class: "button small", type: "button", onclick: show }, "Show");
  function show() {
    place.replaceWith(link);
    link.focus();
  }
  place.append(reveal);
  return place;
}

/** A memory in a list. `mark` stands before it, such as a box to tick. */
export function memoryRow(memory, userId, mark) {
  const isReplaced = Boolean(memory.superseded_by);
  return h(
    "li",
    { class: isReplaced ? "memory-row replaced" : "memory-row" },
    mark,
    h(
      "div",
      { class: "memory-main" },
      h("p", { class: "memory-line" }, memoryLink(memory, userId)),
      h(
        "div",
        { class: "memory-meta" },
        memory.categories.map(categoryChip),
        isReplaced && h("span", { class: "chip chip-warn" }, "replaced"),
        h("span", { class: "minor" }, TYPES[memory.type]),
        h("span", { class: "minor", title: "From 0 (trivial) to 1 (defines the person)" }, `Importance ${memory.importance.toFixed(2)}`),
        h("span", null, "via ", h("span", { class: "mono" }, memory.agent_id)),
        h("span", null, "Stored ", time(memory.created_at)),
        memory.event_time && h("span", null, "Event ", time(memory.event_time, "day")),
      ),
      memory.explanation && why(memory.explanation),
    ),
    memory.rerank_score !== undefined && score(memory),
  );
}

function score(memory) {
  const word = relevanceWords(memory.rerank_score);
  return h(
    "div",
    { class: `score score-${word.toLowerCase()}` },
    h("strong", null, memory.rerank_score.toFixed(2)),
    h("span", null, h("span", { class: "visually-hidden" }, "Relevance: "), word),
    memory.vector_distance !== undefined && h("small", { title: "Cosine distance to the query: 0 is the same" }, `distance ${memory.vector_distance.toFixed(2)}`),
  );
}

function why(explanation) {
  const parts = explanation.parts.map((part) => ({ ...part, share: part.value * part.worth })).filter(({ share }) => Math.abs(share) >= 0.005);
  parts.sort((a, b) => b.share - a.share);
  const widest = Math.max(...parts.map(({ share }) => Math.abs(share)), 0.01);
  const line = (part) =>
    h(
      "li",
      null,
      h("span", null, signWords(part.name)),
      h("span", { class: "meter", "aria-hidden": "true" }, h("span", { style: { width: `${(100 * Math.abs(part.share)) / widest}%` } })),
      h("span", { class: "why-value", title: `${part.value.toFixed(2)} × ${part.worth.toFixed(2)}` }, part.share.toFixed(2)),
    );
  return h(
    "details",
    { class: "why" },
    h("summary", null, "Why"),
    h("ul", null, parts.map(line)),
    explanation.repetition > 0 && h("p", { class: "soft" }, `Minus ${explanation.repetition.toFixed(2)} for repeating an earlier result.`),
  );
}

/** Told to the window when memories were deleted or came back. */
export const MEMORIES_CHANGED = "memories-changed";

/** Deletes memories and offers to undo it. */
export async function deleteMemories(ids, userId) {
  const answer =
    ids.length === 1
      ? await remove(`/v1/memories/${encodeURIComponent(ids[0])}`, { user_id: userId })
      : await post("/v1/memories/batch-delete", { memory_ids: ids, user_id: userId });
  const words = ids.length === 1 ? "Memory deleted." : `${plural(answer.deleted?.length ?? ids.length, "memory", "memories")} deleted.`;
  toast(words, answer.backup_id && { label: "Undo", run: () => restore(answer.backup_id) });
  window.dispatchEvent(new Event(MEMORIES_CHANGED));
}

async function restore(backupId) {
  try {
    const { restored } = await post(`/v1/backups/${encodeURIComponent(backupId)}/restore`, {});
    toast(`${plural(restored.length, "memory", "memories")} restored.`);
    window.dispatchEvent(new Event(MEMORIES_CHANGED));
  } catch (error) {
    toast(`The deletion could not be undone. ${errorWords(error)}`, error.isTemporary && { label: "Try again", run: () => restore(backupId) });
  }
}
