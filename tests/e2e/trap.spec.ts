import { control, settled } from "../browser/control.js";
import { prelude, type ExtensionBrowser } from "../browser/extension.js";
import { SettingsPage } from "../browser/settings.js";
import { versionFive } from "../oracle.js";
import { storageOne } from "../userdata.js";
import { dist, expect, expectStorage, test, versionOneWith } from "./extension.js";
import { stallAt, trapAt } from "./preludes.js";

/** Texts that cross in a run over the data below, from its first to beyond its middle. */
const MOMENTS = [10, 60, 200, 400];

for (const nth of MOMENTS) {
  test(`a run whose module runs out of memory at text ${nth} is finished in the same worker`, async ({ launch }) => {
    const { browser, one } = await versionOneWith(launch, storageOne(200));
    await browser.update(dist("2.0.0"), prelude(trapAt, nth));
    await expect.poll(() => session(browser, "trapped"), { message: "a trap", timeout: 30_000 }).toBe(true);
    await expect.poll(() => alarms(browser), { message: "an alarm, which the next look clears" }).toBe(1);
    expect((await control(browser))?.version, "the version of data that has not moved").toBe(1);
    await browser.wakeWorker();
    await settled(browser, 5);
    await expectStorage(browser, versionFive(one));
  });
}

test("a page whose module runs out of memory says so, and leaves its run to the worker", async ({ launch }) => {
  const { browser, one } = await versionOneWith(launch, storageOne(200));
  await browser.update(dist("2.0.0"), prelude(stallAt, 1, "not made", ""));
  await expect
    .poll(() => session(browser, "stalled"), { message: "a worker before its run", timeout: 30_000 })
    .toBe(true);
  await browser.stopWorker();
  const settings = await SettingsPage.open(browser, prelude(trapAt, 200));
  await expect(settings.problem()).toContainText("expected the module to go on, found it stopped");
  expect((await control(browser))?.version, "the version of data that has not moved").toBe(1);
  await browser.wakeWorker();
  await settled(browser, 5);
  await expectStorage(browser, versionFive(one));
  await settings.page.reload();
  await settings.reaches("current");
});

async function session(browser: ExtensionBrowser, key: string): Promise<unknown> {
  const observer = await browser.observer();
  return observer.evaluate(async (name) => (await chrome.storage.session.get(name))[name], key);
}

async function alarms(browser: ExtensionBrowser): Promise<number> {
  const observer = await browser.observer();
  return observer.evaluate(async () => (await chrome.alarms.getAll()).length);
}
