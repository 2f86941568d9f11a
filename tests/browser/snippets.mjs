// What a new account is given to paste works as pasted: in curl, Python, JavaScript and grpcurl.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { delimiter, dirname } from "node:path";
import { inBrowser, newPage, signUp } from "./harness.mjs";

// grpcurl stands beside the Python of the tests.
const python = process.env.MEMSYNC_TEST_PYTHON ?? "python3";
const env = { ...process.env, PATH: `${dirname(python)}${delimiter}${process.env.PATH}` };
const PROGRAMS = {
  curl: (code) => ["sh", ["-e", "-c", code]],
  Python: (code) => [python, ["-c", code]],
  JavaScript: (code) => [process.execPath, ["--input-type=module", "-e", code]],
  grpcurl: (code) => ["sh", ["-e", "-c", code]],
};

await inBrowser(async (browser) => {
  const { page, faults } = await newPage(browser);
  await signUp(page, "ada@example.com");
  await page.getByLabel("Name of the key").fill("pasted");
  await page.getByRole("button", { name: "Create key" }).click();
  await page.getByLabel("The new key").waitFor();
  for (const [language, program] of Object.entries(PROGRAMS)) {
    await page.getByRole("tab", { name: language, exact: true }).click();
    const code = await page.getByLabel(`${language} code`, { exact: true }).textContent();
    const said = execFileSync(...program(code), { encoding: "utf8", env, stdio: ["ignore", "pipe", "inherit"] });
    // Its own words come back from the search, after what was stored.
    assert.ok((said.match(/compiler engineer/g) ?? []).length >= 2, `${language}: ${said}`);
  }
  // The page has been waiting for the first memory.
  await page.getByRole("link", { name: "See all memories" }).waitFor();
  assert.deepEqual(faults, []);
});
