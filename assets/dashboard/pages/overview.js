// The first page: for a new account the way to its first memory, later what goes on.

import { get } from "../api.js";
import { fill, h } from "../dom.js";
import { DAY, compact, percent, plural, time } from "../format.js";
import { card, pageHead, show, tile } from "../components/page.js";
import { memoryRow } from "../components/memory.js";
import { notice } from "../components/notice.js";
import { allKeys } from "../components/key-names.js";
import { newTab } from "../shell.js";
import { firstSteps } from "../components/first-steps.js";

const SOON = 14 * DAY * 1000;

export default function overview({ root, signal }) {
  const place = h("div", { class: "stack" });
  fill(root, pageHead("Overview", "Your applications’ long-term memory at a glance."), place);

  const load = async () => {
    const [own, people, keys] = await Promise.all([
      get("/v1/memories", { page_size: 5 }, signal),
      get("/v1/users", { limit: 100 }, signal),
      allKeys(),
    ]);
    const others = people.users.filter((person) => person.user_id && person.memory_count > 0);
    if (own.pagination.total_items === 0 && others.length === 0) return firstSteps(keys, signal);
    return [expiring(keys), today(signal), recent(own, others, people.next_cursor), more()];
  };
  show(place, load, { signal, lines: 6 });
}

function today(signal) {
  const place = h("dl", { class: "tiles" });
  const load = async () => {
    const { totals } = await get("/v1/usage", { granularity: "hour" }, signal);
    return [
      tile("Requests", compact(totals.requests)),
      tile("Errors", compact(totals.errors), totals.requests > 0 && percent(totals.errors / totals.requests)),
      tile("Memories created", compact(totals.memories_created)),
      tile("Searches", compact(totals.searches)),
    ];
  };
  show(place, load, { signal, lines: 1 });
  return h("section", { "aria-labelledby": "today" }, h("div", { class: "section-head" }, h("h2", { id: "today" }, "Last 24 hours"), h("a", { href: "/dashboard/usage" }, "All usage")), place);
}

function recent(own, others, hasMore) {
  const largest = [...others].sort((a, b) => b.memory_count - a.memory_count).slice(0, 5);
  return h(
    "div",
    { class: largest.length > 0 ? "columns" : null },
    card(
      "Newest memories",
      own.data.length > 0
        ? h("ul", { class: "memory-list" }, own.data.map((memory) => memoryRow(memory)))
        : h("p", { class: "soft" }, "You have no memories of your own. Other people’s memories are listed under their names."),
      h("p", { class: "card-foot" }, h("a", { href: "/dashboard/memories" }, "All memories")),
    ),
    largest.length > 0 &&
      card(
        "People",
        h("ul", { class: "plain-list" }, largest.map(personRow)),
        (others.length > largest.length || hasMore) && h("p", { class: "card-foot soft" }, "Choose others on the Memories page."),
      ),
  );
}

function personRow(person) {
  const path = `/dashboard/memories?${new URLSearchParams({ user_id: person.user_id })}`;
  return h(
    "li",
    null,
    h("a", { class: "mono", href: path }, person.user_id),
    h("span", { class: "soft" }, plural(person.memory_count, "memory", "memories")),
  );
}

function expiring(keys) {
  const soon = keys.filter((key) => key.status === "active" && key.expires_at && new Date(key.expires_at) - Date.now() < SOON);
  if (soon.length === 0) return null;
  const lines = soon.slice(0, 3).map((key) => h("li", null, h("strong", null, key.name), " expires ", time(key.expires_at)));
  return notice("warn", [soon.length === 1 ? "A key expires soon." : `${soon.length} keys expire soon.`, h("ul", null, lines), h("a", { href: "/dashboard/keys" }, "Rotate keys")]);
}

function more() {
  return h(
    "p",
    { class: "soft" },
    "For developers: ",
    h("a", { href: "/docs", target: "_blank", rel: "noopener" }, "interactive API docs", newTab()),
    " and the ",
    h("a", { href: "/openapi.json", target: "_blank", rel: "noopener" }, "OpenAPI description", newTab()),
    ".",
  );
}
