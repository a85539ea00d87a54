import type { Page } from "playwright-core";
import { settled } from "../browser/control.js";
import { SettingsPage } from "../browser/settings.js";
import { isObject } from "../json.js";
import { versionFive } from "../oracle.js";
import { conversationsOne, storageOne } from "../userdata.js";
import { dist, expect, expectStorage, test, versionOneWith } from "./extension.js";

/** The ids of all rows of the popup's list, scrolling to its end: it draws them as a person comes to them. */
async function allRows(popup: Page, kind: "conversation" | "distillation"): Promise<string[]> {
  const rows = popup.getByTestId(kind);
  await rows.first().waitFor();
  for (let count = -1; count !== (await rows.count());) {
    count = await rows.count();
    await rows.last().scrollIntoViewIfNeeded();
    // Two frames: one for the observer of the list's end, one for the rows it adds.
    await popup.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
  }
  return rows.evaluateAll((items) => items.map((item) => item.getAttribute("data-id") ?? ""));
}

test("the popup shows every conversation and distillation after the update", async ({ launch }) => {
  const { browser, one } = await versionOneWith(launch, storageOne());
  await browser.update(dist("2.0.0"));
  await settled(browser, 5);
  const popup = await browser.page("popup/index.html");
  await expect(popup.getByTestId("count")).toContainText("200 conversations · 30 distillations");
  const ids = conversationsOne(200).map(({ id }) => id);
  await expect.poll(async () => (await allRows(popup, "conversation")).sort()).toEqual(ids.sort());
  await popup.getByTestId("tab-distillations").click();
  const { distillations } = one;
  const notes = isObject(distillations) ? Object.keys(distillations) : [];
  expect((await allRows(popup, "distillation")).sort()).toEqual(notes.sort());
});

test("the popup finds a conversation by words of a message, and shows it whole", async ({ launch }) => {
  const needle = "a zyzzyva in the archive";
  const data = storageOne(60);
  const [found] = conversationsOne(1);
  const messages = [
    { sender: "human", text: `Is there ${needle}?`, time: 1.5 },
    { sender: "tool", text: "<b>looked</b>", time: null },
    { sender: "assistant", text: "", time: 2 },
  ];
  const { browser } = await versionOneWith(launch, { ...data, conversations: [{ ...found, id: "found", messages }] });
  await browser.update(dist("2.0.0"));
  await settled(browser, 5);
  const popup = await browser.page("popup/index.html");
  await popup.getByTestId("search").fill("ARCHIVE zyzzyva");
  await expect(popup.getByTestId("conversation")).toHaveAttribute("data-id", "found");
  await popup.getByTestId("conversation").click();
  const shown = popup.getByTestId("reader").getByTestId("message");
  await expect(shown).toHaveCount(3);
  await expect(shown.nth(0)).toContainText(needle);
  await expect(shown.nth(1)).toContainText("<b>looked</b>");
  await popup.getByTestId("back").click();
  await popup.getByTestId("search").fill("no such words anywhere");
  await expect(popup.getByTestId("conversation")).toHaveCount(0);
});

test("a snapshot restored by hand brings back exactly what was in it", async ({ launch }) => {
  const { browser, one } = await versionOneWith(launch, storageOne(50));
  await browser.update(dist("2.0.0"));
  await settled(browser, 5);
  const five = versionFive(one);
  const [changed, removed] = Object.keys(five).filter((key) => key.startsWith("conversation:"));
  if (!changed || !removed) throw new Error("expected at least two conversations");
  await browser.writeStorage({ [changed]: { ...(five[changed] as object), title: "changed" }, "conversation:new": {} });
  await browser.removeStorage([removed]);

  const settings = await SettingsPage.open(browser);
  await settings.reaches("current");
  await expect(settings.snapshots()).toHaveCount(1);
  await settings.restore();
  await expect
    .poll(() => settings.snapshots().count(), { message: "a snapshot from before the restore" })
    .toBeGreaterThan(1);
  await settings.reaches("current");
  await expect(settings.version()).toHaveText("5");
  await expectStorage(browser, five);
});

test("a person who changes their mind restores nothing", async ({ launch }) => {
  const { browser, one } = await versionOneWith(launch, storageOne(5));
  await browser.update(dist("2.0.0"));
  await settled(browser, 5);
  await browser.writeStorage({ "distillation:new": { body: "later" } });
  const settings = await SettingsPage.open(browser);
  await settings.reaches("current");
  await settings.snapshots().first().getByTestId("restore").click();
  await settings.page.getByTestId("dialog-cancel").click();
  await expect(settings.page.getByTestId("dialog")).toBeHidden();
  await expectStorage(browser, { ...versionFive(one), "distillation:new": { body: "later" } });
});

test("preferences are saved where their version keeps them, with all else in the record as it was", async ({
  launch,
}) => {
  const { browser, one } = await versionOneWith(launch, storageOne(5));
  const settings = await SettingsPage.open(browser);
  await settings.page.getByTestId("preference-privacy").selectOption("strict");
  await settings.page.getByTestId("preferences-save").click();
  const saved = async () => (await browser.readStorage()).user_preferences;
  const before = one.user_preferences;
  if (!isObject(before)) throw new Error("expected preferences");
  await expect.poll(saved).toEqual({ ...before, privacy_mode: "strict" });

  await browser.update(dist("2.0.0"));
  await settled(browser, 5);
  const five = versionFive({ user_preferences: { ...before, privacy_mode: "strict" } }).user_preferences;
  expect(await saved()).toEqual(five);
});
