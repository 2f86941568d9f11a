// The keys of the account: make, change, replace, revoke.

import { get, patch, post, remove } from "../api.js";
import { fill, h } from "../dom.js";
import { DAY, number, plural, time } from "../format.js";
import { drop } from "../session.js";
import { capital, scopeWords, wholeScopes } from "../words.js";
import { confirm, openDialog } from "../components/dialog.js";
import { choices, field, form } from "../components/form.js";
import { openKeyForm } from "../components/key-form.js";
import { showSecret } from "../components/key-secret.js";
import { button, iconButton, pageHead, segments, show, table } from "../components/page.js";
import { empty } from "../components/notice.js";
import { toast } from "../components/toast.js";

const PAGE = 50;
const STATES = [["", "All"], ["active", "Active"], ["expired", "Expired"], ["revoked", "Revoked"]];
const GRACE = [
  ["0", "At once", "The old key stops working immediately."],
  ["3600", "1 hour"],
  ["86400", "1 day"],
  ["604800", "7 days", "Gives you time to replace it everywhere."],
];

export default function keys({ root, query, signal, keepQuery }) {
  let status = STATES.some(([state]) => state === query.get("status")) ? query.get("status") : "";
  let offset = Math.max(0, Number(query.get("offset")) || 0);
  const place = h("div");

  const reload = () => {
    drop("keys");
    keepQuery({ status, offset: offset || "" });
    return show(place, load, { signal, lines: 5 });
  };
  const choose = (state) => {
    status = state;
    offset = 0;
    reload();
  };
  const turn = (to) => {
    offset = Math.max(0, to);
    scrollTo(0, 0);
    reload();
  };

  const load = async () => {
    const { api_keys: found, total, has_more: hasMore } = await get("/v1/api-keys", { status, limit: PAGE, offset }, signal);
    if (found.length === 0) return offset > 0 ? button("Back to the first keys", () => turn(0)) : nothing(status, reload);
    return [
      table("API keys, newest first", columns(reload), found, { rowClass: (key) => (key.status === "active" ? null : "muted") }),
      (hasMore || offset > 0) && pager(offset, found.length, total, hasMore, turn),
    ];
  };

  fill(
    root,
    pageHead("Keys", "Programs use a key to access this account.", button("Create key", () => openKeyForm(reload), { kind: "primary", name: "plus" })),
    h("div", { class: "toolbar" }, segments("Show keys", STATES, status, choose)),
    place,
  );
  reload();
}

function nothing(status, reload) {
  if (status) return empty("keys", `No ${status} keys`, h("p", null, "Choose another state to see the others."));
  return empty(
    "keys",
    "No keys yet",
    h("p", null, "Create one, and your application can store and search memories with it."),
    button("Create key", () => openKeyForm(reload), { kind: "primary", name: "plus" }),
  );
}

function pager(offset, count, total, hasMore, turn) {
  return h(
    "nav",
    { class: "pager", "aria-label": "Pages of keys" },
    button("Newer", () => turn(offset - PAGE), { disabled: offset === 0 }),
    h("span", null, `${number(offset + 1)}–${number(offset + count)} of ${number(total)}`),
    button("Older", () => turn(offset + PAGE), { disabled: !hasMore }),
  );
}

function columns(reload) {
  return [
    { label: "Name", cell: (key) => h("div", { class: "key-name" }, h("strong", null, key.name), h("span", { class: "mono soft" }, key.key_hint)) },
    { label: "May use", cell: rights, class: "wrap" },
    { label: "Status", cell: (key) => h("span", { class: `chip chip-${key.status}` }, capital(key.status)) },
    { label: "Last used", cell: (key) => (key.last_used ? time(key.last_used) : h("span", { class: "soft" }, "Never")), class: "nowrap" },
    { label: "Created", cell: (key) => time(key.created_at, "day"), class: "nowrap" },
    { label: "Expires", cell: expiry, class: "nowrap" },
    { label: "Actions", isHidden: true, cell: (key) => key.status === "active" && actions(key, reload), class: "row-actions" },
  ];
}

function rights(key) {
  const limits = [
    key.rate_limit_per_minute && `${number(key.rate_limit_per_minute)} per minute`,
    key.allowed_user_ids?.length && `${plural(key.allowed_user_ids.length, "person", "people")} only`,
    key.allowed_ips?.length && `${plural(key.allowed_ips.length, "address", "addresses")} only`,
  ].filter(Boolean);
  const title = [...wholeScopes(key.scopes), ...(key.allowed_user_ids ?? []), ...(key.allowed_ips ?? [])].join("\n");
  return h("div", { title }, scopeWords(key.scopes), limits.length > 0 && h("div", { class: "soft small-text" }, limits.join(" · ")));
}

function expiry(key) {
  if (!key.expires_at) return h("span", { class: "soft" }, "Never");
  const isSoon = key.status === "active" && new Date(key.expires_at) - Date.now() < 7 * DAY * 1000;
  return h("span", { class: isSoon ? "warn" : null }, time(key.expires_at));
}

function actions(key, reload) {
  return [
    iconButton("edit", `Edit ${key.name}`, () => edit(key, reload)),
    iconButton("rotate", `Rotate ${key.name}`, () => rotate(key, reload)),
    iconButton("trash", `Revoke ${key.name}`, () => revoke(key, reload)),
  ];
}

const pathOf = (key) => `/v1/api-keys/${encodeURIComponent(key.api_key_id)}`;

function edit(key, reload) {
  openDialog(`Edit “${key.name}”`, (close) => {
    const name = field({ name: "name", label: "Name", required: true, maxlength: 128, value: key.name, autocomplete: "off" });
    const limit = field({
      name: "rate_limit_per_minute", label: "Requests per minute", hint: "Leave empty for no limit of its own.", type: "number", min: 1, max: 1_000_000, inputmode: "numeric",
      value: key.rate_limit_per_minute ?? "", isOptional: true,
    });
    const submit = async ({ data }) => {
      await patch(pathOf(key), { name: data.get("name").trim(), rate_limit_per_minute: Number(data.get("rate_limit_per_minute")) });
      close();
      toast("Key changed.");
      reload();
    };
    return form({ content: [name.element, limit.element], label: "Save", cancel: close, submit });
  });
}

function rotate(key, reload) {
  openDialog(`Rotate “${key.name}”`, (close) => {
    const grace = choices({ name: "grace_period", legend: "When does the old key stop working?", options: GRACE, value: "86400" });
    const submit = async () => {
      const made = await post(`${pathOf(key)}/rotate`, { grace_period: Number(grace.value()) });
      close();
      reload();
      showSecret(`The new key for “${made.name}”`, made.key);
    };
    return form({ content: [h("p", null, "You get a new key with the same name and rights."), grace.element], label: "Rotate key", cancel: close, submit });
  });
}

function revoke(key, reload) {
  confirm({
    title: "Revoke this key?",
    text: [
      h("p", null, h("strong", null, key.name), " ", h("span", { class: "mono soft" }, key.key_hint)),
      h("p", null, "Every program that uses it will be refused from now on. This can’t be undone."),
    ],
    label: "Revoke key",
    async run() {
      await remove(pathOf(key));
      toast(`“${key.name}” is revoked.`);
      reload();
    },
  });
}
