// The published JavaScript client snippet, with nothing but the base URL changed.
//
// usage: memsync_client.mjs BASE_URL API_KEY
// Exits 0 when the snippet works against the server, else 1 with what was wrong.

import assert from "node:assert/strict";

if (typeof fetch !== "function") {
  console.error(`Node.js ${process.version} has no fetch: install Node.js 18 or newer`);
  process.exit(1);
}

class MemSync {
  constructor(baseUrl, apiKey) {
    this.baseUrl = baseUrl;
    this.headers = { "X-API-Key": apiKey, "Content-Type": "application/json" };
  }

  async storeMemories(messages, agentId, threadId, source) {
    const response = await fetch(`${this.baseUrl}/v1/memories`, {
      method: "POST",
      headers: this.headers,
      body: JSON.stringify({ messages, agent_id: agentId, thread_id: threadId, source }),
    });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    return await response.json();
  }

  async searchMemories(query, limit = 10) {
    const response = await fetch(`${this.baseUrl}/v1/memories/search`, {
      method: "POST",
      headers: this.headers,
      body: JSON.stringify({ query, limit }),
    });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    return await response.json();
  }
}

const [base, key] = process.argv.slice(2);
const client = new MemSync(base, key);

const nothing = await client.searchMemories("user interests");
assert.deepEqual(nothing.memories, [], "a person with no memories has none");

const text =
  "I'm a software engineer at Google working on machine learning projects. " +
  "I love hiking and photography in my free time.";
const stored = await client.storeMemories([{ role: "user", content: text }], "snippet", "node", "test");
assert.equal(stored.success, true);
assert.ok(stored.memories_created > 0, JSON.stringify(stored));
assert.equal(stored.memories_created, stored.memories.length, JSON.stringify(stored));
assert.ok(stored.categories_detected.includes("interests"), JSON.stringify(stored));

const { memories } = await client.searchMemories("user interests", 10);
assert.ok(memories.length > 0 && memories.length <= 10, `${memories.length} memories`);
assert.ok(memories.some((memory) => memory.memory.toLowerCase().includes("hiking")), JSON.stringify(memories));
const distances = memories.map((memory) => memory.vector_distance);
assert.deepEqual(distances, [...distances].sort((a, b) => a - b), "ascending by vector_distance");

await assert.rejects(new MemSync(base, "memsync_sk_live_bad").searchMemories("user interests"), /HTTP 401/);

const good = await fetch(`${base}/healthcheck`, { headers: { "X-API-Key": key } });
assert.equal(good.status, 200);
assert.equal((await good.json()).authenticated, true);

const bad = await fetch(`${base}/healthcheck`, { headers: { "X-API-Key": "memsync_sk_live_bad" } });
assert.equal(bad.status, 401);
const problem = await bad.json();
assert.equal(problem.status_code, 401);
assert.equal(problem.detail, "Invalid authentication credentials");
