import { settled } from "../browser/control.js";
import { ExtensionBrowser } from "../browser/extension.js";
import { SettingsPage } from "../browser/settings.js";
import { conversations } from "../generator.js";
import { versionFive } from "../oracle.js";
import { storageOne } from "../userdata.js";
import { dist, expect, test } from "./extension.js";

/** Each makes a file that must not be let in from a good export's lines: the header, the records, the end. */
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
  "is an export with a record twice": (lines) => [lines[0], lines[1], ...lines.slice(1)].join("\n"),
  "is an export with lines after its end": (lines) => [...lines, lines[1]].join("\n"),
  "is an export with a line that is no JSON": (lines) => replaced(lines, 1, "{]"),
  "is an export with a line that is no record": (lines) => replaced(lines, 1, "null"),
  "is an export of a later format": (lines) => edited(lines, '"format":1', '"format":2'),
  "is an export of a version that it does not describe": (lines) => edited(lines, '"version":5', '"version":99'),
  "is an export of version 0": (lines) => edited(lines, '"version":5', '"version":0'),
  "is an export that ran another line": (lines) =>
    edited(lines, /"head":"[^"]*"/, '"head":"00000000000000000000000000000000"'),
  "is an export with an unknown collection": (lines) =>
    withRecord(lines, { collection: "__proto__", key: "x", record: {} }),
  "is an export that writes the control key": (lines) =>
    withRecord(lines, { collection: "exuvia", key: "exuvia", record: {} }),
  "is an export with a record that does not fit": (lines) =>
    withRecord(lines, { collection: "conversations", key: "x", record: { id: 1 } }),
  "is an export with an empty key": (lines) =>
    withRecord(lines, { collection: "distillations", key: "", record: null }),
  "is an export nested a million deep": (lines) => replaced(lines, 1, deep(1_000_000)),
  "is an export nested deeper than storage keeps": (lines) => replaced(lines, 1, noteWith(deep(120))),
  "is an export with half a surrogate pair": (lines) => replaced(lines, 1, noteWith('"\\ud800"')),
  "is an export with a number beyond all numbers": (lines) => replaced(lines, 1, noteWith("1e999")),
};

test.describe("a file is refused, and nothing is written, when it", () => {
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

  for (const [why, make] of Object.entries(HOSTILE)) {
    test(why, async () => {
      const before = await browser.readStorage();
      const settings = await SettingsPage.open(browser);
      await settings.choose({ name: "hostile.json", mimeType: "application/json", buffer: Buffer.from(make(lines)) });
      const reason = settings.importError().first();
      await expect(reason, "the reason why the file is refused").toContainText(/\w+ \w+ \w+/);
      expect(await browser.readStorage()).toEqual(before);
      await settings.page.reload();
      await settings.reaches("current");
      await settings.page.close();
    });
  }
});

function replaced(lines: readonly string[], index: number, line: string): string {
  return lines.with(index, line).join("\n");
}

function edited(lines: readonly string[], find: string | RegExp, replacement: string): string {
  const [header = "", ...rest] = lines;
  const changed = header.replace(find, replacement);
  if (changed === header) throw new Error(`expected ${String(find)} in the header of an export, found none`);
  return [changed, ...rest].join("\n");
}

/** An export with one more record, counted at its end. */
function withRecord(lines: readonly string[], record: object): string {
  const added = [...lines.slice(0, -1), JSON.stringify(record)];
  return [...added, JSON.stringify({ end: true, records: added.length - 1 })].join("\n");
}

/** The line of a distillation with a member of any JSON. */
function noteWith(json: string): string {
  return `{"collection":"distillations","key":"hostile","record":{"conversation_id":"x","body":{"format":"markdown","text":""},"tags":[],"created":1,"more":${json}}}`;
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
