// Every page is for everybody: nothing that axe-core calls serious, light and dark; none is wider than a small phone.

import assert from "node:assert/strict";
import { barriers, heading, inBrowser, makeKey, newPage, overflow, signUp, store } from "./harness.mjs";

const PAGES = [
  ["/dashboard", "Overview"],
  ["/dashboard/keys", "Keys"],
  ["/dashboard/usage", "Usage"],
  ["/dashboard/memories", "Memories"],
  ["/dashboard/memories?q=work", "Memories"],
  ["/dashboard/profile", "Profile"],
  ["/dashboard/activity", "Activity"],
  ["/dashboard/settings", "Settings"],
  ["/dashboard/nowhere", /.+/],
];

/** Looks at the page that is shown, in both themes and as on a phone. */
async function judge(page, name, found) {
  await page.waitForLoadState("networkidle");
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    for (const barrier of await barriers(page)) found.push(`${name}, ${colorScheme}: ${barrier}`);
  }
  await page.setViewportSize({ width: 360, height: 740 });
  const wide = await overflow(page);
  if (wide > 0) found.push(`${name}: ${wide} px wider than a phone of 360`);
  for (const barrier of await barriers(page)) found.push(`${name}, 360 px: ${barrier}`);
  await page.setViewportSize({ width: 1280, height: 900 });
}

await inBrowser(async (browser) => {
  const { page, faults } = await newPage(browser);
  const found = [];
  for (const [path, name] of [["/dashboard/sign-in", "Sign in"], ["/dashboard/sign-up", "Create an account"]]) {
    await page.goto(path);
    await heading(page, name);
    await judge(page, path, found);
  }
  await signUp(page, "ada@example.com");
  await judge(page, "a new account", found);
  const key = await makeKey(page);
  const memories = await store(key, [
    "My name is Ada and I work as a nurse in Oslo. I love rowing.",
    "My sister Anna lives in Bergen. I am learning Japanese.",
    "My password for the bank is hunter2-and-more.",
    "I moved to Bergen last week. I love chess.",
  ]);
  for (const [path, name] of [...PAGES, [`/dashboard/memories/${memories[0].id}`, /.+/]]) {
    await page.goto(path);
    await heading(page, name);
    await judge(page, path, found);
  }
  for (const [path, name, button] of [
    ["/dashboard/keys", "Keys", "Create key"],
    ["/dashboard/keys", "Keys", "Revoke test"],
    [`/dashboard/memories/${memories[0].id}`, /.+/, "Edit"],
  ]) {
    await page.goto(path);
    await heading(page, name);
    await page.getByRole("button", { name: button }).first().click();
    await page.getByRole("dialog").waitFor();
    await judge(page, `the dialog of ${button}`, found);
  }
  await page.goto("/docs");
  await page.getByRole("heading", { level: 1 }).waitFor();
  await judge(page, "/docs", found);
  assert.deepEqual(found, []);
  assert.deepEqual(faults, []);
});
