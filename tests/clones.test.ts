import { isDeepStrictEqual } from "node:util";
import { expect, test } from "@playwright/test";
import { decoded, encoded, jsonArea } from "../src/js/clones.js";
import { storageOne } from "./userdata.js";

/** What an extension may keep in a Firefox, and JSON cannot say. */
const CLONES: Record<string, unknown> = {
  "a date": new Date(1_697_000_000_123),
  "a map": new Map<unknown, unknown>([
    ["k", new Date(0)],
    [{ a: 1 }, new Map([[NaN, undefined]])],
  ]),
  "a set": new Set([1, "1", new Set([null])]),
  "numbers that are not finite": [NaN, Infinity, -Infinity],
  "a large integer": 2n ** 70n,
  "undefined as an item": [undefined, null, 1],
  "a pattern": /a\/b[^"]/giu,
  bytes: new Uint8Array([0, 127, 255]),
  "a buffer": new Uint8Array([1, 2]).buffer,
  "an object that looks like an encoded one": { "exuvia:clone": ["Date", 5] },
  "an encoded object that was encoded": {
    "exuvia:clone": ["Object", { "exuvia:clone": ["Map", []], more: new Date(1) }],
  },
  "names that careless code mistakes for something else": Object.fromEntries<unknown>([
    ["__proto__", new Date(2)],
    ["constructor", [new Map()]],
    ["", 1n],
  ]),
};

for (const [name, value] of Object.entries(CLONES)) {
  test(`${name} goes through JSON and comes out as it was`, () => {
    for (const whole of [value, { x: [value, "beside"] }]) {
      const text = JSON.stringify(encoded(whole));
      expect(isDeepStrictEqual(decoded(JSON.parse(text)), whole), text).toBe(true);
    }
  });
}

test("a date that is none stays one", () => {
  expect(String(decoded(JSON.parse(JSON.stringify(encoded(new Date(NaN))))))).toBe("Invalid Date");
});

test("JSON is left as it is, not even copied", () => {
  const storage = storageOne(20);
  expect(encoded(storage)).toBe(storage);
  expect(decoded(storage)).toBe(storage);
});

test("a member that is undefined is absent", () => {
  expect(JSON.stringify(encoded({ a: undefined, b: { c: undefined, d: 1 } }))).toBe('{"b":{"d":1}}');
});

const CIRCLE: { self?: unknown } = {};
CIRCLE.self = CIRCLE;
// eslint-disable-next-line no-sparse-arrays -- It is what is tested.
const GAPS: unknown = [1, , 3];

for (const [name, value, found] of [
  ["a file", { list: [{ "a/b": new Blob(["x"]) }] }, 'Blob at "/list/0/a~1b"'],
  ["an error", { e: new Error("secret") }, 'Error at "/e"'],
  ["a boxed number", { n: Object(1) as unknown }, 'Number object at "/n"'],
  ["an array with gaps", { g: GAPS }, 'array with gaps at "/g"'],
  ["a circle", CIRCLE, "value without an end"],
] as const) {
  test(`${name} is refused by name`, async () => {
    const area = { get: () => Promise.resolve({ key: value }), remove: () => {}, getBytesInUse: () => {} };
    const json = jsonArea(area as unknown as chrome.storage.StorageArea);
    const refused = expect(json.get(null)).rejects;
    await refused.toThrow(found);
    await refused.toThrow('under the storage key "key"');
    await refused.not.toThrow("secret");
  });
}
