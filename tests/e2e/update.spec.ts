import { settled } from "../browser/control.js";
import { prelude } from "../browser/extension.js";
import { SettingsPage } from "../browser/settings.js";
import { versionFive } from "../oracle.js";
import { PREFERENCES, storageOne } from "../userdata.js";
import { dist, expect, expectStorage, test, versionOneWith } from "./extension.js";
import { spy } from "./preludes.js";

test("an update moves everything that version 1 kept", async ({ launch }) => {
  const { browser, one } = await versionOneWith(launch, storageOne());
  await browser.update(dist("2.0.0"));
  await settled(browser, 5);
  await expectStorage(browser, versionFive(one));
});

for (const [name, user_preferences] of Object.entries(PREFERENCES)) {
  test(`an update moves ${name} preferences when there is nothing else`, async ({ launch }) => {
    const { browser, one } = await versionOneWith(launch, { user_preferences });
    await browser.update(dist("2.0.0"));
    await settled(browser, 5);
    await expectStorage(browser, versionFive(one));
  });
}

test("an update moves empty collections", async ({ launch }) => {
  const { browser, one } = await versionOneWith(launch, { conversations: [], distillations: {} });
  await browser.update(dist("2.0.0"));
  await settled(browser, 5);
  await expectStorage(browser, versionFive(one));
});

test("a new installation starts at the chain's tip and keeps nothing but its preferences", async ({ launch }) => {
  const browser = await launch("2.0.0");
  await settled(browser, 5);
  await expect.poll(async () => Object.keys(await browser.readStorage())).toContain("user_preferences");
});

test("a start with nothing to do reads storage once and loads no WebAssembly", async ({ launch }) => {
  const { browser } = await versionOneWith(launch, storageOne(5));
  await browser.update(dist("2.0.0"));
  await settled(browser, 5);
  await browser.update(dist("2.0.0"), prelude(spy));
  const observer = await browser.observer();
  // The worker sets an alarm before it looks at the data and clears it when all is well.
  await expect.poll(() => observer.evaluate(async () => (await chrome.alarms.getAll()).length)).toBe(0);
  const calls = await browser.worker()?.evaluate(() => Reflect.get(globalThis, "spied") as string[]);
  expect(calls).toEqual(["storage.get"]);
});

test("pages that open while the worker is at it wait for its run and start none of their own", async ({ launch }) => {
  const { browser, one } = await versionOneWith(launch, storageOne());
  await browser.update(dist("2.0.0"));
  const [settings, other, popup] = await Promise.all([
    SettingsPage.open(browser),
    SettingsPage.open(browser),
    browser.page("popup/index.html"),
  ]);
  await settings.reaches("current");
  await other.reaches("current");
  await popup.getByTestId("conversation").first().waitFor();
  await expect(settings.snapshots()).toHaveCount(1);
  expect(await settings.outcome()).toBe("committed");
  await expectStorage(browser, versionFive(one));
});
