// The words of the API in the words of people.

import { h } from "./dom.js";
import { icon } from "./icons.js";

export const CATEGORIES = [
  "identity", "career", "interests", "relationships", "health",
  "finance", "learning", "travel", "productivity", "private",
];

export const TYPES = { semantic: "Lasting fact", episodic: "Event or state" };

export const SCOPES = {
  "memories:read": "Search, list and read memories",
  "memories:write": "Store, change and delete memories",
  "profile:read": "Read profiles",
  "profile:write": "Change profiles",
  "integrations:read": "Read the status of integrations",
  "integrations:write": "Start and cancel integrations",
  "usage:read": "Read usage and the audit log",
  "keys:read": "List keys",
  "keys:write": "Create, change and revoke keys",
};

const ACTIONS = {
  "account.created": "Created the account",
  "account.set_up": "Set up the address and the password",
  "setup_link.created": "Created a link to set up the account",
  "account.deleted": "Deleted the account",
  "session.created": "Signed in",
  "session.ended": "Signed out",
  "session.refused": "A sign-in was refused",
  "session.reuse_detected": "A used session token was used again, so the session was ended",
  "password.changed": "Changed the password",
  "key.created": "Created a key",
  "key.updated": "Changed a key",
  "key.rotated": "Rotated a key",
  "key.deleted": "Revoked a key",
  "memory.deleted": "Deleted a memory",
  "memories.exported": "Exported memories",
  "memories.imported": "Imported memories",
  "memory_settings.updated": "Changed the memory settings",
  "backup.restored": "Undid a deletion",
  "person.erased": "Erased a person’s data",
  "request.refused": "A request was refused because a scope was missing",
  "oauth.granted": "Allowed a program to use the account",
  "oauth_client.created": "Registered an OAuth program",
  "oauth_client.deleted": "Removed an OAuth program",
};

const SIGNS = {
  dense: "Meaning",
  lexical: "Words",
  thread: "Rest of the conversation",
  subject: "About a person in the question",
  mention: "Mentions a person in the question",
  phrase: "Same phrase",
  attribute: "States what is asked for",
  date: "Date asked for",
  dated: "Has a date",
  recency: "Recency",
  importance: "Importance",
  length: "Length",
};

const CHANGES = {
  added: "Stored",
  updated: "Changed",
  superseded: "Replaced by a newer memory",
  reclassified: "Type or categories changed",
  restored: "Holds again",
  deleted: "Deleted",
};

/** A word with a capital. */
export function capital(word) {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/** What an audit event says was done. */
export function actionWords(action) {
  return ACTIONS[action] ?? action;
}

/** What made a version of a memory. */
export function changeWords(operation) {
  return CHANGES[operation] ?? capital(operation ?? "changed");
}

/** What a part of a score is about. */
export function signWords(name) {
  const [, side, turns] = /^(before|after)_(\d+)$/.exec(name) ?? [];
  if (side) return `${turns === "1" ? "One turn" : `${turns} turns`} ${side} fits`;
  return SIGNS[name] ?? name;
}

/** A relevance of 0 to 1 in a word. */
export function relevanceWords(score) {
  if (score >= 0.8) return "Excellent";
  if (score >= 0.6) return "Good";
  return score >= 0.4 ? "Fair" : "Weak";
}

/** The same scopes with `memories:*` and the like written out. */
export function wholeScopes(scopes) {
  const matches = (scope) => scopes.some((s) => s === scope || (s.endsWith(":*") && scope.startsWith(s.slice(0, -1))));
  return Object.keys(SCOPES).filter(matches);
}

/** Scopes in few words, such as “Memories, profile (read)”. */
export function scopeWords(scopes) {
  const whole = wholeScopes(scopes);
  if (whole.length === Object.keys(SCOPES).length) return "Everything";
  const areas = groups(whole);
  const words = [...areas].map(([area, rights]) => {
    const isAll = rights.length === 2 || area === "usage";
    return isAll ? area : `${area} (${rights[0]})`;
  });
  return words.length > 0 ? capital(words.join(", ")) : "Nothing";
}

function groups(scopes) {
  const areas = new Map();
  for (const scope of scopes) {
    const [area, right] = scope.split(":");
    areas.set(area, [...(areas.get(area) ?? []), right]);
  }
  return areas;
}

/** A chip that names a category. */
export function categoryChip(category) {
  const mark = category === "private" ? icon("lock", 12) : h("span", { class: `dot dot-${category}`, "aria-hidden": "true" });
  return h("span", { class: category === "private" ? "chip chip-private" : "chip" }, mark, category);
}
