// From a new account to its first memory: make a key, run a command, see the memory come in.

import { get } from "../api.js";
import { fill, h, poll } from "../dom.js";
import { plural } from "../format.js";
import { icon } from "../icons.js";
import { field, form } from "./form.js";
import { createKey } from "./key-form.js";
import { secret } from "./key-secret.js";
import { memoryRow } from "./memory.js";
import { button } from "./page.js";
import { snippets } from "./snippets.js";

const WAIT = 3_000;

/** The three steps, of which the first is done where there is a key already. */
export function firstSteps(keys, signal) {
  const active = keys.filter((key) => key.status === "active");
  const code = h("div", null, snippets());
  const first = step(1, "Create a key");
  const second = step(2, "Store a conversation and search it");
  const third = step(3, "See your first memory");

  const ask = () => {
    const name = field({ name: "name", label: "Name of the key", value: "My first key", required: true, maxlength: 128, autocomplete: "off" });
    const submit = async ({ data }) => {
      const made = await createKey({ name: data.get("name").trim() });
      first.finish();
      fill(first.body, secret(made.key));
      first.body.querySelector("code").focus();
      fill(code, snippets(made.key));
      fill(second.lead, "Run this in a terminal. Your key is filled in.");
    };
    fill(first.body, form({ content: name.element, label: "Create key", submit }));
  };

  fill(second.lead, "Run this in a terminal, with your own key.");
  fill(second.body, code);
  if (active.length > 0) {
    first.finish();
    const words = active.length === 1 ? `You have the key “${active[0].name}”.` : `You have ${active.length} keys.`;
    fill(first.body, h("p", null, `${words} Replace YOUR_API_KEY below with your key. `, button("Create another", ask, { kind: "small" })));
  } else {
    fill(first.lead, "Your application uses it to access this account.");
    ask();
  }
  watchForMemory(third, second, signal);
  return h("ol", { class: "steps" }, first.element, second.element, third.element);
}

function step(count, title) {
  const mark = h("span", { class: "step-mark", "aria-hidden": "true" }, count);
  const lead = h("p", { class: "soft" });
  const body = h("div");
  const element = h("li", { class: "card step" }, mark, h("div", { class: "step-main" }, h("h2", null, title), lead, body));
  const finish = () => {
    element.classList.add("done");
    fill(mark, icon("check", 16));
  };
  return { element, lead, body, finish };
}

/** Puts the first memories into the last step as soon as they are stored. */
function watchForMemory(last, before, signal) {
  fill(last.body, waiting("Waiting for a memory. It will appear here."));
  whenMemories(signal, ({ data, pagination }) => {
    before.finish();
    last.finish();
    fill(
      last.body,
      h("p", { role: "status" }, `${plural(pagination.total_items, "memory has", "memories have")} arrived.`),
      h("ul", { class: "memory-list arriving" }, data.map((memory) => memoryRow(memory))),
      h("p", { class: "card-foot" }, h("a", { class: "button primary", href: "/dashboard/memories" }, "See all memories")),
    );
  });
}

/** A line that something is being waited for. */
export function waiting(words) {
  return h("p", { class: "waiting", role: "status" }, h("span", { class: "pulse", "aria-hidden": "true" }), words);
}

/** Looks every three seconds, while the tab is visible, whether a person has memories, and tells once. */
export function whenMemories(signal, tell, userId) {
  const look = async () => {
    const page = await get("/v1/memories", { page_size: 5, user_id: userId }, signal);
    if (page.pagination.total_items === 0 || signal.aborted) return false;
    tell(page);
    return true;
  };
  poll(look, WAIT, signal);
}
