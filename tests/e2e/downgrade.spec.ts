import { settled } from "../browser/control.js";
import { prelude } from "../browser/extension.js";
import { SettingsPage } from "../browser/settings.js";
import { isObject } from "../json.js";
import { versionFive } from "../oracle.js";
import { storageOne } from "../userdata.js";
import { dist, expect, expectStorage, test, versionOneWith } from "./extension.js";
import { stallAt } from "./preludes.js";

test("an older build brings newer data down, and the next update brings everything up again", async ({ launch }) => {
  const { browser, one } = await versionOneWith(launch, storageOne(20));
  await browser.update(dist("2.0.0"));
  await settled(browser, 5);
  // What version 1 has no place for: it keeps a mode where version 5 keeps days.
  const five = await browser.readStorage();
  const preferences = five["user_preferences"];
  if (!isObject(preferences)) throw new Error("expected preferences, an object");
  const user_preferences = { ...preferences, privacy: { store_history: true, share_usage: true, retain_days: 3 } };
  await browser.writeStorage({ user_preferences });

  await browser.update(dist("1.0.0"));
  await settled(browser, 1);
  const settings = await SettingsPage.open(browser);
  await settings.reaches("current");
  const { user_preferences: down, ...rest } = await browser.readStorage();
  await expectStorage(browser, { ...one, user_preferences: down ?? null });
  expect(Object.keys(rest)).toContain("conversations");

  await browser.update(dist("2.0.0"));
  await settled(browser, 5);
  await expectStorage(browser, { ...versionFive(one), user_preferences });
});

test("a downgrade killed at any of its writes is finished by the next start", async ({ launch }) => {
  test.setTimeout(300_000);
  for (const nth of [2, 3, 4, 5]) {
    const { browser, one } = await versionOneWith(launch, storageOne(20));
    await browser.update(dist("2.0.0"));
    await settled(browser, 5);
    await browser.update(dist("1.0.0"), prelude(stallAt, nth, "made", ""));
    const observer = await browser.observer();
    const stalled = () => observer.evaluate(async () => (await chrome.storage.session.get("stalled")).stalled === true);
    await expect.poll(stalled, { message: `write ${nth}` }).toBe(true);
    await browser.stopWorker();
    await browser.wakeWorker();
    await settled(browser, 1);
    await expectStorage(browser, one);
    await browser.close();
  }
});
