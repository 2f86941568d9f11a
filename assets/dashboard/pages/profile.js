// What is derived from a person's memories: bio, insights, traits, summaries, counts, and what of it is given to whom.

import { get, patch } from "../api.js";
import { fill, h } from "../dom.js";
import { number, percent, plural, time } from "../format.js";
import { navigate } from "../router.js";
import { TYPES, capital, categoryChip } from "../words.js";
import { bioCard } from "../components/bio.js";
import { checkbox } from "../components/form.js";
import { sourceList } from "../components/memory-sources.js";
import { empty, errorWords } from "../components/notice.js";
import { card, pageHead, show, tile } from "../components/page.js";
import { personPicker } from "../components/person-picker.js";
import { toast } from "../components/toast.js";

const NEEDED = 5;
const PARTS = "bio,categories,insights,stats,traits,sources";
const SWITCHES = [
  ["bio_public", "Share the bio", "When off, only programs that may change profiles get it, and searches never do."],
  ["categories_public", "Share category summaries", "When off, only programs that may change profiles get them."],
  ["insights_enabled", "Derive insights", "What several memories show together."],
  ["trait_analysis_enabled", "Derive traits", "Character traits that several memories show."],
];

export default function profile({ root, query, signal }) {
  const userId = query.get("user_id") ?? undefined;
  const place = h("div", { class: "stack" });
  const reload = () => show(place, load, { signal, lines: 6 });

  const load = async () => {
    try {
      const [found, bio] = await Promise.all([
        get("/v1/profile", { include: PARTS, user_id: userId }, signal),
        get("/v1/profile/bio", { user_id: userId }, signal).catch((error) => {
          if (error.code === "BIO_NOT_FOUND") return null;
          throw error;
        }),
      ]);
      return content(found, bio, userId, signal, reload);
    } catch (error) {
      if (error.code !== "PROFILE_NOT_FOUND") throw error;
      return tooFew(error.details, userId);
    }
  };

  const pick = (id) => navigate(`/dashboard/profile${id ? `?${new URLSearchParams({ user_id: id })}` : ""}`);
  fill(root, pageHead("Profile", "What the memories say about a person, and what is shared.", personPicker(userId, pick)), place);
  reload();
}

function tooFew(details, userId) {
  const count = Number(details.current_memory_count ?? 0);
  const memories = `/dashboard/memories${userId ? `?${new URLSearchParams({ user_id: userId })}` : ""}`;
  return h(
    "div",
    { class: "card" },
    empty(
      "profile",
      "No profile yet",
      h("p", null, details.suggestion ?? "A profile needs at least 5 memories in at least 2 categories; private ones do not count."),
      h("progress", { max: NEEDED, value: Math.min(count, NEEDED), "aria-label": "Memories for a profile" }),
      h("p", { class: "soft" }, count >= NEEDED ? `${plural(count, "memory", "memories")}, in too few categories` : `${count} of ${NEEDED} memories`),
      h("p", null, h("a", { href: memories }, "See the memories")),
    ),
  );
}

function content(found, bio, userId, signal, reload) {
  const settings = found.privacy_settings;
  return [
    bioCard(found.bio, bio, userId, signal, reload),
    h(
      "div",
      { class: "columns wide-left" },
      h(
        "div",
        { class: "stack" },
        findings("Insights", found.insights ?? [], settings.insights_enabled, insight, userId),
        findings("Traits", found.traits ?? [], settings.trait_analysis_enabled, trait, userId),
        summaries(found.categories ?? {}),
      ),
      h("div", { class: "stack" }, stats(found.stats), privacy(settings, userId, reload)),
    ),
  ];
}

function findings(title, items, isOn, look, userId) {
  if (items.length > 0) return card(title, h("ul", { class: "findings" }, items.map((item) => h("li", null, look(item), behind(item, userId)))));
  return card(title, h("p", { class: "soft" }, isOn ? "Not enough memories point to anything yet." : "Switched off under Privacy."));
}

