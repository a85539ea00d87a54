import { expect, test } from "@playwright/test";
import { managed } from "../pkg/index.js";
import type { Storage } from "./json.js";
import { MemoryArea } from "./synced/area.js";
import { chainUpTo, translator } from "./synced/device.js";

const NOTE_1 = { conversation: "a", text: "t", tags: "p, q", created: 7 };
const NOTE_5 = { conversation_id: "a", body: { text: "t", format: "markdown" }, tags: ["p", "q"], created: 7 };

async function read(policies: Storage) {
  const area = new MemoryArea();
  await area.set(policies);
  const [chain, before] = [chainUpTo(5), await area.get(null)];
  const found = await managed("distillations", { chain, exuvia: translator(chain), area: area.asArea() });
  expect(await area.get(null)).toEqual(before);
  return found;
}

test("without a policy there are no records", async () => expect(await read({ other: 1 })).toEqual([]));

test("a policy in any version's form is read in this build's", async () => {
  for (const [version, note] of [
    [1, NOTE_1],
    [3, NOTE_1],
    [5, NOTE_5],
  ] as const) {
    const found = await read({ distillations: { version, records: { "a/b": note } } });
    expect(found).toEqual([{ collection: "distillations", key: "a/b", record: NOTE_5 }]);
  }
});

test("a record that fits not even its own version is told, and the others are read", async () => {
  const found = await read({ distillations: { version: 5, records: { bad: NOTE_1, good: NOTE_5 } } });
  expect(found).toMatchObject([
    { key: "bad", problem: { kind: "unfit", collection: "distillations", record: "bad" } },
    { key: "good", record: NOTE_5 },
  ]);
});

test("a policy of no version, a newer one, or without records is a problem", async () => {
  const policies: [Storage[string], string][] = [
    [{ records: { a: NOTE_5 } }, "/version"],
    [{ version: 6, records: { a: NOTE_5 } }, "/version"],
    [{ version: 1.5, records: { a: NOTE_5 } }, "/version"],
    [NOTE_5, "/version"],
    ["text", "/version"],
    [{ version: 5 }, "/records"],
    [{ version: 5, records: [NOTE_5] }, "/records"],
  ];
  for (const [distillations, path] of policies) {
    expect(await read({ distillations })).toMatchObject([{ key: "", problem: { kind: "policy", path } }]);
  }
});
