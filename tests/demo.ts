/** The demo: an update that succeeds, one that is refused and one that is taken back, each in a browser of its own, from
 * the same data. `cargo xtask demo` builds the extension and calls this. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { moving, settled } from "./browser/control.js";
import { ExtensionBrowser } from "./browser/extension.js";
import { listen } from "./browser/progress.js";
import { SettingsPage } from "./browser/settings.js";
import { compare, compareBytes, describe, type Difference } from "./compare.js";
import { conversations, FULL_EXPORT, writeExport } from "./generator.js";
import { missing } from "./imported.js";
import { CONTROL_KEY, type JsonObject, type Storage } from "./json.js";
import { recordCount, versionFive } from "./oracle.js";
import { megabytes, number, RunLine } from "./terminal.js";
import { distillations, PREFERENCES, strangers, timelessDistillation } from "./userdata.js";

const ROOT = join(import.meta.dirname, "..");
const OUT = join(ROOT, "target/demo");
const HEADED = process.argv.includes("--headed");

/** The record that the chain of the build 2.0.0-unfit cannot take. */
const TIMELESS = "note-timeless";

async function demo(): Promise<void> {
  await rm(OUT, { recursive: true, force: true });
  say("A ChatGPT export");
  const file = join(OUT, "chatgpt-export.json");
  const { bytes } = await writeExport(file);
  note(`${number(FULL_EXPORT)} conversations, ${megabytes(bytes)}`);

  const one = await updates(file);
  await isRefused(one);
  await isRestored(one);

  const count = number(recordCount(one));
  console.log(`demo: ok, ${count} records, version 1 -> 5, 0 lost, restored ${count} of ${count} after fault`);
}

/** Version 1.0.0 with a person's data becomes 2.0.0. Gives the data as it was in version 1. */
async function updates(file: string): Promise<Storage> {
  return withBrowser(async (browser) => {
    say("Version 1.0.0 imports it");
    const one = await fill(browser, file);
    say("The update to 2.0.0");
    const line = new RunLine();
    const settings = await update(browser, "2.0.0", line);
    await pictureDuring(settings, "during", "apply");
    await settings.reaches("current");
    line.end();
    await settings.counts().waitFor();
    await settings.page.screenshot({ path: picture("after") });
    await picturePopup(browser);

    const differences = compare(versionFive(withoutControlKey(one)), await browser.readStorage());
    if (differences.length > 0) throw wrong("the data of version 5 to be what the oracle says", differences);
    note(`${number(recordCount(one))} records checked against the oracle, all as they should be`);
    return one;
  });
}

/** A chain whose last step cannot take one record: found in rehearsal, before anything is written. */
async function isRefused(one: Storage): Promise<void> {
  await withBrowser(async (browser) => {
    say("The same data, and a chain that cannot take one record");
    await putBack(browser, one);
    const line = new RunLine();
    const settings = await update(browser, "2.0.0-unfit", line);
    await settings.reaches("refused");
    line.end();
    await settings.page.screenshot({ path: picture("unfit") });
    if ((await settings.outcome()) !== "refused") throw new Error("expected the run to be refused, found it otherwise");
    const problem = await settings.problem().innerText();
    if (!problem.includes(TIMELESS)) throw new Error(`expected a problem that names ${TIMELESS}, found: ${problem}`);
    if (line.phases.includes("apply")) throw new Error("expected no write, found that the run had come to apply");
    await isAsBefore(browser, one);
    note(`refused, and nothing was written: ${problem.split("\n")[0] ?? ""}`);
  });
}

/** A batch that lands damaged: found in validation, after writing began. */
async function isRestored(one: Storage): Promise<void> {
  await withBrowser(async (browser) => {
    say("The same data, and a batch that lands damaged");
    await putBack(browser, one);
    const line = new RunLine();
    const settings = await update(browser, "2.0.0-damaged", line);
    await settings.reaches("refused");
    line.end();
    await settings.page.screenshot({ path: picture("restored") });
    const fault = await (await browser.observer()).evaluate(() => chrome.storage.session.get("fault:damaged"));
    if (Object.keys(fault).length === 0) throw new Error("expected the fault to have happened, found that it had not");
    if ((await settings.outcome()) !== "restored")
      throw new Error("expected the old data restored, found it otherwise");
    await isAsBefore(browser, one);
    note("taken back, and the old data is as it was, byte for byte");
  });
}

