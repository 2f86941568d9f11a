// One memory: what it says, where it comes from, how it came to be, and ways to change or delete it.

import { get } from "../api.js";
import { fill, h } from "../dom.js";
import { time } from "../format.js";
import { icon } from "../icons.js";
import { navigate } from "../router.js";
import { TYPES, categoryChip, changeWords } from "../words.js";
import { copyButton } from "../components/copy.js";
import { confirm } from "../components/dialog.js";
import { deleteMemories, memoryPath } from "../components/memory.js";
import { openMemoryForm } from "../components/memory-form.js";
import { notice } from "../components/notice.js";
import { button, card, pageHead, show } from "../components/page.js";
import { personName } from "../components/person-picker.js";
import { keyNames } from "../components/key-names.js";

export default function memoryPage({ root, params, query, signal }) {
  const userId = query.get("user_id") ?? undefined;
  const path = `/v1/memories/${params.id}`;
  const back = `/dashboard/memories${userId ? `?${new URLSearchParams({ user_id: userId })}` : ""}`;
  const actions = h("div", { class: "actions" });
  const place = h("div", { class: "stack" });
  const reload = () => show(place, load, { signal, lines: 6 });
  let current;
  const buttons = [
    button("Edit", () => openMemoryForm(current, userId, reload), { name: "edit" }),
    button("Delete", () => askToDelete(current, userId, back, signal), { name: "trash", kind: "danger-quiet" }),
  ];

  const load = async () => {
    const [memory, history, names] = await Promise.all([
      get(path, { user_id: userId }, signal),
      get(`${path}/history`, { user_id: userId }, signal),
      keyNames(),
    ]).catch((error) => {
      fill(actions);
      if (error.code === "MEMORY_NOT_FOUND") return [];
      throw error;
    });
    if (!memory) return notice("info", ["There is no such memory; it may have been deleted. ", h("a", { href: back }, "All memories")]);
    current = memory;
    if (!actions.hasChildNodes()) fill(actions, buttons);
    return content(memory, history, userId, names);
  };

  fill(
    root,
    h("p", { class: "crumb" }, h("a", { href: back }, icon("back", 16), "Memories", userId && [" of ", h("span", { class: "mono" }, personName(userId))])),
    pageHead("Memory", null, actions),
    place,
  );
  reload();
}

function askToDelete(memory, userId, back, signal) {
  confirm({
    title: "Delete this memory?",
    text: [h("blockquote", null, memory.memory), h("p", null, "Searches stop finding it at once. You can undo this for a short time, and a backup is kept for 30 days.")],
    label: "Delete memory",
    async run() {
      await deleteMemories([memory.id], userId);
      if (!signal.aborted) navigate(back);
    },
  });
}

function content(memory, history, userId, names) {
  return [
    memory.superseded_by && notice("warn", ["A newer memory has replaced this one. ", h("a", { href: memoryPath(memory.superseded_by, userId) }, "Go to it")]),
    h(
      "section",
      { class: "card statement", "aria-label": "What it says" },
      h("p", { class: "statement-text" }, memory.memory),
      h("div", { class: "memory-meta" }, memory.categories.map(categoryChip), h("span", null, TYPES[memory.type]), importance(memory.importance)),
    ),
    h(
      "div",
      { class: "columns wide-left" },
      h("div", { class: "stack" }, sources(memory, history), timeline(history, userId, names)),
      h("div", { class: "stack" }, details(memory, userId), metadata(memory.metadata)),
    ),
  ];
}

function importance(value) {
  return h(
    "span",
    { class: "importance", title: "From 0 (trivial) to 1 (defines the person)" },
    `Importance ${value.toFixed(2)}`,
    h("span", { class: "meter", "aria-hidden": "true" }, h("span", { style: { width: `${value * 100}%` } })),
  );
}

function sources(memory, history) {
  const quote = (source) =>
    h("figure", { class: "quote" }, h("blockquote", null, source.quote), h("figcaption", { class: "mono soft" }, source.message_id));
  const ids = memory.source_message_ids ?? [];
  if (history.sources?.length > 0) return card("The words it came from", history.sources.map(quote));
  if (ids.length === 0) return card("The words it came from", h("p", { class: "soft" }, "The source message is unknown."));
  return card("The words it came from", h("p", { class: "soft" }, "The words are not kept here. The memory comes from these messages:"), h("ul", { class: "plain-list" }, ids.map((id) => h("li", { class: "mono" }, id))));
}

function timeline(history, userId, names) {
  const versions = [...history.versions].reverse();
  const entry = (version, index) => {
    const before = versions[index + 1];
    const isSame = before && before.memory === version.memory;
    return h(
      "li",
      null,
      h("p", { class: "event" }, h("strong", null, changeWords(version.operation)), h("span", { class: "soft" }, ` version ${version.version}`)),
      h("p", { class: "soft small-text" }, time(version.changed_at), " by ", h("span", { title: version.changed_by }, authorName(version.changed_by, names))),
      !isSame && h("p", null, version.memory),
      version.superseded_by && h("p", null, h("a", { href: memoryPath(version.superseded_by, userId) }, "The newer memory")),
    );
  };
  const supersedes = history.supersedes ?? [];
  return card(
    "History",
    h("ol", { class: "timeline" }, versions.map(entry)),
    supersedes.length > 0 && h("p", { class: "card-foot" }, "It replaced ", supersedes.map((id, index) => [index > 0 && ", ", h("a", { class: "mono", href: memoryPath(id, userId) }, id)]), "."),
  );
}

/** Who made a version: a key by its name, or somebody who was signed in. */
function authorName(id, names) {
  return id.startsWith("sess_") ? "somebody signed in to this account" : (names.get(id) ?? id);
}

function details(memory, userId) {
  const rows = [
    ["Id", h("span", { class: "with-copy" }, h("code", null, memory.id), copyButton(memory.id))],
    ["Person", userId ? h("code", null, userId) : personName()],
    ["Agent", h("code", null, memory.agent_id)],
    ["Thread", h("code", null, memory.thread_id)],
    ["Source", h("code", null, memory.source)],
    memory.event_time && ["Event", time(memory.event_time, "minute")],
    ["Stored", time(memory.created_at, "minute")],
    ["Changed", time(memory.updated_at, "minute")],
    ["Forgotten", memory.expires_at ? time(memory.expires_at, "minute") : "Never"],
    ["Version", memory.version],
  ];
  return card("Details", h("dl", { class: "details" }, rows.filter(Boolean).map(([name, value]) => h("div", null, h("dt", null, name), h("dd", null, value)))));
}

function metadata(value) {
  if (!value || Object.keys(value).length === 0) return null;
  return card("Metadata", h("pre", { tabindex: 0, "aria-label": "Metadata" }, h("code", null, JSON.stringify(value, null, 2))));
}
