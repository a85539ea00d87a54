import { ExuviaError } from "./problem.js";
import type { Aside, Problem } from "./types.js";

/** What somebody wrote past the gate stands under such keys; then the run, a number and the key it was found under. */
const STRAY = /^exuvia:s:([^:]*):\d+:(.*)$/s;

/** Records without a place at the data's version; then the collection and the record's key. */
const RECORD = /^exuvia:a:([^:]*):(.*)$/s;

/** So many values are read at once. */
const GROUP = 50;

const KEPT: Problem = {
  kind: "aside",
  message:
    "expected what somebody wrote while the data was moving, or a value that cannot be read, found something that is " +
    "data; nothing was forgotten",
};

/** What is kept in an area beside the data, by the names of its keys alone. */
export async function namedAside(area: chrome.storage.StorageArea): Promise<Aside[]> {
  return (await keysOf(area)).flatMap((id): Aside[] => {
    const [, run, found] = STRAY.exec(id) ?? [];
    if (run !== undefined && found !== undefined) return [{ kind: "stray", id, key: found, run }];
    const [, collection, key] = RECORD.exec(id) ?? [];
    if (collection !== undefined && key !== undefined) return [{ kind: "record", id, key, collection }];
    return [];
  });
}

/** The keys whose values cannot be read. Reads everything. */
export async function unreadable(area: chrome.storage.StorageArea): Promise<Aside[]> {
  const keys = await keysOf(area);
  const failed: string[] = [];
  for (const group of groups(keys)) failed.push(...(await unread(area, group)));
  return failed.map((key) => ({ kind: "unreadable", id: key, key }));
}

/** What is set aside, as lines of JSON: what is known of each, and its value, as far as that can be read. */
export async function fileOf(area: chrome.storage.StorageArea, asides: Aside[]): Promise<Blob> {
  const parts: BlobPart[] = [`${JSON.stringify({ exuvia: "aside", format: 1 })}\n`];
  for (const group of groups(asides)) {
    const values = await read(
      area,
      group.map(({ id }) => id),
    );
    const lines = group.map((aside) => JSON.stringify({ ...aside, ...valueOf(aside, values.get(aside.id)) }));
    // Outside the memory of this context.
    parts.push(new Blob(lines.map((line) => `${line}\n`)));
  }
  return new Blob(parts, { type: "application/x-ndjson" });
}

/** Removes what is set aside and is no data. Nothing is removed where some of it is. */
export async function forget(area: chrome.storage.StorageArea, ids: string[]): Promise<void> {
  const others = ids.filter((id) => !STRAY.test(id));
  // What could not be read a while ago may be read now, and is data then.
  const failed = new Set(await unread(area, others));
  if (others.some((id) => !failed.has(id))) throw new ExuviaError(KEPT);
  await area.remove(ids);
}

function valueOf({ kind }: Aside, value: unknown): { value?: unknown } {
  if (value === undefined) return {};
  return { value: kind === "record" ? recordIn(value) : value };
}

/** A record is kept as a text, with its residues; itself where it is something else. */
function recordIn(value: unknown): unknown {
  try {
    return JSON.parse(value as string) as unknown;
  } catch {
    return value;
  }
}

/** Those of some keys that are there and cannot be read. */
async function unread(area: chrome.storage.StorageArea, keys: string[]): Promise<string[]> {
  const values = await read(area, keys);
  return keys.filter((key) => !values.has(key));
}

/** Those values that can be read. One that cannot fails the read of all. */
async function read(area: chrome.storage.StorageArea, keys: string[]): Promise<Map<string, unknown>> {
  const entries = async (wanted: string[]) => Object.entries(await area.get<Record<string, unknown>>(wanted));
  const each = () => Promise.all(keys.map((key) => entries([key]).catch(() => [])));
  return new Map(await entries(keys).catch(async () => (await each()).flat()));
}

function keysOf(area: chrome.storage.StorageArea): Promise<string[]> {
  // Before Chromium 130 and in Firefox ESR there is no getKeys, and keys come with their values.
  const withValues = async () => Object.keys(await area.get<Record<string, unknown>>(null));
  return "getKeys" in area ? area.getKeys() : withValues();
}

function groups<T>(all: T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / GROUP) }, (_, index) =>
    all.slice(index * GROUP, (index + 1) * GROUP),
  );
}
