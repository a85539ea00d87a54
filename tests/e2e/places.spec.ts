import { control, settled } from "../browser/control.js";
import { prelude, type ExtensionBrowser, type Prelude } from "../browser/extension.js";
import { SettingsPage } from "../browser/settings.js";
import { versionFive } from "../oracle.js";
import { storageOne } from "../userdata.js";
import { dist, expect, expectStorage, expectUntouched, test, versionOneWith } from "./extension.js";
import { closeDatabase, closeFiles, stallAt } from "./preludes.js";

/** A write in the middle of the run: records have been set, and more are to come. */
const MIDDLE = 5;

const PLACES: Record<string, Prelude> = { files: prelude(closeFiles), IndexedDB: prelude(closeDatabase) };

test("without files a run keeps its snapshot in IndexedDB, and it is restored from there", async ({ launch }) => {
  const { browser, one } = await versionOneWith(launch, storageOne(50));
  await browser.update(dist("2.0.0"), prelude(closeFiles));
  await settled(browser, 5);
  await expectStorage(browser, versionFive(one));
  expect(await files(browser)).toEqual([]);

  // The page can open files, and finds the snapshot all the same.
  await browser.update(dist("1.0.0"));
  await settled(browser, 1);
  await expectStorage(browser, one);
  const settings = await SettingsPage.open(browser);
  await settings.reaches("current");
  await expect(settings.snapshots()).toHaveCount(2);
  await settings.restore(1);
  await expect(settings.snapshots()).toHaveCount(3);
  await settings.reaches("current");
  await expectUntouched(browser, one);
});

for (const [place, closed] of Object.entries(PLACES)) {
  test(`a run whose snapshot cannot be reached for want of ${place} waits until it can`, async ({ launch }) => {
    const { browser, one } = await versionOneWith(launch, storageOne(400));
    await browser.update(dist("2.0.0"), prelude(stallAt, MIDDLE, "made", ""));
    const observer = await browser.observer();
    const stalled = () => observer.evaluate(async () => (await chrome.storage.session.get("stalled")).stalled);
    await expect.poll(stalled, { message: "a run in its middle", timeout: 30_000 }).toBe(true);
    await browser.stopWorker();
    const half = await browser.readStorage();

    await browser.update(dist("2.0.0"), closed);
    await expect.poll(() => attempts(browser), { message: "a start that finds the run", timeout: 30_000 }).toBe(2);
    await browser.stopWorker();
    expect((await control(browser))?.lost).not.toBe(true);
    await expectUntouched(browser, half);

    await browser.update(dist("2.0.0"));
    await settled(browser, 5);
    await expectStorage(browser, versionFive(one));
  });
}

test("without IndexedDB a run is refused, says why, and is tried again by the next start", async ({ launch }) => {
  const { browser, one } = await versionOneWith(launch, storageOne(50));
  await browser.update(dist("2.0.0"), prelude(closeDatabase));
  await expect.poll(async () => (await control(browser))?.refused !== undefined, { timeout: 30_000 }).toBe(true);
  const settings = await SettingsPage.open(browser, prelude(closeDatabase));
  await settings.reaches("refused");
  await expect(settings.problem()).toContainText("expected a place to keep a snapshot in, found none");
  await expectUntouched(browser, one);

  await settings.page.close();
  await browser.update(dist("2.0.0"));
  await settled(browser, 5);
  await expectStorage(browser, versionFive(one));
});

test("data without its control key is not judged where IndexedDB cannot be opened", async ({ launch }) => {
  const { browser } = await versionOneWith(launch, storageOne(50));
  await browser.update(dist("2.0.0"), prelude(closeDatabase));
  await expect.poll(async () => (await control(browser))?.refused !== undefined, { timeout: 30_000 }).toBe(true);
  await browser.removeStorage(["exuvia"]);
  const before = await browser.readStorage();
  const settings = await SettingsPage.open(browser, prelude(closeDatabase));
  await expect(settings.page.locator('[data-state="unopened"]')).toBeVisible();
  await expect(settings.problem()).toContainText("open IndexedDB");
  expect(await browser.readStorage()).toEqual(before);

  await settings.page.close();
  const sound = await SettingsPage.open(browser);
  await sound.reaches("lost");
});

/** The names of the files that snapshots are in. */
async function files(browser: ExtensionBrowser): Promise<string[]> {
  const observer = await browser.observer();
  return observer.evaluate(async () => {
    const names: string[] = [];
    const root = await navigator.storage.getDirectory();
    for await (const name of (await root.getDirectoryHandle("exuvia", { create: true })).keys()) names.push(name);
    return names;
  });
}

/** How often a run was begun or taken up. */
async function attempts(browser: ExtensionBrowser): Promise<number | undefined> {
  const run = (await control(browser))?.run as { attempts: number } | undefined;
  return run?.attempts;
}