function behind({ memory_ids: ids = [] }, userId) {
  if (ids.length === 0) return null;
  const place = h("div");
  let isLoaded = false;
  const load = (event) => {
    if (!event.target.open || isLoaded) return;
    isLoaded = true;
    show(place, () => sourceList(ids, userId), { lines: 2 });
  };
  return h("details", { class: "why", ontoggle: load }, h("summary", null, plural(ids.length, "memory", "memories")), place);
}

function insight(item) {
  return [
    h("div", { class: "finding-head" }, h("h3", null, item.title), strength("Confidence", item.confidence)),
    h("p", null, item.description),
    categoryChip(item.category),
  ];
}

function trait(item) {
  return [h("div", { class: "finding-head" }, h("h3", null, capital(item.trait)), strength("Strength", item.strength)), categoryChip(item.category)];
}

function strength(label, value) {
  return h("span", { class: "importance" }, `${label} ${percent(value)}`, h("span", { class: "meter", "aria-hidden": "true" }, h("span", { style: { width: `${value * 100}%` } })));
}

function summaries(categories) {
  const entries = Object.entries(categories);
  if (entries.length === 0) return null;
  const entry = ([name, category]) =>
    h(
      "li",
      null,
      h("div", { class: "finding-head" }, h("h3", null, categoryChip(name), category.title && ` ${category.title}`), h("span", { class: "soft small-text" }, plural(category.memory_count, "memory", "memories"), " · ", time(category.last_updated))),
      category.summary ? h("p", null, category.summary) : h("p", { class: "soft" }, "Nothing to summarise yet."),
      category.key_items?.length > 0 && h("ul", { class: "bullets" }, category.key_items.map((item) => h("li", null, item))),
    );
  return card("By category", h("ul", { class: "findings" }, entries.map(entry)));
}

function stats(found) {
  if (!found) return null;
  const { first_memory: first, last_memory: last } = found.date_range ?? {};
  const counts = Object.entries(found.by_category ?? {}).sort(([, a], [, b]) => b - a);
  const most = Math.max(1, ...counts.map(([, count]) => count));
  const bar = ([name, count]) =>
    h("li", null, categoryChip(name), h("span", { class: "meter", "aria-hidden": "true" }, h("span", { style: { width: `${(100 * count) / most}%` } })), h("span", { class: "num" }, number(count)));
  const names = (label, list) => list?.length > 0 && h("div", null, h("dt", null, label), h("dd", null, list.join(", ")));
  return card(
    "In numbers",
    h("dl", { class: "tiles two" }, tile("Memories", number(found.total_memories)), tile("Mean importance", (found.avg_importance ?? 0).toFixed(2))),
    h("ul", { class: "bars" }, counts.map(bar)),
    h(
      "dl",
      { class: "details" },
      Object.entries(found.by_type ?? {}).map(([type, count]) => h("div", null, h("dt", null, TYPES[type] ?? type), h("dd", null, number(count)))),
      first && h("div", null, h("dt", null, "First stored"), h("dd", null, time(first, "day"))),
      last && h("div", null, h("dt", null, "Last stored"), h("dd", null, time(last, "day"))),
      names("Most mentioned people", found.top_participants),
      names("Most mentioned places", found.top_locations),
    ),
  );
}

function privacy(settings, userId, reload) {
  const line = ([name, label, hint]) => {
    const box = checkbox({ name, label, hint, checked: settings[name], role: "switch" });
    const input = box.querySelector("input");
    input.addEventListener("change", async () => {
      input.disabled = true;
      try {
        const changed = await patch("/v1/profile/privacy", { [name]: input.checked, user_id: userId });
        Object.assign(settings, changed);
        toast("Privacy settings saved.");
        if (name.endsWith("_enabled")) reload();
      } catch (error) {
        input.checked = settings[name];
        toast(`Not saved. ${errorWords(error)}`);
      } finally {
        input.disabled = false;
      }
    });
    box.classList.add("switch");
    return box;
  };
  return card("Privacy", SWITCHES.map(line));
}
