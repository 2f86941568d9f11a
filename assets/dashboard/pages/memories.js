// A person's memories: all of them page by page, or those that answer a question.

import { fileUrl, get, post } from "../api.js";
import { debounce, fill, h } from "../dom.js";
import { number, plural } from "../format.js";
import { icon } from "../icons.js";
import { navigate } from "../router.js";
import { loadAccount } from "../session.js";
import { CATEGORIES, TYPES, capital } from "../words.js";
import { confirm } from "../components/dialog.js";
import { checkbox, field } from "../components/form.js";
import { waiting, whenMemories } from "../components/first-steps.js";
import { MEMORIES_CHANGED, deleteMemories, memoryRow } from "../components/memory.js";
import { empty, errorWords } from "../components/notice.js";
import { button, pageHead, show } from "../components/page.js";
import { OWN, personPicker } from "../components/person-picker.js";
import { snippets } from "../components/snippets.js";
import { toast } from "../components/toast.js";

const PAGE = 20;
const FOUND = 20;
const TYPING = 250;
const MOST_SELECTED = 1000;
const SORTS = [
  ["created_at desc", "Newest first"],
  ["created_at asc", "Oldest first"],
  ["updated_at desc", "Last changed first"],
  ["importance desc", "Most important first"],
  ["importance asc", "Least important first"],
];
const FILTERS = ["q", "category", "type", "agent", "from", "to", "replaced", "sort"];

export default function memories({ root, query, signal, keepQuery }) {
  const userId = query.get("user_id") ?? undefined;
  const state = Object.fromEntries(FILTERS.map((name) => [name, query.get(name) ?? ""]));
  state.page = Math.max(1, Number(query.get("page")) || 1);
  const selected = new Set();
  const place = h("div", { class: "memory-place" });
  const bar = h("div", { class: "selection", hidden: true });
  let loading = new AbortController();
  let watching = new AbortController();
  signal.addEventListener("abort", () => [loading, watching].forEach((controller) => controller.abort()));

  const isFiltered = () => Boolean(state.q || state.category || state.type || state.agent || state.from || state.to);
  const reload = () => {
    if (signal.aborted) return undefined;
    loading.abort();
    watching.abort();
    loading = new AbortController();
    watching = new AbortController();
    keepQuery({ ...state, user_id: userId, page: state.page > 1 ? state.page : "" });
    fields.fit(Boolean(state.q));
    return show(place, load, { signal: loading.signal, lines: 6 });
  };
  const change = (changes) => {
    Object.assign(state, { page: 1 }, changes);
    reload();
  };
  const turn = (page) => {
    scrollTo(0, 0);
    change({ page });
  };

  const load = async () => {
    const found = state.q ? await search(state, userId, loading.signal) : await list(state, userId, loading.signal);
    const rows = found.data ?? found.memories;
    if (rows.length === 0 && state.page > 1) return button("Back to the first page", () => turn(1));
    if (rows.length === 0) return isFiltered() ? nothingFound(state) : teach(userId, reload, watching.signal);
    return [
      summary(rows, found.pagination, state, selected, showBar),
      h("ul", { class: "memory-list card" }, rows.map((memory) => memoryRow(memory, userId, tick(memory)))),
      found.pagination && pager(found.pagination, turn),
    ];
  };

  const tick = (memory) =>
    h("input", {
      type: "checkbox", class: "tick", value: memory.id, checked: selected.has(memory.id), "aria-label": "Select this memory",
      onchange: (event) => {
        if (event.target.checked) selected.add(memory.id);
        else selected.delete(memory.id);
        showBar();
      },
    });

  const clear = () => {
    selected.clear();
    for (const box of place.querySelectorAll("input[type=checkbox]")) box.checked = false;
    showBar();
  };
  const showBar = () => {
    bar.hidden = selected.size === 0;
    const isTooMany = selected.size > MOST_SELECTED;
    fill(
      bar,
      h("strong", null, `${number(selected.size)} selected`),
      isTooMany && h("span", null, `At most ${number(MOST_SELECTED)} at a time.`),
      button("Delete", () => askToDelete(selected, userId), { kind: "danger small", name: "trash", disabled: isTooMany }),
      button("Clear selection", clear, { kind: "small" }),
    );
    const all = place.querySelector(".tick-all");
    if (all) all.checked = [...place.querySelectorAll(".tick")].every((box) => box.checked);
  };

  const fields = filterFields(state, change);
  const pick = (id) => navigate(`/dashboard/memories${id ? `?${new URLSearchParams({ user_id: id })}` : ""}`);
  fill(
    root,
    pageHead("Memories", "What your applications have learnt, and how searches find it.", personPicker(userId, pick), exportLink(userId)),
    fields.element,
    bar,
    place,
  );
  window.addEventListener(MEMORIES_CHANGED, () => [clear(), reload()], { signal });
  reload();
}

function list(state, userId, signal) {
  const [sort, order] = (SORTS.some(([value]) => value === state.sort) ? state.sort : SORTS[0][0]).split(" ");
  return get(
    "/v1/memories",
    {
      page: state.page, page_size: PAGE, sort, order, user_id: userId,
      category: state.category, type: state.type, agent_id: state.agent, include_superseded: state.replaced,
    },
    signal,
  );
}

