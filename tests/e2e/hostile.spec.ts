import { settled } from "../browser/control.js";
import { ExtensionBrowser } from "../browser/extension.js";
import { SettingsPage } from "../browser/settings.js";
import { conversations } from "../generator.js";
import { versionFive } from "../oracle.js";
import { storageOne } from "../userdata.js";
import { dist, expect, test } from "./extension.js";

/** Each makes a file that must not be let in from the lines of a good export: the header, the records, the end. */
const HOSTILE: Record<string, (lines: string[]) => string | Buffer> = {
  "is empty": () => "",
  "holds nothing but space": () => " \n\n ",
  "is no text": () => Buffer.from([0xff, 0xfe, 0x00, 0xd8, 0x80]),
  "is a ZIP archive": () => Buffer.from("PK\u0003\u0004 and so on"),
  "is JSON of another kind": () => '{"hello":"world"}',
  "is a list of something else": () => "[1,2,3]",
  "is a ChatGPT export cut off": () => JSON.stringify([...conversations(3)]).slice(0, -1_000),
  "is a ChatGPT export with a mapping in a circle": () => circle(),
  "is an export cut off between two lines": (lines) => lines.slice(0, -2).join("\n") + "\n",
  "is an export cut off within a line": (lines) => lines.join("\n").slice(0, -120),
  "is an export without its end": (lines) => lines.slice(0, -1).join("\n"),
  "is an export with a record less than it says": (lines) => [...lines.slice(0, 1), ...lines.slice(2)].join("\n"),
  "is an export with a letter changed": (lines) => lines.join("\n").replace('"title":"', '"title":"x'),
  "is an export with a record twice": (lines) => withLine(lines, lines[1] ?? ""),
  "is an export with lines after its end": (lines) => [...lines, lines[1]].join("\n"),
  "is an export with a line that is no JSON": (lines) => withLine(lines, "{]"),
  "is an export with a line that is no record": (lines) => withLine(lines, "null"),
  "is an export of a later format": (lines) => withHeader(lines, '"format":1', '"format":2'),
  "is an export of a version that it does not describe": (lines) => withHeader(lines, '"version":5', '"version":99'),
  "is an export of version 0": (lines) => withHeader(lines, '"version":5', '"version":0'),
  "is an export that ran another line": (lines) => withHeader(lines, /"head":"[^"]{8}/, '"head":"00000000'),
  "is an export with an unknown collection": (lines) => withRecord(lines, "__proto__", "x", "{}"),
  "is an export that writes Exuvia's own keys": (lines) => withRecord(lines, "conversations", "exuvia:r:x", "{}"),
  "is an export with a record that does not fit": (lines) => withRecord(lines, "conversations", "x", '{"id":1}'),
  "is an export nested a million deep": (lines) => withLine(lines, deep(1_000_000)),
  "is an export nested deeper than storage keeps": (lines) => withNote(lines, deep(120)),
  "is an export with half a surrogate pair": (lines) => withNote(lines, '"\\ud800"'),
  "is an export with a number beyond all numbers": (lines) => withNote(lines, "1e999"),
};

const NOTE = '{"conversation_id":"x","body":{"format":"markdown","text":""},"tags":[],"created":1}';

test.describe("a file", () => {
  // One browser for all: each file must leave the data as the one before had found it.
  let browser: ExtensionBrowser;
  let lines: string[];

  test.beforeAll(async () => {
    browser = await ExtensionBrowser.launch({ dist: dist("2.0.0") });
    await settled(browser, 5);
    await browser.writeStorage(versionFive(storageOne(5)));
    const settings = await SettingsPage.open(browser);
    await settings.reaches("current");
    lines = (await settings.export()).toString().trimEnd().split("\n");
    await settings.page.close();
  });

  test.afterAll(() => browser.close());

  test("that is sound is offered for import", async () => {
    const settings = await SettingsPage.open(browser);
    await settings.reaches("current");
    await settings.choose({
      name: "good.json",
      mimeType: "application/json",
      buffer: Buffer.from(withNote(lines, "1")),
    });
    await expect(settings.page.getByTestId("import-confirm")).toBeEnabled();
    await settings.page.close();
  });

  for (const [why, make] of Object.entries(HOSTILE)) {
    test(`that ${why} is refused, with nothing written`, async () => {
      const before = await browser.readStorage();
      const settings = await SettingsPage.open(browser);
      await settings.choose({ name: "hostile.json", mimeType: "application/json", buffer: Buffer.from(make(lines)) });
      const reason = settings.importError().first();
      await expect(reason, "the reason why the file is refused").toContainText(/expected .+ found|\w+ \w+ \w+/i);
      expect(await browser.readStorage()).toEqual(before);
      await settings.page.reload();
      await settings.reaches("current");
      await settings.page.close();
    });
  }
});

/** An export with one more line, which its end counts and, having no digest, does not give away. */
function withLine(lines: readonly string[], line: string): string {
  const all = [...lines.slice(0, -1), line];
  return [...all, JSON.stringify({ end: true, records: all.length - 1 })].join("\n");
}

function withRecord(lines: readonly string[], collection: string, key: string, record: string): string {
  const place = JSON.stringify({ collection, key });
  return withLine(lines, `${place.slice(0, -1)},"record":${record}}`);
}

/** An export with one more distillation, which has a member of any JSON. */
function withNote(lines: readonly string[], json: string): string {
  return withRecord(lines, "distillations", "hostile", `${NOTE.slice(0, -1)},"more":${json}}`);
}

function withHeader(lines: readonly string[], find: string | RegExp, replacement: string): string {
  const [header = "", ...rest] = lines;
  const changed = header.replace(find, replacement);
  if (changed === header) throw new Error(`expected ${String(find)} in the header of an export, found none`);
  const records = rest.slice(0, -1);
  return [changed, ...records, JSON.stringify({ end: true, records: records.length })].join("\n");
}

function deep(levels: number): string {
  return "[".repeat(levels) + "]".repeat(levels);
}

function circle(): string {
  const [one] = conversations(1);
  if (!one) throw new Error("expected a conversation");
  const root = Object.values(one.mapping).find(({ parent }) => parent === null);
  if (root) root.parent = one.current_node;
  return JSON.stringify([one]);
}
