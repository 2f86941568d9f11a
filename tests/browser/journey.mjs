// From signing up to erasing everything, as one person does it.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { heading, inBrowser, newPage, signUp, url, visit } from "./harness.mjs";

const curl = (key, path, body) => {
  const data = body ? ["-H", "Content-Type: application/json", "-d", JSON.stringify(body)] : [];
  const out = execFileSync("curl", ["-s", "-w", "\n%{http_code}", `${url}${path}`, "-H", `X-API-Key: ${key}`, ...data], { encoding: "utf8" });
  const [answer, status] = out.split(/\n(?=\d+$)/);
  return { status: Number(status), body: JSON.parse(answer) };
};

await inBrowser(async (browser) => {
  const { page, faults } = await newPage(browser);
  await signUp(page, "ada@example.com");

  await visit(page, "Keys");
  await page.getByRole("button", { name: "Create key" }).first().click();
  await page.getByLabel("Name", { exact: true }).fill("laptop");
  await page.getByRole("dialog").getByRole("radio", { name: "Custom" }).check();
  await page.getByRole("checkbox", { name: /usage:read/ }).check();
  await page.getByRole("dialog").getByRole("button", { name: "Create key" }).click();
  const key = await page.getByLabel("The new key").textContent();
  assert.match(key, /^memsync_sk_live_/);
  await page.getByRole("button", { name: "I have stored the key" }).click();
  const row = page.getByRole("row", { name: /laptop/ });
  await row.getByText("Active").waitFor();
  const who = curl(key, "/v1/auth/me");
  assert.deepEqual(who.body.scopes.sort(), ["memories:read", "memories:write", "usage:read"]);

  await visit(page, "Memories");
  await page.getByRole("heading", { name: "No memories yet" }).waitFor();
  const stored = curl(key, "/v1/memories", {
    agent_id: "assistant", thread_id: "chat-1", source: "curl",
    messages: [{ role: "user", content: "I work as a nurse in Oslo. I love rowing." }],
  });
  assert.equal(stored.status, 200, JSON.stringify(stored.body));
  // It appears by itself.
  const memory = page.getByRole("link", { name: /nurse in Oslo/ });
  await memory.waitFor();

  await memory.click();
  await page.getByText("I work as a nurse in Oslo.", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Edit" }).click();
  await page.getByLabel("Text").fill("The user works as a midwife in Oslo.");
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  const history = page.getByRole("region", { name: "History" }).or(page.locator("section, .card").filter({ has: page.getByRole("heading", { name: "History" }) }));
  await history.getByText("version 2").first().waitFor();
  await history.getByText(/works as a midwife/).first().waitFor();
  await history.getByText(/works as a nurse/).first().waitFor();

  await visit(page, "Memories");
  await page.getByLabel("Search memories").fill("Who helps at births?");
  await page.getByText(/most relevant first/).waitFor();
  await page.getByRole("link", { name: /midwife in Oslo/ }).waitFor();
  await page.getByText("Why", { exact: true }).first().click();
  await page.getByText("Relevance: ").first().waitFor({ state: "attached" });

  assert.equal(curl(key, "/v1/memories/search", { query: "rowing" }).status, 200);
  // Counts are written each second here; the page is asked again until they are there.
  const searches = page.getByRole("row", { name: /^SearchMemories/ });
  await visit(page, "Usage");
  for (let asked = 0; asked < 60 && (await searches.count()) === 0; asked += 1) {
    const answered = page.waitForResponse((response) => response.url().includes("/v1/usage"));
    await page.getByRole("button", { name: "Refresh" }).click();
    await answered;
  }
  await searches.waitFor();
  await page.getByRole("img", { name: /requests/i }).first().waitFor();

  await visit(page, "Keys");
  await page.getByRole("button", { name: "Revoke laptop" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke key" }).click();
  await row.getByText("Revoked").waitFor();
  const refused = curl(key, "/v1/memories");
  assert.deepEqual([refused.status, refused.body.error.code], [401, "AUTHENTICATION_ERROR"]);

  await visit(page, "Activity");
  await page.getByText(/revoked/i).first().waitFor();

  await visit(page, "Settings");
  await page.getByRole("button", { name: /Erase/ }).first().click();
  await page.getByRole("dialog").getByRole("textbox").fill("erase");
  await page.getByRole("dialog").getByRole("button", { name: /Erase/ }).click();
  await page.getByRole("heading", { name: "The data is erased" }).waitFor();
  await page.getByRole("button", { name: "Done" }).click();
  await visit(page, "Memories");
  await page.getByRole("heading", { name: "No memories yet" }).waitFor();

  await page.getByRole("button", { name: "Sign out" }).click();
  await heading(page, "Sign in");
  assert.deepEqual(faults, []);
});
