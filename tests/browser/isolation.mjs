// Two people, two browsers, then one browser after the other: nobody sees anything of the other.

import assert from "node:assert/strict";
import { PASSWORD, heading, inBrowser, makeKey, newPage, signUp, store } from "./harness.mjs";

const PATHS = ["", "/keys", "/usage", "/memories", "/memories?q=quokka", "/profile", "/activity", "/settings"];
const SECRET = /quokka|ada@example\.com/i;

/** Whether any page of this session tells of Ada. */
async function assertSilent(page, id) {
  for (const path of [...PATHS, `/memories/${id}`]) {
    await page.goto(`/dashboard${path}`);
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.waitForLoadState("networkidle");
    const shown = await page.evaluate(() => document.documentElement.innerHTML);
    // The search's own words stand in its field.
    assert.doesNotMatch(path.includes("q=") ? shown.replaceAll("quokka", "") : shown, SECRET, path);
  }
}

await inBrowser(async (browser) => {
  const ada = await newPage(browser);
  await signUp(ada.page, "ada@example.com");
  const [memory] = await store(await makeKey(ada.page), ["My quokka is called Bartholomew."]);
  const bob = await newPage(browser);
  await signUp(bob.page, "bob@example.com");
  await assertSilent(bob.page, memory.id);

  await ada.page.goto(`/dashboard/memories/${memory.id}`);
  await ada.page.getByText(/Bartholomew/).first().waitFor();
  await ada.page.getByRole("button", { name: "Sign out" }).click();
  await heading(ada.page, "Sign in");
  assert.doesNotMatch(await ada.page.content(), SECRET);
  await ada.page.goBack();
  await heading(ada.page, "Sign in");
  assert.doesNotMatch(await ada.page.evaluate(() => document.body.innerText), /Bartholomew/);

  await ada.page.goto("/dashboard/sign-in");
  await ada.page.getByLabel("E-mail address").fill("bob@example.com");
  await ada.page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await ada.page.getByRole("button", { name: "Sign in" }).click();
  await heading(ada.page, "Overview");
  await assertSilent(ada.page, memory.id);

  // Two tabs of one browser: who signs out in one has signed out in the other.
  const other = await ada.page.context().newPage();
  await other.goto("/dashboard/keys");
  await heading(other, "Keys");
  await ada.page.getByRole("button", { name: "Sign out" }).click();
  await heading(ada.page, "Sign in");
  await heading(other, "Sign in");
  assert.deepEqual([...ada.faults, ...bob.faults], []);
});
