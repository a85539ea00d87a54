import { expect, test } from "@playwright/test";
import { compare, compareBytes } from "./compare.js";
import type { Storage } from "./json.js";
import { isoTime, recordCount, versionFive } from "./oracle.js";

const TIMES: readonly [number, string][] = [
  [1697043600, "2023-10-11T17:00:00Z"],
  [1697043600.123456, "2023-10-11T17:00:00.123456Z"],
  [1697043600.1, "2023-10-11T17:00:00.1Z"],
  [1700000000.1234567, "2023-11-14T22:13:20.1234567Z"],
  [1697043600.001, "2023-10-11T17:00:00.001Z"],
  [0, "1970-01-01T00:00:00Z"],
  [-1, "1969-12-31T23:59:59Z"],
  [-0.25, "1969-12-31T23:59:59.75Z"],
  [-1.5, "1969-12-31T23:59:58.5Z"],
  [1e-7, "1970-01-01T00:00:00.0000001Z"],
  [1.5e-7, "1970-01-01T00:00:00.00000015Z"],
  [951782400, "2000-02-29T00:00:00Z"],
  [-62135596800, "0001-01-01T00:00:00Z"],
  [253402300799.999, "9999-12-31T23:59:59.999Z"],
];

for (const [seconds, expected] of TIMES) {
  test(`${String(seconds)} seconds are ${expected}`, () => expect(isoTime(seconds)).toBe(expected));
}

test("times in no year that can be written are refused", () => {
  expect(() => isoTime(1e300)).toThrow();
  expect(() => isoTime(Number.POSITIVE_INFINITY)).toThrow();
});

const ONE = JSON.parse(`{
  "user_preferences": { "model_preference": "m", "privacy_mode": "open", "theme": "dark", "shortcuts": {}, "api_keys": {},
    "__proto__": { "kept": null } },
  "conversations": [
    { "id": "a", "title": "", "create_time": 1.5, "update_time": 2, "extra": [null], "messages": [
      { "sender": "human", "text": "x", "time": null, "__proto__": 1 }, { "sender": "user", "text": "", "time": 3 },
      { "sender": "tool", "text": "", "time": 0.25 } ] } ],
  "distillations": { "__proto__": { "conversation": "a", "text": "t", "tags": "p, q r,s", "created": 7, "x": null },
    "d": { "conversation": "b", "text": "", "tags": "", "created": 7.5 } },
  "stranger": { "a.b": 1 }, "exuvia": { "version": 1 }
}`) as Storage;

const FIVE = JSON.parse(`{
  "user_preferences": { "ai_settings": { "model_preference": "m", "auto_distill": false }, "theme": "dark", "shortcuts": {},
    "api_keys": {}, "__proto__": { "kept": null }, "privacy": { "store_history": true, "share_usage": true, "retain_days": 365 } },
  "conversation:a": { "id": "a", "title": "", "create_time": "1970-01-01T00:00:01.5Z", "update_time": "1970-01-01T00:00:02Z",
    "extra": [null], "messages": [
      { "role": "user", "text": "x", "time": null, "__proto__": 1 }, { "role": "user", "text": "", "time": "1970-01-01T00:00:03Z" },
      { "role": "tool", "text": "", "time": "1970-01-01T00:00:00.25Z" } ] },
  "distillation:__proto__": { "conversation_id": "a", "body": { "format": "markdown", "text": "t" }, "tags": ["p", "q r,s"],
    "created": 7, "x": null },
  "distillation:d": { "conversation_id": "b", "body": { "format": "markdown", "text": "" }, "tags": [], "created": 7.5 },
  "stranger": { "a.b": 1 }, "exuvia": { "version": 5 }, "exuvia:r:conversation:a": {}
}`) as Storage;

test("version 1 becomes version 5, unknown fields and keys included", () => {
  expect(compare(FIVE, versionFive(ONE))).toEqual([]);
  expect(recordCount(ONE)).toBe(4);
});

test("empty storage stays empty", () => expect(versionFive({})).toEqual({}));

test("auto_distill keeps its value where there is one", () => {
  const { ai_settings } = versionFive({ user_preferences: { privacy_mode: "strict", auto_distill: true } })
    .user_preferences as Storage;
  expect(ai_settings).toEqual({ auto_distill: true });
});

const DIFFERENT: readonly [string, string, string, string][] = [
  ['{"k":{"a":1,"b":2}}', '{"k":{"b":2,"a":1}}', "the same", ""],
  ['{"k":{"a":null}}', '{"k":{}}', "null is not absent", "/a"],
  ['{"k":[1]}', '{"k":[1,null]}', "a longer list", "/1"],
  ['{"k":[]}', '{"k":{}}', "a list is no object", ""],
  ['{"k":{"a/b~c":"1"}}', '{"k":{"a/b~c":1}}', "text is no number", "/a~1b~0c"],
  ['{"k":{"__proto__":{"a":1}}}', '{"k":{}}', "a member named __proto__", "/__proto__"],
  ['{"k":{}}', '{"k":{"constructor":1}}', "a name that every object inherits", "/constructor"],
  ['{"k":"é"}', '{"k":"e\\u0301"}', "text is never normalised", ""],
];

for (const [left, right, why, path] of DIFFERENT) {
  test(`compare: ${why}`, () => {
    const found = compare(JSON.parse(left) as Storage, JSON.parse(right) as Storage);
    expect(found.map((difference) => difference.path)).toEqual(why === "the same" ? [] : [path]);
  });
}

test("comparing bytes sees the order of members, and residue, and not the control key", () => {
  const found = compareBytes(
    { k: { a: 1, b: 2 }, x: 1, exuvia: 1 },
    { k: { b: 2, a: 1 }, exuvia: 2, "exuvia:r:k": 2, x: 1 },
  );
  expect(found.map(({ key }) => key)).toEqual(["k", "exuvia:r:k"]);
});
