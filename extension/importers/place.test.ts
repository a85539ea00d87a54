/// <reference types="node" />
import assert from "node:assert/strict";
import { test } from "@playwright/test";
import { badPlace } from "./place.js";

const BAD: [text: string, line: number, column: number, item: number, ended: boolean][] = [
  ["", 1, 1, 0, true],
  ["[", 1, 2, 1, true],
  ['[{"a": 1},\n {"b": tru}]', 2, 8, 2, false],
  ['[{"a": "never closed', 1, 21, 1, true],
  ["[1, 2", 1, 6, 2, true],
  ["[1 2]", 1, 4, 1, false],
  ["[1,]", 1, 4, 2, false],
  ['{"a" 1}', 1, 6, 0, false],
  ["{a: 1}", 1, 2, 0, false],
  ["[1]]", 1, 4, 1, false],
  ['["\\x"]', 1, 3, 1, false],
  ['["a\nb"]', 1, 4, 1, false],
  ["[01]", 1, 3, 1, false],
  ["hello", 1, 1, 0, false],
];

for (const [text, line, column, item, ended] of BAD) {
  test(`not JSON: ${JSON.stringify(text)}`, () => {
    assert.throws(() => JSON.parse(text) as unknown);
    assert.deepEqual(badPlace(text), { line, column, item, ended });
  });
}

const GOOD = [
  "[]",
  "{}",
  " [ ] ",
  '{"a":[{},[],1,-0.5e+3,"\\u00e9\\n",true,false,null],"b":{"c":""}}',
  "1",
  '"x"',
  "[[[]]]",
];

for (const text of GOOD) {
  test(`JSON: ${text}`, () => assert.equal(badPlace(text), undefined));
}

test("nesting deeper than the stack is no trouble", () => {
  const deep = "[".repeat(1_000_000);
  assert.deepEqual(badPlace(deep), { line: 1, column: 1_000_001, item: 1, ended: true });
});
