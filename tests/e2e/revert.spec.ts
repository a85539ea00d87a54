import { control, settled } from "../browser/control.js";
import { SettingsPage } from "../browser/settings.js";
import { isObject } from "../json.js";
import { versionFive } from "../oracle.js";
import { storageOne } from "../userdata.js";
import { dist, expect, expectStorage, test, versionOneWith } from "./extension.js";

test("a person goes back to version 1, the older extension reads it, and what was written there moves up", async ({
  launch,
}) => {
  const { browser, one } = await versionOneWith(launch, storageOne(20));
  await browser.update(dist("2.0.0"));
  await settled(browser, 5);
  const settings = await SettingsPage.open(browser);
  await settings.reaches("current");
  await settings.revert(1);
  await settings.reaches("held");
  await expect(settings.version()).toHaveText("1");
  expect(await settings.outcome()).toBe("committed");
  await expectStorage(browser, one);

  // The same build leaves it there, whatever wakes it.
  await browser.stopWorker();
  await browser.wakeWorker();
  await settings.page.reload();
  await settings.reaches("held");

  await browser.update(dist("1.0.0"));
  await settled(browser, 1);
  const older = await SettingsPage.open(browser);
  await older.reaches("current");
  await expect.poll(async () => Object.keys((await control(browser)) ?? {})).not.toContain("held");
  const preferences = (await browser.readStorage())["user_preferences"];
  if (!isObject(preferences)) throw new Error("expected preferences, an object");
  const user_preferences = { ...preferences, theme: "light" };
  await browser.writeStorage({ user_preferences });

  await browser.update(dist("2.0.0"));
  await settled(browser, 5);
  await expectStorage(browser, versionFive({ ...one, user_preferences }));
});

test("a person who went back moves up again from the page", async ({ launch }) => {
  const { browser, one } = await versionOneWith(launch, storageOne());
  await browser.update(dist("2.0.0"));
  await settled(browser, 5);
  const settings = await SettingsPage.open(browser);
  await settings.reaches("current");
  await settings.revert(2);
  await settings.reaches("held");
  await settings.page.getByTestId("retry").click();
  await settings.reaches("current");
  await expectStorage(browser, versionFive(one));
});
