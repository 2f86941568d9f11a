// From the link that the first start prints to the dashboard of the account that it is for.

import assert from "node:assert/strict";
import { PASSWORD, barriers, heading, inBrowser, newPage, overflow } from "./harness.mjs";

const link = process.argv[3];

/** Fills the page of the link in. */
async function setUp(page, email) {
  await page.getByLabel("E-mail address").fill(email);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Set up account" }).click();
}

await inBrowser(async (browser) => {
  const { page, faults } = await newPage(browser);
  const asked = [];
  page.on("request", (request) => asked.push(request.url()));
  await page.goto(link);
  await heading(page, "Set up your account");
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    for (const width of [1280, 360]) {
      await page.setViewportSize({ width, height: 740 });
      assert.deepEqual(await barriers(page), [], `${colorScheme}, ${width} px`);
      assert.equal(await overflow(page), 0, `${width} px`);
    }
  }
  await page.setViewportSize({ width: 1280, height: 740 });
  await setUp(page, "ada@example.com");
  await heading(page, "Overview");
  assert.doesNotMatch(page.url(), /#/, "the token has left the address");
  const token = new URL(link).hash.slice(1);
  assert.ok(asked.every((address) => !new URL(address).search.includes(token) && !new URL(address).pathname.includes(token)));
  await page.getByText("ada@example.com").first().waitFor();
  // Its first key is there.
  await page.getByRole("navigation").getByRole("link", { name: "Keys" }).click();
  await page.getByRole("row", { name: /first key/ }).waitFor();

  const other = await newPage(browser);
  await other.page.goto(link);
  await setUp(other.page, "eve@example.com");
  await other.page.getByText(/This link has been used/).waitFor();
  await other.page.goto("/dashboard/sign-in");
  await other.page.goto("/dashboard/welcome");
  await other.page.getByText(/This link is not complete/).waitFor();
  assert.deepEqual([...faults, ...other.faults], []);
});