function search(state, userId, signal) {
  const start = (day) => day && new Date(`${day}T00:00`).toISOString();
  const end = (day) => day && new Date(`${day}T23:59:59.999`).toISOString();
  const request = {
    query: state.q, limit: FOUND, rerank: true, explain: true, include_bio: false, user_id: userId,
    categories: state.category ? [state.category] : undefined,
    type: state.type || undefined,
    agent_id: state.agent || undefined,
    created_after: start(state.from) || undefined,
    created_before: end(state.to) || undefined,
    include_superseded: state.replaced ? true : undefined,
  };
  return post("/v1/memories/search", request, { signal });
}

/** The search field and the filters; `fit` shows those that apply to searching or to listing. */
function filterFields(state, change) {
  const type = debounce((q) => change({ q }), TYPING);
  const input = h("input", {
    type: "search", id: "search", name: "q", value: state.q, maxlength: 4096, placeholder: "Ask or search, such as “Where does she work?”",
    autocomplete: "off", oninput: () => type(input.value.trim()),
  });
  const select = (name, label, options) => {
    const made = field({ name, label, tag: "select", options, value: state[name] });
    made.input.addEventListener("change", () => change({ [name]: made.input.value }));
    return made.element;
  };
  const text = (name, label, props) => {
    const made = field({ name, label, value: state[name], autocomplete: "off", ...props });
    const follow = props.type === "date" ? (value) => change({ [name]: value }) : debounce((value) => change({ [name]: value.trim() }), TYPING);
    made.input.addEventListener("input", () => follow(made.input.value));
    return made.element;
  };
  const sort = select("sort", "Sort by", SORTS);
  const dates = [text("from", "Stored from", { type: "date" }), text("to", "Stored until", { type: "date" })];
  const replaced = checkbox({ name: "replaced", label: "Include replaced memories", checked: Boolean(state.replaced) });
  replaced.querySelector("input").addEventListener("change", (event) => change({ replaced: event.target.checked ? "true" : "" }));
  const element = h(
    "search",
    { class: "filters" },
    h("div", { class: "search-box" }, h("label", { for: "search", class: "visually-hidden" }, "Search memories"), icon("search"), input),
    h(
      "div",
      { class: "toolbar" },
      select("category", "Category", [["", "All"], ...CATEGORIES.map((category) => [category, capital(category)])]),
      select("type", "Type", [["", "All"], ...Object.entries(TYPES)]),
      text("agent", "Agent", { maxlength: 128, spellcheck: "false", placeholder: "agent_id" }),
      sort,
      dates,
      replaced,
    ),
  );
  const fit = (isSearch) => {
    sort.hidden = isSearch;
    dates.forEach((date) => (date.hidden = !isSearch));
  };
  return { element, fit };
}

function summary(rows, pagination, state, selected, showBar) {
  const all = h("input", {
    type: "checkbox", class: "tick-all", checked: rows.every(({ id }) => selected.has(id)),
    onchange: () => {
      for (const { id } of rows) {
        if (all.checked) selected.add(id);
        else selected.delete(id);
      }
      for (const box of all.closest(".memory-place").querySelectorAll(".tick")) box.checked = all.checked;
      showBar();
    },
  });
  const count = pagination ? plural(pagination.total_items, "memory", "memories") : `${plural(rows.length, "memory", "memories")} found, most relevant first`;
  return h(
    "div",
    { class: "list-head" },
    h("label", { class: "select-all" }, all, "Select all on this page"),
    h("p", { class: "soft", role: "status" }, count),
    state.q && h("p", { class: "soft relevance-key" }, "Relevance from 0 to 1: excellent from 0.8, good from 0.6, fair from 0.4."),
  );
}

function pager(pagination, turn) {
  if (pagination.total_pages <= 1) return null;
  const { page } = pagination;
  return h(
    "nav",
    { class: "pager", "aria-label": "Pages of memories" },
    button("Previous", () => turn(page - 1), { disabled: !pagination.has_previous }),
    h("span", null, `Page ${number(page)} of ${number(pagination.total_pages)}`),
    button("Next", () => turn(page + 1), { disabled: !pagination.has_next }),
  );
}

function nothingFound(state) {
  const words = state.q ? "Nothing here answers that. Ask in other words or remove a filter." : "Remove a filter to see more.";
  return h("div", { class: "card" }, empty("search", "No memories found", h("p", null, words)));
}

/** What stands where a person has no memories: how to store one. It makes way for the first that comes. */
function teach(userId, reload, signal) {
  whenMemories(signal, reload, userId);
  return h(
    "div",
    { class: "card" },
    empty(
      "memories",
      "No memories yet",
      h("p", null, "Store a conversation, and the facts worth keeping appear here. Replace YOUR_API_KEY with your key."),
    ),
    snippets(undefined, userId),
    waiting("Waiting for the first memory. It will appear here."),
  );
}

function askToDelete(selected, userId) {
  const count = plural(selected.size, "memory", "memories");
  confirm({
    title: `Delete ${count}?`,
    text: h("p", null, "Searches stop finding them at once. You can undo this for a short time, and a backup is kept for 30 days."),
    label: `Delete ${count}`,
    run: () => deleteMemories([...selected], userId),
  });
}

function exportLink(userId) {
  const href = fileUrl("/v1/export", { user_id: userId });
  const name = `memories-${userId ?? "own"}.ndjson`;
  const save = async (event) => {
    event.preventDefault();
    try {
      await loadAccount();
      h("a", { href, download: name }).click();
    } catch (error) {
      toast(`The export could not start. ${errorWords(error)}`);
    }
  };
  return h("a", { class: "button", href, download: name, onclick: save, title: `Every memory of ${userId ?? OWN} with its history, one per line` }, icon("download", 16), "Export");
}
