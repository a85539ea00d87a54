import { settled } from "../browser/control.js";
import type { ExtensionBrowser } from "../browser/extension.js";
import { SettingsPage, type ChosenFile } from "../browser/settings.js";
import { compare, describe } from "../compare.js";
import { conversations } from "../generator.js";
import { missing } from "../imported.js";
import { isObject, type Json, type Storage } from "../json.js";
import { isoTime, versionFive } from "../oracle.js";
import { storageOne } from "../userdata.js";
import { CLAUDE, CLAUDE_AT_FIVE } from "./claude.js";
import { dist, expect, expectStorage, test, versionOneWith } from "./extension.js";

/** Without the keys that belong to no collection: an export holds the collections, and nothing else. */
function collections(storage: Storage): Storage {
  const own = /^(user_preferences|conversations|distillations)$|^(conversation|distillation):/;
  return Object.fromEntries(Object.entries(storage).filter(([key]) => own.test(key)));
}

const CHATGPT = [...conversations(150)];

/** Conversations of version 1 by id: a collection is a set, and a key a record keeps no order. */
function byId(storage: Storage): Storage {
  const { conversations: list = [], ...others } = storage;
  const records = Array.isArray(list) ? list : [];
  return { ...others, ...Object.fromEntries(records.map((record) => [idOf(record), record])) };
}

function idOf(record: Json): string {
  const id = isObject(record) ? record.id : undefined;
  if (typeof id !== "string") throw new Error("expected a record with an id");
  return id;
}

function jsonFile(content: unknown, name = "conversations.json"): ChosenFile {
  const text = typeof content === "string" ? content : JSON.stringify(content);
  return { name, mimeType: "application/json", buffer: Buffer.from(text) };
}

async function exported(browser: ExtensionBrowser): Promise<ChosenFile> {
  const settings = await SettingsPage.open(browser);
  await settings.reaches("current");
  return { name: "export.jsonl", mimeType: "application/x-ndjson", buffer: await settings.export() };
}

async function importInto(browser: ExtensionBrowser, file: ChosenFile): Promise<SettingsPage> {
  const settings = await SettingsPage.open(browser);
  await settings.reaches("current");
  await settings.import(file, "replace");
  return settings;
}

test("an export imported into a new installation gives the same data", async ({ launch }) => {
  const { browser, one } = await versionOneWith(launch, collections(storageOne()));
  await browser.update(dist("2.0.0"));
  await settled(browser, 5);
  const file = await exported(browser);

  const other = await launch("2.0.0");
  await settled(other, 5);
  const settings = await importInto(other, file);
  expect(await settings.outcome()).toBe("committed");
  await expectStorage(other, versionFive(one));
});

test("an export of version 1 imported into version 1 gives the same data, in the same order", async ({ launch }) => {
  const { browser, one } = await versionOneWith(launch, collections(storageOne(50)));
  const file = await exported(browser);
  const other = await launch("1.0.0");
  await settled(other, 1);
  await importInto(other, file);
  await expectStorage(other, one);
});

test("an export of version 1 is moved to version 5 on its way in", async ({ launch }) => {
  const { browser, one } = await versionOneWith(launch, collections(storageOne()));
  const file = await exported(browser);
  const other = await launch("2.0.0");
  await settled(other, 5);
  await importInto(other, file);
  await expectStorage(other, versionFive(one));
});

test("an export of version 5 brings its chain, and is moved to version 1 on its way in", async ({ launch }) => {
  const { browser, one } = await versionOneWith(launch, collections(storageOne()));
  await browser.update(dist("2.0.0"));
  await settled(browser, 5);
  const file = await exported(browser);
  const other = await launch("1.0.0");
  await settled(other, 1);
  await importInto(other, file);
  const differences = compare(byId(one), byId(await other.readStorage()));
  expect(differences, describe(differences)).toEqual([]);
});

test("a person chooses whose record stays where both have one", async ({ launch }) => {
  const { browser, one } = await versionOneWith(launch, collections(storageOne(12)));
  await browser.update(dist("2.0.0"));
  await settled(browser, 5);
  const five = versionFive(one);
  const file = await exported(browser);
  const [same, changed, gone] = Object.keys(five).filter((key) => key.startsWith("conversation:"));
  if (!same || !changed || !gone) throw new Error("expected at least three conversations");
  const mine = { ...(five[changed] as object), title: "mine" };
  const born = { ...(five[changed] as object), id: "born", title: "born here" };
  await browser.writeStorage({ [changed]: mine, "conversation:born": born });
  await browser.removeStorage([gone]);

  const settings = await SettingsPage.open(browser);
  await settings.choose(file);
  const preview = async (mode: string, expected: Record<string, number>) => {
    await settings.page.getByTestId(`mode-${mode}`).check();
    const found = () => Promise.all(Object.keys(expected).map((column) => settings.previewed("conversations", column)));
    await expect.poll(found, { message: `the preview for ${mode}` }).toEqual(Object.values(expected));
  };
  await preview("keep", { add: 1, replace: 0, same: 10, keep: 2 });
  await preview("take", { add: 1, replace: 1, same: 10, keep: 1 });
  await preview("replace", { add: 1, replace: 1, same: 10, keep: 0, remove: 1 });

  await settings.import(file, "keep");
  await expectStorage(browser, { ...five, [changed]: mine, "conversation:born": born });
  await settings.import(file, "take");
  await expectStorage(browser, { ...five, "conversation:born": born });
  await settings.import(file, "replace");
  await expectStorage(browser, five);
});

test("version 1 imports ChatGPT's export whole", async ({ launch }) => {
  const browser = await launch("1.0.0");
  await settled(browser, 1);
  await importInto(browser, jsonFile(CHATGPT));
  const { conversations: list = [] } = await browser.readStorage();
  const stored = Array.isArray(list) ? list.filter((record) => isObject(record)) : [];
  const lost = CHATGPT.flatMap((one) =>
    missing(
      one,
      stored.find(({ id }) => id === one.id),
    ),
  );
  expect(lost).toEqual([]);
  expect(stored).toHaveLength(CHATGPT.length);
});

test("version 5 imports ChatGPT's export whole", async ({ launch }) => {
  const browser = await launch("2.0.0");
  await settled(browser, 5);
  await importInto(browser, jsonFile(CHATGPT));
  const stored = await browser.readStorage();
  const lost = CHATGPT.flatMap((one) => {
    const record = stored[`conversation:${one.id}`];
    return missing(one, isObject(record) ? record : undefined, isoTime);
  });
  expect(lost).toEqual([]);
});

test("version 5 imports Claude's export, with its times to the microsecond", async ({ launch }) => {
  const browser = await launch("2.0.0");
  await settled(browser, 5);
  await importInto(browser, jsonFile(CLAUDE));
  await expectStorage(browser, { ...(await browser.readStorage()), ...CLAUDE_AT_FIVE });
});
