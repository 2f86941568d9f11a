// Who is signed in in this tab, and what the pages keep for them.

import { closeSession, get } from "./api.js";

/** The account: `{user_id, email, rate_limits}`, or null where nobody is signed in. */
export let account = null;

const kept = new Map();
const tabs = "BroadcastChannel" in window ? new BroadcastChannel("memsync-session") : null;

/** Asks the server who is signed in. */
export async function loadAccount() {
  account = await get("/v1/auth/me");
  return account;
}

/** Takes note of a sign-in, and tells other tabs. */
export async function signedIn() {
  const who = await loadAccount();
  tabs?.postMessage(who.user_id);
}

/** Signs out and leaves nothing of the account behind in any tab. */
export async function signOut() {
  await closeSession();
  tabs?.postMessage(null);
  leave("/dashboard/sign-in");
}

/** Forgets the account without loading anew; for a page that still has something to say. */
export function forget() {
  account = null;
  kept.clear();
  tabs?.postMessage(null);
}

/** Loads another page anew, so that this one's data is gone from memory and from the screen. */
export function leave(path) {
  document.body.replaceChildren();
  location.replace(path);
}

/** Gives what `load` gave the last time for this name. */
export function keep(name, load) {
  if (!kept.has(name)) {
    const loading = load().catch((error) => {
      kept.delete(name);
      throw error;
    });
    kept.set(name, loading);
  }
  return kept.get(name);
}

/** Loads anew what was kept under this name, the next time. */
export function drop(name) {
  kept.delete(name);
}

tabs?.addEventListener("message", ({ data }) => {
  if (account && data !== account.user_id) leave(location.pathname);
});

window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
