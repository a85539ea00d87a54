import { join } from "node:path";
import type { Mode } from "exuvia";
import type { Page } from "puppeteer-core";
import { isObject, type JsonObject, type Storage } from "../json.js";
import { versionFive } from "../oracle.js";
import { manyRecords, otherRecords, writeImport } from "./data.js";
import { Installation } from "./installation.js";
import type { DeedName } from "./plan.js";
import type { RunningBrowser } from "./running.js";

const DIST = join(import.meta.dirname, "../../dist");

const CONVERSATION = "conversation:";

/** Something that rewrites the data, and what the data may be when it is over, whatever happens meanwhile. */
export interface Deed {
  /** An installation on which it can be done, to be copied. */
  ready: Installation;
  /** The data before it, as storage holds it. */
  before: Storage;
  /** The data after it, as the oracle has it. */
  after: Storage;
  /** The version that the data is then at. */
  version: number;
  /** Whether it may be forgotten: what a person asked for can be asked for again, but another build has to come through. */
  mayEndBefore: boolean;
  begin: (browser: RunningBrowser, installation: Installation) => Promise<void>;
}

/** Everything that can be interrupted, made ready in a folder. */
export async function makeDeeds(home: string): Promise<Record<DeedName, Deed>> {
  const one = await Installation.make(join(home, "one"), join(DIST, "1.0.0"));
  const first = await inBrowser(one, async (browser) => {
    await browser.settles(1);
    await browser.writeStorage(manyRecords());
    return browser.readStorage();
  });
  const updated = await one.copy(join(home, "updated"));
  const moved = await inBrowser(updated, async (browser) => {
    await replaceBuild("2.0.0")(browser, updated);
    await browser.settles(5);
    return browser.readStorage();
  });
  const five = await updated.copy(join(home, "five"));
  const edited = await inBrowser(five, edit);
  const file = join(home, "import.jsonl");
  const other = otherRecords(first);
  await writeImport(file, other);
  const imported = await five.copy(join(home, "imported"));
  const mixed = await inBrowser(imported, async (browser) => {
    const before = await browser.control();
    await importFile(browser, file, "take");
    await browser.settles(5, before?.epoch);
    return browser.readStorage();
  });

  const asked = { ready: five, before: edited, version: 5, mayEndBefore: true };
  const brought = versionFive(other);
  return {
    update: {
      ready: one,
      before: first,
      after: versionFive(first),
      version: 5,
      mayEndBefore: false,
      begin: replaceBuild("2.0.0"),
    },
    downgrade: {
      ready: updated,
      before: moved,
      after: first,
      version: 1,
      mayEndBefore: false,
      begin: replaceBuild("1.0.0"),
    },
    "import: replace": {
      ...asked,
      after: { ...strangersOf(edited), ...brought },
      begin: (browser) => importFile(browser, file, "replace"),
    },
    "import: keep": {
      ...asked,
      after: { ...brought, ...edited },
      begin: (browser) => importFile(browser, file, "keep"),
    },
    "import: take": {
      ...asked,
      after: { ...edited, ...brought },
      begin: (browser) => importFile(browser, file, "take"),
    },
    // The newest snapshot is the one that the import began with.
    restore: { ...asked, ready: imported, before: mixed, after: edited, begin: restore },
  };
}

/** What a person does to data of version 5, so that a restore has something to undo. Gives the data as it is then. */
async function edit(browser: RunningBrowser): Promise<Storage> {
  const five = await browser.readStorage();
  const keys = Object.keys(five).filter((key) => key.startsWith(CONVERSATION));
  const some = keys.slice(0, 100).map((key): [string, JsonObject] => [key, recordAt(five, key)]);
  const renamed = some.map(([key, record]): [string, JsonObject] => [key, { ...record, title: "Renamed" }]);
  const born = some.map(([key, record]): [string, JsonObject] => [`${key}-b`, { ...record, id: idOf(`${key}-b`) }]);
  await browser.writeStorage(Object.fromEntries([...renamed, ...born]));
  await browser.removeStorage(keys.slice(100, 200));
  return browser.readStorage();
}

function recordAt(storage: Storage, key: string): JsonObject {
  const record = storage[key];
  if (!isObject(record)) throw new Error("expected a record, an object");
  return record;
}

function idOf(key: string): string {
  return key.slice(CONVERSATION.length);
}

function replaceBuild(build: string): Deed["begin"] {
  return async (browser, installation) => {
    await installation.replaceFiles(join(DIST, build));
    await browser.reload();
  };
}

async function importFile(browser: RunningBrowser, file: string, mode: Mode): Promise<void> {
  const page = await browser.page("settings/index.html");
  const input = await page.waitForSelector("input[data-testid=import-file]:not(:disabled)");
  await input?.uploadFile(file);
  await click(page, `[data-testid=mode-${mode}]`);
  await page.waitForSelector(`[data-testid=mode-${mode}]:checked`);
  browser.progress.restart();
  await click(page, "[data-testid=import-confirm]:not(:disabled)");
}

async function restore(browser: RunningBrowser): Promise<void> {
  const page = await browser.page("settings/index.html");
  await click(page, "[data-testid=restore]");
  browser.progress.restart();
  await click(page, "[data-testid=dialog-confirm]");
}

async function click(page: Page, selector: string): Promise<void> {
  const found = await page.waitForSelector(selector);
  // In the page: a click by the mouse waits until the page has come to rest.
  await found?.evaluate((element) => (element as HTMLElement).click());
}

function strangersOf(five: Storage): Storage {
  const own = /^(user_preferences$|conversation:|distillation:)/;
  return Object.fromEntries(Object.entries(five).filter(([key]) => !own.test(key)));
}

async function inBrowser<T>(installation: Installation, act: (browser: RunningBrowser) => Promise<T>): Promise<T> {
  const browser = await installation.launch();
  try {
    return await act(browser);
  } finally {
    await browser.close();
  }
}
