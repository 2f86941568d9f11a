// What somebody stores is shown as text, wherever it is shown, whatever it says.

import assert from "node:assert/strict";
import { api, heading, inBrowser, makeKey, newPage, signUp, store } from "./harness.mjs";

const ATTACKS = [
  '<img src=x onerror="window.hacked=1">',
  '"><script>window.hacked=1</script>',
  "<svg onload=window.hacked=1>",
  "javascript:window.hacked=1",
  "{{constructor.constructor('window.hacked=1')()}}",
  "</textarea><iframe srcdoc='<script>parent.hacked=1</script>'>",
];

await inBrowser(async (browser) => {
  const { page, faults } = await newPage(browser);
  await signUp(page, "ada@example.com");
  const key = await makeKey(page);
  const ids = [];
  for (const [index, attack] of ATTACKS.entries()) {
    const [memory] = await store(key, ["I work as a nurse."], { user_id: `p${index}${attack}`, agent_id: attack, thread_id: attack, source: attack, metadata: { [attack]: attack } });
    const changed = await api(key, "PATCH", `/v1/memories/${memory.id}`, { user_id: `p${index}${attack}`, content: `Said ${attack}` });
    assert.equal(changed.status, 200, JSON.stringify(changed.body));
    ids.push([memory.id, `p${index}${attack}`, attack]);
    await page.evaluate(async (name) => {
      const token = document.cookie.split("; ").find((cookie) => cookie.startsWith("memsync_csrf=")).split("=")[1];
      const headers = { "Content-Type": "application/json", "X-CSRF-Token": token };
      await fetch("/dashboard/api/v1/api-keys", { method: "POST", headers, body: JSON.stringify({ name }) });
    }, attack);
  }
  const isUnharmed = async (where) => {
    await page.waitForLoadState("networkidle");
    assert.equal(await page.evaluate(() => window.hacked), undefined, where);
    assert.equal(await page.locator("iframe, script:not([src]), img[src=x], [onerror], [onload]").count(), 0, where);
  };
  for (const [id, person, attack] of ids) {
    const query = `user_id=${encodeURIComponent(person)}`;
    await page.goto(`/dashboard/memories?${query}`);
    await page.getByRole("link", { name: `Said ${attack}`, exact: true }).waitFor();
    await isUnharmed(`the list of ${attack}`);
    await page.goto(`/dashboard/memories?${query}&q=${encodeURIComponent(attack)}`);
    await page.getByText(/most relevant first/).waitFor();
    await isUnharmed(`the search of ${attack}`);
    await page.goto(`/dashboard/memories/${id}?${query}`);
    await page.getByText(`Said ${attack}`).first().waitFor();
    await isUnharmed(`the page of ${attack}`);
    await page.goto(`/dashboard/profile?${query}`);
    await heading(page, "Profile");
    await isUnharmed(`the profile of ${attack}`);
  }
  for (const [path, name] of [["/dashboard", "Overview"], ["/dashboard/keys", "Keys"], ["/dashboard/usage", "Usage"], ["/dashboard/activity", "Activity"], ["/dashboard/settings", "Settings"]]) {
    await page.goto(path);
    await heading(page, name);
    await isUnharmed(path);
  }
  for (const attack of ATTACKS) {
    await page.goto(`/dashboard/sign-in?next=${encodeURIComponent(attack)}`);
    await isUnharmed(`next=${attack}`);
  }
  assert.deepEqual(faults, []);
});
