import { control, settled } from "../browser/control.js";
import { prelude } from "../browser/extension.js";
import { SettingsPage } from "../browser/settings.js";
import { versionFive } from "../oracle.js";
import { storageOne } from "../userdata.js";
import { dist, expect, expectStorage, test, versionOneWith } from "./extension.js";
import { corrupt, stallAt } from "./preludes.js";

const THEIRS = { theirs: "written while it moved" };

test("what somebody wrote while the data moved is listed, saved as a file and forgotten", async ({ launch }) => {
  const { browser, one } = await versionOneWith(launch, storageOne(50));
  await browser.update(dist("2.0.0"), prelude(stallAt, 4, "made", ""));
  const observer = await browser.observer();
  const stalled = () => observer.evaluate(async () => (await chrome.storage.session.get("stalled")).stalled);
  await expect.poll(stalled, { message: "a run in its middle", timeout: 30_000 }).toBe(true);
  await browser.stopWorker();
  await browser.writeStorage({ user_preferences: THEIRS });
  await browser.wakeWorker();
  await settled(browser, 5);
  await expectStorage(browser, versionFive(one));

  const settings = await SettingsPage.open(browser);
  await settings.reaches("current");
  await expect(settings.aside()).toHaveCount(1);
  await expect(settings.aside()).toContainText("1 value from outside");
  await expect(settings.aside()).toContainText("user_preferences");
  await expect(settings.aside(), "when the run began").toContainText(String(new Date().getFullYear()));
  const [header, stray] = (await settings.saveAside()).trimEnd().split("\n");
  expect(JSON.parse(header ?? "")).toEqual({ exuvia: "aside", format: 1 });
  expect(JSON.parse(stray ?? "")).toMatchObject({ kind: "stray", key: "user_preferences", value: THEIRS });

  await settings.forget();
  await expect(settings.aside()).toHaveCount(0);
  await expect(settings.page.getByTestId("aside")).toBeHidden();
  const strays = Object.keys(await browser.readStorage()).filter((key) => key.startsWith("exuvia:s:"));
  expect(strays).toEqual([]);
  await expectStorage(browser, versionFive(one));
});

test("a value that cannot be read stands in the way until it is forgotten by hand", async ({ launch }) => {
  const { browser, one } = await versionOneWith(launch, storageOne(20));
  await browser.writeStorage({ broken: "any" });
  await browser.update(dist("2.0.0"), prelude(corrupt, "broken"));
  await expect.poll(async () => (await control(browser))?.refused !== undefined, { timeout: 30_000 }).toBe(true);
  const settings = await SettingsPage.open(browser, prelude(corrupt, "broken"));
  await settings.reaches("refused");
  await expect(settings.problem()).toContainText("broken");
  await expect(settings.aside()).toContainText("1 value that cannot be read");
  await expect(settings.aside()).toContainText("broken");

  await settings.forget();
  await settings.reaches("current");
  await expect(settings.page.getByTestId("aside")).toBeHidden();
  await expectStorage(browser, versionFive(one));
});

test("a record that this version has no place for is listed and stays", async ({ launch }) => {
  const { browser } = await versionOneWith(launch, storageOne(5));
  await browser.update(dist("2.0.0"));
  await settled(browser, 5);
  await browser.writeStorage({ "exuvia:a:bookmarks:b": '{"record":{"title":"B"}}' });
  const settings = await SettingsPage.open(browser);
  await settings.reaches("current");
  await expect(settings.aside()).toContainText("1 record of bookmarks");
  await expect(settings.aside().getByTestId("forget")).toHaveCount(0);
  expect(await settings.saveAside()).toContain('"value":{"record":{"title":"B"}}');
});

test("where nothing is set aside the page does not speak of it", async ({ launch }) => {
  const { browser } = await versionOneWith(launch, storageOne(5));
  await browser.update(dist("2.0.0"));
  const settings = await SettingsPage.open(browser);
  await settings.reaches("current");
  await expect(settings.snapshots()).toHaveCount(1);
  await expect(settings.page.getByTestId("aside")).toBeHidden();
});
