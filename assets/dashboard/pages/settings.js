// The account itself: password, how long things live, erasing data, leaving.

import { call, callWithPassword, get, patch } from "../api.js";
import { fill, h } from "../dom.js";
import { number } from "../format.js";
import { navigate } from "../router.js";
import { account, forget, signOut } from "../session.js";
import { confirm, openDialog } from "../components/dialog.js";
import { copyBlock } from "../components/copy.js";
import { field, form, passwordField } from "../components/form.js";
import { KEY_LIFETIMES, MEMORY_LIFETIMES, lifetimeField, preferKeyLifetime, preferredKeyLifetime } from "../components/lifetime.js";
import { errorWords, notice } from "../components/notice.js";
import { button, card, pageHead, show } from "../components/page.js";
import { personName, personPicker } from "../components/person-picker.js";
import { toast } from "../components/toast.js";
import { sayFarewell } from "./sign-in.js";

const CENTURY_DAYS = 36_525;

export default function settings({ root, signal }) {
  fill(
    root,
    pageHead("Settings", null),
    h("div", { class: "stack settings" }, accountCard(), passwordCard(), lifetimes(signal), erasing(), leaving()),
  );
}

function accountCard() {
  const leave = async () => {
    try {
      await signOut();
    } catch (error) {
      toast(`You are still signed in. ${errorWords(error)}`);
    }
  };
  const { requests_per_minute: requests, searches_per_minute: searches } = account.rate_limits ?? {};
  const rows = [
    ["E-mail", account.email],
    ["Account", h("code", null, account.user_id)],
    requests && ["Limits per minute", `${number(requests)} requests, ${number(searches)} searches`],
  ];
  return card(
    "Account",
    h("dl", { class: "details" }, rows.filter(Boolean).map(([name, value]) => h("div", null, h("dt", null, name), h("dd", null, value)))),
    button("Sign out", leave, { name: "signOut" }),
  );
}

function passwordCard() {
  const place = h("div");
  const restart = () => fill(place, build());
  const build = () => {
    const user = h("input", { type: "text", name: "username", autocomplete: "username", value: account.email ?? "", hidden: true });
    const current = passwordField({ name: "current_password", label: "Current password", autocomplete: "current-password", maxlength: 256 });
    const next = passwordField({ name: "new_password", label: "New password", hint: "12 to 256 characters.", autocomplete: "new-password", minlength: 12, maxlength: 256 });
    const submit = async ({ data, refuse }) => {
      if ([...data.get("new_password")].length < 12) return refuse("new_password", "Use at least 12 characters");
      try {
        await callWithPassword("POST", "/v1/auth/password", { current_password: data.get("current_password"), new_password: data.get("new_password") });
      } catch (error) {
        if (error.status === 401) return refuse("current_password", "This is not your password");
        throw error;
      }
      toast("Password changed. Every other session has ended.");
      return restart();
    };
    return form({ content: [user, current.element, next.element], label: "Change password", submit });
  };
  restart();
  return card("Password", h("p", { class: "soft" }, "Changing the password ends every other session of this account."), place);
}

function lifetimes(signal) {
  const place = h("div");
  const load = async () => {
    const found = await get("/v1/memory-settings", {}, signal);
    const life = lifetimeField({
      name: "episodic_lifetime", label: "Events and states", hint: "How long such memories are kept if they have no expiry of their own. This applies to memories stored from now on. Lasting facts are kept.",
      options: MEMORY_LIFETIMES, value: found.episodic_lifetime ?? 0, maxDays: CENTURY_DAYS,
    });
    const submit = async ({ refuse }) => {
      const seconds = life.seconds(refuse);
      if (seconds === undefined) return;
      await patch("/v1/memory-settings", { episodic_lifetime: seconds });
      toast("Saved.");
    };
    return form({ content: life.element, label: "Save", submit });
  };
  show(place, load, { signal, lines: 2 });

  const keys = lifetimeField({ name: "key_lifetime", label: "New keys expire", hint: "What this browser suggests when you create a key.", options: KEY_LIFETIMES, value: preferredKeyLifetime(), maxDays: 365 });
  const submitKeys = async ({ refuse }) => {
    const seconds = keys.seconds(refuse);
    if (seconds === undefined) return;
    preferKeyLifetime(seconds);
    toast("Saved in this browser.");
  };
  return card("Default expiry", place, h("hr"), form({ content: keys.element, label: "Save", submit: submitKeys }));
}

function erasing() {
  let person;
  const place = h("div", { class: "actions" });
  const build = () => {
    const choose = (userId) => {
      person = userId;
      build();
      place.querySelector("button").focus();
    };
    fill(place, personPicker(person, choose, "Whose data"), button("Erase data", () => askToErase(person), { kind: "danger-quiet", name: "trash" }));
  };
  build();
  return card("Erase data", h("p", { class: "soft" }, "Erases every memory of a person, with history, bios, background work and backups. Keys and the account stay. You get a signed receipt."), place);
}

function askToErase(userId) {
  const id = encodeURIComponent(userId ?? "");
  // A browser takes `..` out of a path: `user_id` still says who was meant, and the server refuses what contradicts.
  const path = userId ? `/v1/users/${id}/data?user_id=${id}` : "/v1/data";
  confirm({
    title: "Erase all of this person’s data?",
    text: [h("p", null, h("strong", null, personName(userId))), h("p", null, "This can’t be undone, and there is no backup.")],
    label: "Erase data",
    word: "erase",
    async run() {
      const answer = await call("DELETE", path);
      showReceipt(answer, userId);
    },
  });
}

function showReceipt({ erased, receipt }, userId) {
  const counts = Object.entries(erased ?? {}).map(([what, count]) => h("div", null, h("dt", null, what.charAt(0).toUpperCase() + what.slice(1)), h("dd", null, number(count))));
  openDialog(
    "The data is erased",
    (close) => [
      h("p", null, "No data is left of ", h("strong", null, personName(userId)), ". This receipt proves it; ", h("code", null, "memsync verify-receipt"), " checks it. It is shown only once."),
      h("dl", { class: "details" }, counts),
      copyBlock(receipt, "Receipt for the erasure"),
      h("div", { class: "form-buttons" }, button("Done", close, { kind: "primary" })),
    ],
    { isFirm: true, isWide: true },
  );
}

function leaving() {
  return card(
    "Delete account",
    h("p", { class: "soft" }, "Erases the account with everybody’s memories, all keys and all settings. You get a signed receipt."),
    h("div", { class: "actions" }, button("Delete account", askToDelete, { kind: "danger-quiet", name: "trash" })),
  );
}

function askToDelete() {
  openDialog("Delete this account?", (close) => {
    const password = passwordField({ name: "password", label: "Password", autocomplete: "current-password", maxlength: 256 });
    const email = field({ name: "email", label: "Type your e-mail address to confirm", hint: account.email, autocomplete: "off", spellcheck: "false", required: true });
    const submit = async ({ data, refuse }) => {
      if (data.get("email").trim().toLowerCase() !== account.email.toLowerCase()) return refuse("email", "This is not the address of this account");
      const { receipt } = await callWithPassword("DELETE", "/v1/auth/me", { password: data.get("password") });
      close();
      forget();
      sayFarewell(receipt);
      return navigate("/dashboard/sign-up", { replace: true });
    };
    const explain = (error) => error.status === 401 && notice("bad", "The password is wrong.");
    const text = h("p", null, "Every program that uses its keys stops working. This can’t be undone.");
    return form({ content: [text, email.element, password.element], label: "Delete account", kind: "danger", cancel: close, submit, explain });
  });
}