/** Gives version 1.0.0 the data of a person: conversations by import, the rest as if it had come together over time. */
async function fill(browser: ExtensionBrowser, file: string): Promise<Storage> {
  await settled(browser, 1);
  const settings = await SettingsPage.open(browser);
  await settings.import(file, "keep");
  checkImport(await browser.readStorage());

  const ids = [...conversations(FULL_EXPORT)].map(({ id }) => id);
  const [first = ""] = ids;
  const notes = { ...distillations(150, ids), [TIMELESS]: timelessDistillation(first) };
  await browser.writeStorage({ ...strangers(), user_preferences: PREFERENCES.full, distillations: notes });
  await settings.page.reload();
  await settings.counts().waitFor();
  await settings.page.screenshot({ path: picture("before") });
  const one = await browser.readStorage();
  note(`${number(recordCount(one))} records, with preferences and distillations; nothing of the export is missing`);
  return one;
}

function checkImport(storage: Storage): void {
  const records = storage.conversations as JsonObject[];
  const byId = new Map(records.map((record) => [record.id, record]));
  for (const conversation of conversations(FULL_EXPORT)) {
    const [lost] = missing(conversation, byId.get(conversation.id));
    if (lost) throw new Error(`expected all of conversation ${conversation.id} imported, found this missing: ${lost}`);
  }
  if (byId.size !== FULL_EXPORT) throw new Error(`expected ${FULL_EXPORT} conversations, found ${byId.size}`);
}

/** Gives a new installation of version 1.0.0 the data that another had. */
async function putBack(browser: ExtensionBrowser, one: Storage): Promise<void> {
  await settled(browser, 1);
  await browser.writeStorage(withoutControlKey(one));
  await isAsBefore(browser, one);
}

async function isAsBefore(browser: ExtensionBrowser, one: Storage): Promise<void> {
  const differences = compareBytes(one, await browser.readStorage());
  if (differences.length > 0) throw wrong("the data of version 1 as it was", differences);
}

/** Updates the extension, and shows the run that follows in the terminal and on the settings page. */
async function update(browser: ExtensionBrowser, build: string, line: RunLine): Promise<SettingsPage> {
  await browser.update(join(ROOT, "dist", build));
  await listen(await browser.observer(), (progress) => line.show(progress));
  // The worker is to run it, not the page that looks on.
  await moving(browser);
  return SettingsPage.open(browser);
}

/** A picture of the page in the middle of a phase, when the bar is neither empty nor full. */
async function pictureDuring(settings: SettingsPage, name: string, phase: string): Promise<void> {
  const values = [3, 4, 5, 6, 7].map((tens) => `[aria-valuenow^="${tens}"]`).join(", ");
  const middle = settings.page.locator(`[data-phase="${phase}"] [data-testid="bar"]:is(${values})`);
  const over = settings.page.locator('[data-testid="state"][data-state="current"]');
  await middle.or(over).first().waitFor({ timeout: 60_000 });
  if (await over.isVisible()) note(`the run was over before a picture of "${phase}" could be taken`);
  else await settings.page.screenshot({ path: picture(name) });
}

async function picturePopup(browser: ExtensionBrowser): Promise<void> {
  const popup = await browser.page("popup/index.html");
  await popup.setViewportSize({ width: 400, height: 600 });
  await popup.getByTestId("conversation").first().waitFor();
  await popup.locator("#loading").waitFor({ state: "hidden" });
  await popup.screenshot({ path: picture("popup") });
  await popup.close();
}

async function withBrowser<T>(act: (browser: ExtensionBrowser) => Promise<T>): Promise<T> {
  const browser = await ExtensionBrowser.launch({ dist: join(ROOT, "dist/1.0.0"), headed: HEADED });
  try {
    return await act(browser);
  } finally {
    await browser.close();
  }
}

function withoutControlKey(storage: Storage): Storage {
  return Object.fromEntries(Object.entries(storage).filter(([key]) => key !== CONTROL_KEY));
}

function wrong(expected: string, differences: readonly Difference[]): Error {
  const keys = new Set(differences.map(({ key }) => key));
  return new Error(`expected ${expected}, found ${keys.size} keys that differ:\n${describe(differences)}`);
}

function picture(name: string): string {
  return join(OUT, `${name}.png`);
}

function say(what: string): void {
  console.log(what);
}

function note(what: string): void {
  console.log(`  ${what}`);
}

try {
  await demo();
} catch (error) {
  console.error(`demo: failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
