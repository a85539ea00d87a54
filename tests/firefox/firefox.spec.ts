import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test as base } from "@playwright/test";
import { compare, compareBytes, describe } from "../compare.js";
import { isObject, type Storage } from "../json.js";
import { writeImport } from "../kill/data.js";
import { versionFive, withoutControl } from "../oracle.js";
import { storageOne } from "../userdata.js";
import { differingClones, keepClones } from "./clones.js";
import { FirefoxBrowser } from "./firefox.js";
import { FirefoxSettings } from "./settings.js";

type Build = "1.0.0-firefox" | "2.0.0-firefox";

type Launch = (build: Build, preferences?: Record<string, unknown>) => Promise<FirefoxBrowser>;

const test = base.extend<{ launch: Launch }>({
  // eslint-disable-next-line no-empty-pattern -- Playwright reads from the pattern which fixtures are wanted.
  launch: async ({}, use) => {
    const launched: FirefoxBrowser[] = [];
    await use(async (build, preferences) => {
      const browser = await FirefoxBrowser.launch(dist(build), preferences);
      launched.push(browser);
      return browser;
    });
    for (const browser of launched) await browser.close();
  },
});

function dist(build: Build): string {
  return join(import.meta.dirname, "../../dist", build);
}

async function versionOneWith(browser: FirefoxBrowser, data: Storage): Promise<Storage> {
  await browser.settles(1);
  await browser.writeStorage(data);
  return browser.readStorage();
}

async function expectStorage(browser: FirefoxBrowser, expected: Storage): Promise<void> {
  const differences = compare(expected, await browser.readStorage());
  expect(differences.length, `differences between what is expected and stored:\n${describe(differences)}`).toBe(0);
}

async function expectUntouched(browser: FirefoxBrowser, before: Storage): Promise<void> {
  const differences = compareBytes(before, await browser.readStorage());
  expect(differences.length, `differences between storage before and after:\n${describe(differences)}`).toBe(0);
}

test("an update moves everything that version 1 kept, and a restore undoes what came after", async ({ launch }) => {
  const browser = await launch("1.0.0-firefox");
  const one = await versionOneWith(browser, storageOne());
  await browser.install(dist("2.0.0-firefox"));
  await browser.settles(5);
  await expectStorage(browser, versionFive(one));

  const five = await browser.readStorage();
  const [key = ""] = Object.keys(five).filter((name) => name.startsWith("conversation:"));
  const { [key]: record = null } = five;
  if (!isObject(record)) throw new Error("expected a conversation");
  await browser.writeStorage({ [key]: { ...record, title: "spoilt" }, "conversation:born": { ...record, id: "born" } });
  const settings = await FirefoxSettings.open(browser);
  await settings.reaches("current");
  // The snapshot is of version 1; what it holds is moved up again.
  await settings.restore();
  await expect.poll(async () => compare(versionFive(one), await browser.readStorage()).length).toBe(0);
  await browser.settles(5);
});

test("without a file system an update keeps its snapshot in IndexedDB, and a restore finds it there", async ({
  launch,
}) => {
  const browser = await launch("1.0.0-firefox", { "dom.fs.enabled": false });
  const one = await versionOneWith(browser, storageOne(50));
  await browser.install(dist("2.0.0-firefox"));
  await browser.settles(5);
  await expectStorage(browser, versionFive(one));
  const observer = await browser.observer();
  expect(await observer.evaluate(() => "getDirectory" in navigator.storage), "whether there are files").toBe(false);

  await browser.writeStorage({ "conversation:born": { id: "born" } });
  const settings = await FirefoxSettings.open(browser);
  await settings.reaches("current");
  await settings.restore();
  await expect.poll(async () => compare(versionFive(one), await browser.readStorage()).length).toBe(0);
  await browser.settles(5);
});

test("an export imported into a new installation gives the same data", async ({ launch }) => {
  const browser = await launch("1.0.0-firefox");
  const one = await versionOneWith(browser, storageOne(50));
  await browser.install(dist("2.0.0-firefox"));
  await browser.settles(5);
  const settings = await FirefoxSettings.open(browser);
  await settings.reaches("current");
  const file = await settings.export();

  const other = await launch("2.0.0-firefox");
  await other.settles(5);
  const there = await FirefoxSettings.open(other);
  await there.reaches("current");
  await there.import(file, "replace");
  const own = /^(user_preferences$|conversation:|distillation:)/;
  const collections = Object.entries(versionFive(withoutControl(one))).filter(([key]) => own.test(key));
  await expectStorage(other, Object.fromEntries(collections));
});

test("what is no JSON comes through an update, and back by a restore", async ({ launch }) => {
  const browser = await launch("1.0.0-firefox");
  await versionOneWith(browser, storageOne(5));
  const observer = await browser.observer();
  await observer.evaluate(keepClones);
  await browser.install(dist("2.0.0-firefox"));
  await browser.settles(5);
  const page = await browser.observer();
  expect(await page.evaluate(differingClones)).toEqual([]);

  await page.evaluate(() => chrome.storage.local.set({ clones: "gone" }));
  const settings = await FirefoxSettings.open(browser);
  await settings.reaches("current");
  await settings.restore();
  await expect.poll(() => page.evaluate(differingClones), { timeout: 30_000 }).toEqual([]);
  await browser.settles(5);
  expect(await page.evaluate(differingClones)).toEqual([]);
});

for (const [what, spoil, found] of [
  ["of which no copy can be saved", () => chrome.storage.local.set({ file: { at: new Blob(["x"]) } }), 'Blob at "/at"'],
  ["that a record's schema does not know", spoilTime, "create_time"],
] as const) {
  test(`a value ${what} is refused by name, with nothing written`, async ({ launch }) => {
    const browser = await launch("1.0.0-firefox");
    await versionOneWith(browser, storageOne(5));
    await (await browser.observer()).evaluate(spoil);
    const spoilt = await browser.readStorage();
    await browser.install(dist("2.0.0-firefox"));
    const settings = await FirefoxSettings.open(browser);
    await settings.reaches("refused");
    expect(await settings.problem()).toContain(found);
    await expectUntouched(browser, spoilt);
  });
}

test("a record of which Firefox would drop a part is not brought in", async ({ launch }, { outputDir }) => {
  const browser = await launch("1.0.0-firefox");
  const before = await versionOneWith(browser, storageOne(5));
  // Storage drops members that go by the name of one that every object inherits.
  const record = { id: "born", title: "", create_time: 1, update_time: 1, messages: [], constructor: 1 };
  const file = join(outputDir, "import.jsonl");
  await mkdir(outputDir, { recursive: true });
  await writeImport(file, { conversations: [record], distillations: {} });
  const settings = await FirefoxSettings.open(browser);
  await settings.reaches("current");
  await expect(settings.import(file, "take")).rejects.toThrow('"conversation');
  await expectUntouched(browser, before);
});

/** Makes the first conversation's time a date. Its text alone gets to the page. */
async function spoilTime(): Promise<void> {
  const { conversations } = await chrome.storage.local.get<{ conversations: object[] }>("conversations");
  const [first, ...others] = conversations;
  await chrome.storage.local.set({ conversations: [{ ...first, create_time: new Date(0) }, ...others] });
}
