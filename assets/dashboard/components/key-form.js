// Making a key.

import { post } from "../api.js";
import { h } from "../dom.js";
import { drop } from "../session.js";
import { SCOPES } from "../words.js";
import { openDialog } from "./dialog.js";
import { checkbox, choices, field, form } from "./form.js";
import { showSecret } from "./key-secret.js";
import { KEY_LIFETIMES, lifetimeField, preferredKeyLifetime } from "./lifetime.js";

const WRITES = ["memories:*", "profile:*", "integrations:*"];
const PRESETS = [
  ["write", "Read and write memories", "Memories, profiles and integrations. Right for most applications."],
  ["read", "Read only", "Search and read memories and profiles, nothing else."],
  ["all", "Everything", "Also usage, the audit log, and creating and revoking keys."],
  ["custom", "Custom", "Choose each right separately."],
];
const SCOPES_OF = {
  write: WRITES,
  read: ["memories:read", "profile:read", "integrations:read"],
  all: [...WRITES, "usage:read", "keys:*"],
};

/** Makes a key, and forgets the list that is out of date then. */
export async function createKey(request) {
  const made = await post("/v1/api-keys", request);
  drop("keys");
  return made;
}

/** Opens the form for a new key; `after` runs once it is made. */
export function openKeyForm(after) {
  openDialog("Create a key", (close) => keyForm(close, after), { isWide: true });
}

function keyForm(close, after) {
  const name = field({ name: "name", label: "Name", hint: "What uses this key, such as “chat app, production”.", required: true, maxlength: 128, autocomplete: "off" });
  const boxes = Object.entries(SCOPES).map(([scope, words]) => checkbox({ name: "scope", value: scope, label: scope, hint: words, checked: scope.startsWith("memories") }));
  const custom = h("fieldset", { class: "field scopes", "data-field": "scopes", hidden: true }, h("legend", null, "Rights"), h("div", { class: "check-grid" }, boxes));
  const preset = choices({ name: "preset", legend: "What it may do", options: PRESETS, value: "write", onchange: (value) => (custom.hidden = value !== "custom") });
  const expiry = lifetimeField({ name: "expires_in", label: "Expires", options: KEY_LIFETIMES, value: preferredKeyLifetime(), maxDays: 365 });
  const limit = field({ name: "rate_limit_per_minute", label: "Requests per minute", hint: "In addition to the account’s limits.", type: "number", min: 1, max: 1_000_000, inputmode: "numeric", isOptional: true });
  const people = field({ name: "allowed_user_ids", label: "Only these people", hint: "One user_id per line. Leave empty to allow everybody.", tag: "textarea", rows: 3, spellcheck: "false", isOptional: true });
  const addresses = field({ name: "allowed_ips", label: "Only from these addresses", hint: "One IP address or CIDR block per line.", tag: "textarea", rows: 3, spellcheck: "false", isOptional: true });
  const restrict = h(
    "details",
    { class: "more-fields" },
    h("summary", null, "Restrict", h("span", { class: "soft" }, " to people, addresses or a rate")),
    h("p", { class: "hint" }, "People and addresses can’t be changed later."),
    limit.element,
    h("div", { class: "field-pair" }, people.element, addresses.element),
  );

  const submit = async ({ data, refuse }) => {
    const scopes = SCOPES_OF[preset.value()] ?? data.getAll("scope");
    if (scopes.length === 0) return refuse("scopes", "Choose at least one right");
    const seconds = expiry.seconds(refuse);
    if (seconds === undefined) return undefined;
    const request = { name: data.get("name").trim(), scopes };
    if (seconds > 0) request.expires_in = seconds;
    if (data.get("rate_limit_per_minute")) request.rate_limit_per_minute = Number(data.get("rate_limit_per_minute"));
    for (const list of ["allowed_user_ids", "allowed_ips"]) {
      const lines = data.get(list).split("\n").map((line) => line.trim()).filter(Boolean);
      if (lines.length > 0) request[list] = lines;
    }
    const made = await createKey(request).catch((error) => {
      restrict.open ||= error.violations?.some(({ field: wrong }) => /^(rate|allowed)/.test(wrong));
      throw error;
    });
    close();
    after();
    return showSecret(`Key “${made.name}” is ready`, made.key);
  };

  return form({ content: [name.element, preset.element, custom, expiry.element, restrict], label: "Create key", cancel: close, submit });
}
