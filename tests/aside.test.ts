import { expect, test } from "@playwright/test";
import { fileOf, forget, namedAside, unreadable } from "../pkg/aside.js";
import type { Storage } from "./json.js";
import { MemoryArea } from "./synced/area.js";

const RECORD = { record: { id: "n", text: "€" }, residue: { drop: {} } };

const DATA: Storage = {
  exuvia: { format: 1 },
  "exuvia:r:notes:n": {},
  "exuvia:c:0123": "{}",
  "note:a": { text: "kept" },
};

const ASIDE: Storage = {
  "exuvia:s:run-1:1:note:a": { text: "theirs" },
  "exuvia:s:run-1:2:note:a": null,
  "exuvia:s:run-2:1:exuvia:s:run-1:1:x\ny": [1],
  "exuvia:a:notes:a:b": JSON.stringify(RECORD),
};

/** An area in which one corrupt value fails the read of all, as in a browser, and an area that lists its keys. */
class WornArea extends MemoryArea {
  readonly corrupt = new Set<string>();

  override async get(keys: string | string[] | null): Promise<Storage> {
    const found = await super.get(keys);
    if (Object.keys(found).some((key) => this.corrupt.has(key))) throw new Error("IO error: corrupted block");
    return found;
  }

  getKeys(): Promise<string[]> {
    return Promise.resolve([...this.items.keys()]);
  }
}

async function holding(items: Storage): Promise<WornArea> {
  const area = new WornArea();
  await area.set(items);
  return area;
}

test("what is set aside is told by its keys, and nothing else is", async () => {
  const area = await holding({ ...DATA, ...ASIDE });
  expect(await namedAside(area.asArea())).toEqual([
    { kind: "stray", id: "exuvia:s:run-1:1:note:a", key: "note:a", run: "run-1" },
    { kind: "stray", id: "exuvia:s:run-1:2:note:a", key: "note:a", run: "run-1" },
    { kind: "stray", id: "exuvia:s:run-2:1:exuvia:s:run-1:1:x\ny", key: "exuvia:s:run-1:1:x\ny", run: "run-2" },
    { kind: "record", id: "exuvia:a:notes:a:b", key: "a:b", collection: "notes" },
  ]);
});

test("in an area that cannot list its keys they come with their values", async () => {
  const area = new MemoryArea();
  await area.set({ ...DATA, ...ASIDE });
  expect(await namedAside(area.asArea())).toHaveLength(4);
});

test("values that cannot be read are found among many that can", async () => {
  const many = Object.fromEntries(Array.from({ length: 120 }, (_, index) => [`key:${index}`, index]));
  const area = await holding(many);
  expect(await unreadable(area.asArea())).toEqual([]);
  area.corrupt.add("key:7").add("key:119");
  const found = await unreadable(area.asArea());
  expect(found.map(({ kind, id }) => [kind, id])).toEqual([
    ["unreadable", "key:7"],
    ["unreadable", "key:119"],
  ]);
});

test("a file holds all that is set aside, and says where a value cannot be read", async () => {
  const area = await holding({ ...DATA, ...ASIDE });
  area.corrupt.add("exuvia:s:run-1:2:note:a").add("note:a");
  const asides = [...(await namedAside(area.asArea())), ...(await unreadable(area.asArea()))];
  const text = await (await fileOf(area.asArea(), asides)).text();
  const [header, ...lines] = text.trimEnd().split("\n");
  expect(JSON.parse(header ?? "")).toEqual({ exuvia: "aside", format: 1 });
  const found = lines.map((line) => JSON.parse(line) as { id: string; value?: unknown });
  const values = Object.fromEntries(found.map(({ id, value }) => [id, value]));
  expect(values).toEqual({
    ...ASIDE,
    "exuvia:s:run-1:2:note:a": undefined,
    "exuvia:a:notes:a:b": RECORD,
    "note:a": undefined,
  });
});

test("a record that is not as it was written is in the file as it is", async () => {
  const area = await holding({ "exuvia:a:notes:x": "{" });
  const text = await (await fileOf(area.asArea(), await namedAside(area.asArea()))).text();
  expect(text).toContain('"value":"{"');
});

test("strays and what cannot be read are forgotten", async () => {
  const area = await holding({ ...DATA, ...ASIDE });
  area.corrupt.add("note:a");
  await forget(area.asArea(), ["exuvia:s:run-1:1:note:a", "note:a"]);
  const kept = Object.entries({ ...DATA, ...ASIDE }).filter(([key]) => !key.endsWith(":1:note:a") && key !== "note:a");
  expect(await area.get(null)).toEqual(Object.fromEntries(kept));
});

for (const data of ["note:a", "exuvia", "exuvia:r:notes:n", "exuvia:a:notes:a:b", "exuvia:s:", "exuvia:s:run:x"]) {
  test(`${data} is no stray and can be read, so it is not forgotten, nor what is named with it`, async () => {
    const area = await holding({ ...DATA, ...ASIDE, "exuvia:s:": 1, "exuvia:s:run:x": 2 });
    const before = await area.get(null);
    const refused = forget(area.asArea(), ["exuvia:s:run-1:1:note:a", data]);
    await expect(refused).rejects.toMatchObject({ problem: { kind: "aside" } });
    expect(await area.get(null)).toEqual(before);
  });
}
