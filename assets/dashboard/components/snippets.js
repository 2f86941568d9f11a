// Code that works as pasted: store a conversation, then search it.

import { h, uniqueId } from "../dom.js";
import { copyButton } from "./copy.js";

const SAID = "My name is Ada. I work as a compiler engineer in Oslo and I love rowing.";
const ASKED = "What does Ada do for work?";

function conversation(source, userId, role = "user") {
  return { messages: [{ role, content: SAID }], agent_id: "quickstart", thread_id: "first-chat", source, user_id: userId };
}

function question(userId) {
  return { query: ASKED, limit: 5, rerank: true, user_id: userId };
}

const json = (value) => JSON.stringify(value, null, 2);

/** JSON inside the single quotes of a shell. */
const shellJson = (value) => json(value).replaceAll("'", "'\\''");

function curl(key, userId) {
  const request = (path, body) => `curl -s '${location.origin}${path}' \\
  -H 'X-API-Key: ${key}' \\
  -H 'Content-Type: application/json' \\
  -d '${shellJson(body)}'`;
  return `# Store a conversation
${request("/v1/memories", conversation("curl", userId))}

# Search it
${request("/v1/memories/search", question(userId))}`;
}

function python(key, userId) {
  return `import json
import urllib.request

def memsync(path, body):
    request = urllib.request.Request(
        "${location.origin}" + path,
        data=json.dumps(body).encode(),
        headers={"X-API-Key": "${key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)

print(memsync("/v1/memories", ${json(conversation("python", userId))}))

found = memsync("/v1/memories/search", ${json(question(userId)).replace("true", "True")})
for memory in found["memories"]:
    print(memory["rerank_score"], memory["memory"])`;
}

function javascript(key, userId) {
  return `async function memsync(path, body) {
  const answer = await fetch("${location.origin}" + path, {
    method: "POST",
    headers: { "X-API-Key": "${key}", "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error((await answer.json()).detail);
  return answer.json();
}

console.log(await memsync("/v1/memories", ${json(conversation("javascript", userId))}));

const found = await memsync("/v1/memories/search", ${json(question(userId))});
for (const { memory, rerank_score } of found.memories) console.log(rerank_score, memory);`;
}

function grpcurl(key, userId) {
  const isPlain = location.protocol === "http:";
  const host = location.port ? location.host : `${location.hostname}:${isPlain ? 80 : 443}`;
  const request = (method, body) => `grpcurl ${isPlain ? "-plaintext " : ""}-H 'x-api-key: ${key}' \\
  -d '${shellJson(body)}' \\
  ${host} memsync.v1.MemoryService/${method}`;
  return `# Store a conversation
${request("StoreMemories", conversation("grpcurl", userId, "ROLE_USER"))}

# Search it
${request("SearchMemories", question(userId))}`;
}

const LANGUAGES = [["curl", curl], ["Python", python], ["JavaScript", javascript], ["grpcurl", grpcurl]];

/** The snippets in tabs, for a person of an app where `userId` is given. Without a key they hold a placeholder. */
export function snippets(key = "YOUR_API_KEY", userId) {
  return tabs(
    "Code to start with",
    LANGUAGES.map(([label, write]) => {
      const code = write(key, userId);
      const box = h("pre", { tabindex: 0, "aria-label": `${label} code` }, h("code", null, code));
      return [label, h("div", { class: "copy-block" }, box, copyButton(code))];
    }),
  );
}

/**
 * Tabs, moved through by the arrow keys.
 * @param entries `[[label, content]]`
 */
function tabs(label, entries) {
  const ids = entries.map(() => uniqueId("tab"));
  const select = (chosen) => {
    buttons.forEach((button, index) => {
      button.setAttribute("aria-selected", String(index === chosen));
      button.tabIndex = index === chosen ? 0 : -1;
      panels[index].hidden = index !== chosen;
    });
  };
  const move = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = (buttons.indexOf(event.currentTarget) + step + buttons.length) % buttons.length;
    select(next);
    buttons[next].focus();
  };
  const buttons = entries.map(([words], index) =>
    h("button", { type: "button", role: "tab", id: ids[index], "aria-controls": `${ids[index]}-panel`, onclick: () => select(index), onkeydown: move }, words),
  );
  const panels = entries.map(([, content], index) =>
    h("div", { role: "tabpanel", id: `${ids[index]}-panel`, "aria-labelledby": ids[index] }, content),
  );
  select(0);
  return h("div", null, h("div", { role: "tablist", "aria-label": label, class: "tablist" }, buttons), panels);
}
