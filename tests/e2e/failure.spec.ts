import { settled } from "../browser/control.js";
import { SettingsPage } from "../browser/settings.js";
import { versionFive } from "../oracle.js";
import { isObject, type Storage } from "../json.js";
import { storageOne, timelessDistillation } from "../userdata.js";
import { dist, expect, expectStorage, expectUntouched, test, versionOneWith } from "./extension.js";

/** Data of version 1 of which one record cannot become what the chain of the build 2.0.0-unfit wants. */
function storageWithTimeless(): Storage {
  const data = storageOne();
  const { distillations } = data;
  if (!isObject(distillations)) throw new Error("expected distillations by id");
  return { ...data, distillations: { ...distillations, timeless: timelessDistillation("any") } };
}

test("a chain that cannot take one record is refused before anything is written", async ({ launch }) => {
  const { browser, one } = await versionOneWith(launch, storageWithTimeless());
  await browser.update(dist("2.0.0-unfit"));
  const settings = await SettingsPage.open(browser);
  await settings.reaches("refused");
  await expect(settings.version()).toHaveText("1");
  await expect(settings.problem()).toContainText("distillation-times");
  await expect(settings.problem()).toContainText("timeless");
  await expect(settings.problem()).toContainText("/created");
  expect(await settings.problem().innerText(), "a user's value in a message").not.toContain("1e+300");
  expect(await settings.outcome()).toBe("refused");
  await expectUntouched(browser, one);
});

test("where a run was refused the popup shows the data as it will be, but for what cannot move", async ({ launch }) => {
  const { browser, one } = await versionOneWith(launch, storageWithTimeless());
  await browser.update(dist("2.0.0-unfit"));
  const settings = await SettingsPage.open(browser);
  await settings.reaches("refused");
  const popup = await browser.page("popup/index.html");
  await expect(popup.getByTestId("notice")).toBeVisible();
  await expect(popup.getByTestId("count")).toContainText("200 conversations · 30 distillations");
  await popup.getByTestId("conversation").first().click();
  await expect(popup.getByTestId("reader").getByTestId("message").first()).not.toBeEmpty();
  await expectUntouched(browser, one);
});

test("a chain that was refused is not tried again by itself, and a mended one is", async ({ launch }) => {
  const { browser, one } = await versionOneWith(launch, storageWithTimeless());
  await browser.update(dist("2.0.0-unfit"));
  const settings = await SettingsPage.open(browser);
  await settings.reaches("refused");
  const refused = await browser.readStorage();
  await browser.stopWorker();
  await browser.wakeWorker();
  await settings.page.reload();
  await settings.reaches("refused");
  expect((await browser.readStorage()).exuvia, "the control key").toEqual(refused.exuvia);

  await browser.update(dist("2.0.0"));
  await settled(browser, 5);
  await expectStorage(browser, versionFive(one));
});

test("a batch that lands damaged is found, and the old data is back to the byte", async ({ launch }) => {
  const { browser, one } = await versionOneWith(launch, storageOne(400));
  await browser.update(dist("2.0.0-damaged"));
  const observer = await browser.observer();
  const fault = () => observer.evaluate(async () => Object.keys(await chrome.storage.session.get("fault:damaged")));
  await expect.poll(fault, { message: "the fault", timeout: 30_000 }).toHaveLength(1);
  const settings = await SettingsPage.open(browser);
  await settings.reaches("refused");
  expect(await settings.outcome()).toBe("restored");
  await expectUntouched(browser, one);

  // The fault happens once: a person who tries again succeeds.
  await settings.page.getByTestId("retry").click();
  await settings.reaches("current");
  await expectStorage(browser, versionFive(one));
});

test("newer data without its chain is left alone, and is at home again after the next update", async ({ launch }) => {
  const { browser, one } = await versionOneWith(launch, storageOne(20));
  await browser.update(dist("2.0.0"));
  await settled(browser, 5);
  const chains = Object.keys(await browser.readStorage()).filter((key) => key.startsWith("exuvia:c:"));
  expect(chains).toHaveLength(1);
  await browser.removeStorage(chains);
  const five = await browser.readStorage();

  await browser.update(dist("1.0.0"));
  const settings = await SettingsPage.open(browser);
  await settings.reaches("newer");
  await expect(settings.problem()).not.toBeEmpty();
  expect(await browser.readStorage()).toEqual(five);

  await browser.update(dist("2.0.0"));
  await settled(browser, 5);
  await expectStorage(browser, versionFive(one));
});

test("without its control key the data is called lost, and a snapshot brings it back", async ({ launch }) => {
  const { browser, one } = await versionOneWith(launch, storageOne(20));
  await browser.update(dist("2.0.0"));
  await settled(browser, 5);
  await browser.removeStorage(["exuvia"]);
  await browser.stopWorker();
  const settings = await SettingsPage.open(browser);
  await settings.reaches("lost");

  await settings.restore();
  await settings.reaches("current");
  await expectStorage(browser, versionFive(one));
});

test("data that nobody knows is lost, though its control key names the chain's tip", async ({ launch }) => {
  const { browser } = await versionOneWith(launch, storageOne());
  await browser.update(dist("2.0.0"));
  await settled(browser, 5);
  const { exuvia } = await browser.readStorage();
  if (!isObject(exuvia)) throw new Error("expected a control key, an object");
  await browser.writeStorage({ exuvia: { ...exuvia, lost: true } });
  const before = await browser.readStorage();
  const settings = await SettingsPage.open(browser);
  await settings.reaches("lost");
  await expectUntouched(browser, before);
});
