// The bio: its sentences with what each rests on, ways to write it, earlier ones.

import { get, patch } from "../api.js";
import { fill, h, uniqueId } from "../dom.js";
import { duration, percent, plural, time } from "../format.js";
import { openDialog } from "./dialog.js";
import { field, form } from "./form.js";
import { rememberingReader, sourceList } from "./memory-sources.js";
import { errorWords } from "./notice.js";
import { button, card, show } from "./page.js";
import { toast } from "./toast.js";

const LONGEST = 500;
const HOVER = 250;
const REASONS = {
  first: "The first one",
  memories: "New or changed memories",
  stale: "It was a week old",
  refresh: "Rewritten on request",
  settings: "Settings changed",
  manual: "Written by hand",
};

/** The card of the bio. `full` tells more of the same bio where it may be read. */
export function bioCard(bio, full, userId, signal, reload) {
  const isManual = Boolean(full?.is_manual);
  const text = bio?.summary ?? "";
  const rewrite = async () => {
    try {
      await patch("/v1/profile/bio", { regenerate: true, manual_override: false, user_id: userId });
      toast("The bio is written from memories again.");
      reload();
    } catch (error) {
      toast(`Not changed. ${errorWords(error)}`);
    }
  };
  const refresh = async (event) => {
    const pressed = event.currentTarget;
    pressed.disabled = true;
    try {
      await get("/v1/profile/bio", { refresh: true, user_id: userId });
      toast("The bio is up to date.");
      reload();
    } catch (error) {
      const wait = error.status === 429 && error.retryAfter;
      toast(wait ? `A bio can be refreshed once every 10 minutes. Try again in ${duration(error.retryAfter)}.` : errorWords(error));
      pressed.disabled = false;
    }
  };
  return card(
    "Bio",
    text ? sentences(text, bio.sources ?? [], userId, signal) : h("p", { class: "soft" }, "There is no bio yet."),
    h(
      "p",
      { class: "soft small-text" },
      [
        isManual && "Written by hand",
        bio?.generated_at && [isManual ? "changed " : "Written ", time(bio.generated_at)],
        text && plural(bio.word_count, "word"),
        bio && !isManual && `confidence ${percent(bio.confidence)}`,
        full && !isManual && plural(full.source_memories, "source memory", "source memories"),
      ].filter(Boolean).map((part, index) => [index > 0 && " · ", part]),
    ),
    h(
      "div",
      { class: "actions" },
      button("Write by hand", () => openBioForm(text, userId, reload), { name: "edit", kind: "small" }),
      isManual ? button("Write it from memories again", rewrite, { name: "rotate", kind: "small" }) : button("Refresh", refresh, { name: "rotate", kind: "small" }),
    ),
    earlier(userId, signal),
  );
}

/** The text, where a number after each sentence shows on hover, on focus and for good on a click the memories behind it. */
function sentences(text, sources, userId, signal) {
  if (sources.length === 0) return h("p", { class: "bio-text" }, text);
  const read = rememberingReader();
  const id = uniqueId("behind");
  const place = h("div", { class: "behind", id });
  const hint = () => h("p", { class: "soft small-text" }, "The number after a sentence shows how many memories support it. Select the number to see them.");
  let pinned = null;
  let shown = null;
  let timer;

  const mark = (element) => {
    shown?.classList.remove("shown");
    element?.classList.add("shown");
    shown = element;
  };
  const tell = (sentence, element) => {
    if (shown === element) return;
    mark(element);
    show(place, () => sourceList(sentence.memory_ids, userId, read), { signal, lines: 2 });
  };
  const pin = (sentence, element, cite) => {
    const isSame = pinned === cite;
    pinned?.setAttribute("aria-expanded", "false");
    pinned = isSame ? null : cite;
    if (isSame) {
      mark(null);
      show(place, async () => hint());
    } else {
      cite.setAttribute("aria-expanded", "true");
      tell(sentence, element);
    }
  };
  const part = (sentence) => {
    const later = () => {
      clearTimeout(timer);
      timer = setTimeout(() => !pinned && tell(sentence, element), HOVER);
    };
    const count = sentence.memory_ids.length;
    const label = `${plural(count, "memory", "memories")} behind “${sentence.text}”`;
    const cite = h("button", { type: "button", class: "cite", "aria-label": label, "aria-expanded": "false", "aria-controls": id, onfocus: later }, count);
    const element = h(
      "span",
      { class: "sentence", onclick: () => pin(sentence, element, cite), onpointerenter: later, onpointerleave: () => clearTimeout(timer) },
      sentence.text,
      "\u00a0",
      cite,
    );
    return [element, " "];
  };
  fill(place, hint());
  const pieces = sources.map((sentence) => (sentence.memory_ids?.length > 0 ? part(sentence) : [sentence.text, " "]));
  return [h("p", { class: "bio-text" }, pieces), place];
}

function openBioForm(text, userId, reload) {
  openDialog("Write the bio by hand", (close) => {
    const bio = field({ name: "bio", label: "Bio", hint: `Up to ${LONGEST} characters. It stays until you change it or switch back to the bio written from memories.`, tag: "textarea", rows: 8, required: true, value: text });
    const counter = h("p", { class: "counter soft", "aria-live": "polite" });
    const count = () => {
      const left = LONGEST - [...bio.input.value].length;
      counter.textContent = left >= 0 ? `${plural(left, "character")} left` : `${plural(-left, "character")} too many`;
      counter.classList.toggle("warn", left < 0);
    };
    bio.input.addEventListener("input", count);
    bio.element.append(counter);
    count();
    const submit = async ({ data, refuse }) => {
      const written = data.get("bio").trim();
      if ([...written].length > LONGEST) return refuse("bio", `Shorten it to ${LONGEST} characters`);
      await patch("/v1/profile/bio", { bio: written, manual_override: true, user_id: userId });
      close();
      toast("Bio saved.");
      return reload();
    };
    return form({ content: bio.element, label: "Save", cancel: close, submit });
  });
}

function earlier(userId, signal) {
  const place = h("div");
  let isLoaded = false;
  const entry = (snapshot) =>
    h("li", null, h("p", { class: "event" }, h("strong", null, REASONS[snapshot.reason] ?? snapshot.reason), h("span", { class: "soft" }, " ", time(snapshot.changed_at))), h("p", null, snapshot.bio));
  const load = async () => {
    const { snapshots } = await get("/v1/profile/history", { limit: 20, user_id: userId }, signal);
    return snapshots.length > 0 ? h("ol", { class: "timeline" }, snapshots.map(entry)) : h("p", { class: "soft" }, "There are no earlier bios.");
  };
  const open = (event) => {
    if (!event.target.open || isLoaded) return;
    isLoaded = true;
    show(place, load, { signal, lines: 3 });
  };
  return h("details", { class: "why", ontoggle: open }, h("summary", null, "Earlier bios"), place);
}
