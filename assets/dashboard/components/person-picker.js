// Whose memories are looked at: the account's own person, or one that an app named by `user_id`.

import { get } from "../api.js";
import { fill, h } from "../dom.js";
import { plural } from "../format.js";
import { icon } from "../icons.js";
import { openDialog } from "./dialog.js";
import { field } from "./form.js";
import { button, show } from "./page.js";

export const OWN = "You (this account)";

/** What to call a person. */
export function personName(userId) {
  return userId || OWN;
}

/** A button that names the person and opens the list of all of them. */
export function personPicker(userId, choose, label = "Person") {
  const open = () => openPeople(userId, choose);
  return h(
    "button",
    { class: "button picker", type: "button", "aria-haspopup": "dialog", onclick: open },
    icon("user", 16),
    h("span", { class: "visually-hidden" }, `${label}: `),
    h("span", { class: "picker-name" }, personName(userId)),
    icon("chevron", 16),
  );
}

function openPeople(current, choose) {
  const people = [];
  let cursor;
  const filter = field({
    name: "person", label: "Find a person", hint: "Type all or part of a user_id.", type: "search", autocomplete: "off", spellcheck: "false", maxlength: 128,
  });
  const place = h("div", { class: "people" });

  openDialog("Choose a person", (close) => {
    const take = (userId) => {
      close();
      if (userId !== current) choose(userId);
    };
    const load = async () => {
      const answer = await get("/v1/users", { limit: 100, cursor });
      people.push(...answer.users);
      cursor = answer.next_cursor;
      return list();
    };
    const list = () => {
      const wanted = filter.input.value.trim();
      const own = people.find((person) => !person.user_id) ?? { memory_count: null };
      const others = people.filter((person) => person.user_id);
      const found = [own, ...others].filter((person) => personName(person.user_id).toLowerCase().includes(wanted.toLowerCase()));
      const isNew = wanted && wanted !== OWN && !people.some((person) => person.user_id === wanted);
      return [
        h("ul", { class: "people-list" }, found.map((person) => row(person, current, take))),
        found.length === 0 && h("p", { class: "soft" }, "Nobody in this list has that name."),
        isNew && button(`Use “${wanted}”`, () => take(wanted), { name: "user" }),
        cursor && button("Show more people", () => show(place, load)),
      ];
    };
    filter.input.addEventListener("input", () => fill(place, list()));
    show(place, load);
    return [filter.element, place];
  });
}

function row(person, current, take) {
  const count = person.memory_count === null ? null : plural(person.memory_count, "memory", "memories");
  return h(
    "li",
    null,
    h(
      "button",
      { type: "button", class: "person", "aria-current": person.user_id === current ? "true" : null, onclick: () => take(person.user_id) },
      h("span", { class: person.user_id ? "person-name mono" : "person-name" }, personName(person.user_id)),
      h("span", { class: "soft" }, count),
    ),
  );
}
