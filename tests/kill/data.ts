import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { conversations } from "../generator.js";
import type { Json, JsonObject, Storage } from "../json.js";
import { isObject } from "../json.js";
import { conversationsOne, distillations, PREFERENCES, strangers } from "../userdata.js";

/** Conversations longer than this, as JSON, are left out: many records in few megabytes keep a run short. */
const LONGEST = 4_000;
const DRAWN = 3_000;

/** A few thousand records of version 1, in a few megabytes. */
export function manyRecords(): Storage {
  const ids = [...conversations(20)].map(({ id }) => id);
  return {
    ...strangers(),
    user_preferences: PREFERENCES.full,
    conversations: conversationsOne(DRAWN).filter((record) => JSON.stringify(record).length <= LONGEST),
    distillations: distillations(1_000, ids),
  };
}

/** Other records of version 1, some under ids that the first have too. */
export function otherRecords(one: Storage): Storage {
  const changed = (record: Json, index: number): Json => {
    if (!isObject(record)) throw new Error("expected a record");
    return { ...record, title: "Another", ...(index % 2 === 0 ? {} : { id: `other-${index}` }) };
  };
  const list = Array.isArray(one.conversations) ? one.conversations : [];
  return { conversations: list.slice(0, 800).map(changed), distillations: distillations(400, ["other-1"], 5) };
}

/** Writes records of version 1 as a file to import. */
export async function writeImport(file: string, records: Storage): Promise<void> {
  const chain = join(import.meta.dirname, "../../extension/chain/chain.lock.json");
  const lock = JSON.parse(await readFile(chain, "utf8")) as { line: unknown[] };
  const list = (records.conversations as JsonObject[]).map((record) => ["conversations", record.id, record] as const);
  const notes = Object.entries(records.distillations as JsonObject).map((note) => ["distillations", ...note] as const);
  const lines = [...list, ...notes].map(([collection, key, record]) => ({ collection, key, record }));
  const header = { exuvia: "export", format: 1, version: 1, line: lock.line.slice(0, 1) };
  const all = [header, ...lines, { end: true, records: lines.length }];
  await writeFile(file, all.map((line) => JSON.stringify(line) + "\n").join(""));
}
