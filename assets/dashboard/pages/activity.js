// The audit log in words.

import { get } from "../api.js";
import { fill, h } from "../dom.js";
import { time } from "../format.js";
import { actionWords } from "../words.js";
import { button, pageHead, show, table } from "../components/page.js";
import { empty, problem } from "../components/notice.js";
import { keyNames } from "../components/key-names.js";

export default function activity({ root, signal }) {
  const place = h("div");
  fill(root, pageHead("Activity", "Who did what to this account’s keys, memories and settings."), place);

  const events = [];
  let cursor;
  let names = new Map();

  const load = async () => {
    const [answer, found] = await Promise.all([get("/v1/audit-log", { limit: 50, cursor }, signal), keyNames()]);
    names = found;
    events.push(...answer.events);
    cursor = answer.next_cursor;
    return list();
  };

  const more = async (event) => {
    const pressed = event.currentTarget;
    pressed.disabled = true;
    const first = events.length;
    try {
      fill(place, await load());
      const row = place.querySelectorAll("tbody tr")[first];
      row?.setAttribute("tabindex", "-1");
      row?.focus({ preventScroll: true });
    } catch (error) {
      pressed.disabled = false;
      pressed.after(problem(error));
    }
  };

  const list = () => {
    if (events.length === 0) return empty("activity", "Nothing has happened yet", h("p", null, "Sign-ins, changes to keys, exports and deletions will be listed here."));
    return [table("Activity, newest first", columns(names), events), cursor && h("div", { class: "more" }, button("Load more", more))];
  };

  show(place, load, { signal, lines: 6 });
}

function who(event, names) {
  const id = event.api_key_id;
  const key = id && h("div", { class: "soft small-text", title: id }, "with the key ", names.get(id) ?? h("span", { class: "mono" }, id));
  return h("div", null, event.actor, key);
}

function columns(names) {
  const mono = (value) => (value ? h("span", { class: "mono" }, value) : h("span", { class: "soft" }, "–"));
  return [
    { label: "When", cell: (event) => time(event.occurred_at), class: "nowrap" },
    { label: "What", cell: (event) => h("span", { title: event.action }, actionWords(event.action)) },
    { label: "Who", cell: (event) => who(event, names), class: "wrap" },
    { label: "Target", cell: (event) => (names.has(event.target) ? h("span", { title: event.target }, names.get(event.target)) : mono(event.target)), class: "wrap" },
    { label: "Address", cell: (event) => mono(event.address) },
  ];
}
