// What every test of the dashboard needs: a browser, a page that reports what went wrong in it, and people.
//
// node FILE URL, with MEMSYNC_TEST_NODE_MODULES (where playwright-core and axe-core are) and MEMSYNC_TEST_CHROMIUM.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const modules = process.env.MEMSYNC_TEST_NODE_MODULES;
const require = createRequire(join(modules, "here.js"));
const { chromium } = require("playwright-core");

export const url = process.argv[2];
export const PASSWORD = "nine grey herons by the canal";
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

/** Runs a test with a browser of its own. */
export async function inBrowser(test) {
  const browser = await chromium.launch({
    executablePath: process.env.MEMSYNC_TEST_CHROMIUM,
    // Containers let nobody make the namespaces of the sandbox; the pages are this repository's own.
    args: ["--no-sandbox"],
  });
  try {
    await test(browser);
  } finally {
    await browser.close();
  }
}

/** A page of its own cookies. `faults` takes what no page may do: errors in scripts, and what the policy forbids. */
export async function newPage(browser, options = {}) {
  const context = await browser.newContext({ baseURL: url, locale: "en-GB", viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const faults = [];
  page.on("pageerror", (error) => faults.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (/Content.Security.Policy|Trusted/i.test(message.text())) faults.push(message.text());
  });
  page.on("request", (request) => {
    const isElsewhere = !request.url().startsWith(url) && !/^(data|blob):/.test(request.url());
    if (isElsewhere) faults.push(`a request to ${request.url()}`);
  });
  page.on("dialog", (dialog) => {
    faults.push(`a dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  return { page, faults };
}

/** Signs somebody up by the page for that. */
export async function signUp(page, email) {
  await page.goto("/dashboard");
  await page.getByRole("link", { name: "Create an account" }).click();
  await page.getByLabel("E-mail address").fill(email);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Create account" }).click();
  await heading(page, "Overview");
}

/** Waits until the page with this heading is shown. */
export async function heading(page, name) {
  await page.getByRole("heading", { level: 1, name }).waitFor();
}

/** Goes to a page by the navigation. */
export async function visit(page, name) {
  await page.getByRole("navigation").getByRole("link", { name }).click();
  await heading(page, name);
}

/** A key made through the page's own session, without the form. */
export async function makeKey(page) {
  const made = await page.evaluate(async () => {
    const token = document.cookie.split("; ").find((cookie) => cookie.startsWith("memsync_csrf=")).split("=")[1];
    const headers = { "Content-Type": "application/json", "X-CSRF-Token": token };
    const answer = await fetch("/dashboard/api/v1/api-keys", { method: "POST", headers, body: '{"name": "test"}' });
    return answer.json();
  });
  return made.key;
}

/** Calls the API as a program does. */
export async function api(key, method, path, body) {
  const headers = { "X-API-Key": key, "Content-Type": "application/json" };
  const answer = await fetch(url + path, { method, headers, body: body && JSON.stringify(body) });
  return { status: answer.status, body: await answer.json() };
}

/** Stores what somebody said. */
export async function store(key, words, more = {}) {
  const messages = words.map((content) => ({ role: "user", content }));
  const stored = await api(key, "POST", "/v1/memories", { messages, agent_id: "assistant", thread_id: "chat-1", source: "test", ...more });
  assert.equal(stored.status, 200, JSON.stringify(stored.body));
  return stored.body.memories;
}

/** What axe-core finds on the page that keeps people out: violations that are serious or critical. */
export async function barriers(page) {
  // By the debugger, since the page's own policy lets no foreign script in.
  await page.evaluate(AXE);
  const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  const grave = found.violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  return grave.map(({ id, nodes }) => `${id}: ${nodes.map(({ target, failureSummary }) => `${target} ${failureSummary}`).join("; ")}`);
}

/** How far the page can be scrolled sideways, in pixels. */
export function overflow(page) {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}
