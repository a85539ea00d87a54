/** One life of the worker: it asks the driver what to do, does it, and says how long it took. No page and no debugger is
 * attached, so it lives and dies as any worker does. */
import { check, type Reach } from "./change.js";
import { GROUP, PLACE, type CaseName, type Conversation, type Job, type StoreName } from "./job.js";
import { dexie, moveDexie } from "./stores/dexie.js";
import { moveRxdb, rxdb } from "./stores/rxdb.js";
import { best, exuvia, plain, storage } from "./stores/storage.js";
import type { Store } from "./stores/store.js";
import { moveWxt, wxt } from "./stores/wxt.js";

const STORES: Record<StoreName, Store> = { storage, wxt, dexie, rxdb };

interface Case {
  store: StoreName;
  reach: Reach;
  move: () => Promise<void>;
  /** Whether the worker is kept alive meanwhile: those that call no API of the extension would die after 30 seconds. */
  kept: boolean;
}

const CASES: Record<CaseName, Case> = {
  plain: { store: "storage", reach: "all", move: () => plain("all"), kept: true },
  best: { store: "storage", reach: "all", move: () => best("all"), kept: true },
  exuvia: { store: "storage", reach: "all", move: () => exuvia("all"), kept: false },
  wxt: { store: "wxt", reach: "all", move: moveWxt, kept: true },
  dexie: { store: "dexie", reach: "all", move: moveDexie, kept: true },
  rxdb: { store: "rxdb", reach: "all", move: moveRxdb, kept: true },
  plainTenth: { store: "storage", reach: "tenth", move: () => plain("tenth"), kept: true },
  bestTenth: { store: "storage", reach: "tenth", move: () => best("tenth"), kept: true },
  exuviaTenth: { store: "storage", reach: "tenth", move: () => exuvia("tenth"), kept: false },
};

const driver = await placeOfDriver();
const job = await ask<Job>("job");
try {
  if (job.act === "seed") await seed(STORES[job.store], job.records);
  else await move(CASES[job.name], job.records);
} catch (error) {
  await tell("failed", String(error));
}

async function seed(store: Store, records: number): Promise<void> {
  const alive = keepAlive();
  for (let from = 0; from < records; from += GROUP) {
    await store.add(await ask<Conversation[]>(`records?from=${from}&count=${Math.min(GROUP, records - from)}`));
  }
  await store.seal();
  clearInterval(alive);
  await tell("seeded", null);
}

async function move({ store, reach, move, kept }: Case, records: number): Promise<void> {
  await tell("ready", null);
  const alive = kept ? keepAlive() : undefined;
  const start = performance.now();
  await move();
  const took = performance.now() - start;
  clearInterval(alive);
  await tell("moved", took);
  let found = 0;
  for await (const group of STORES[store].read()) {
    for (const record of group) check(record, reach);
    found += group.length;
  }
  if (found !== records) throw new Error(`expected ${records} records after the run, found ${found}`);
  await tell("checked", null);
}

function keepAlive(): ReturnType<typeof setInterval> {
  return setInterval(() => void chrome.runtime.getPlatformInfo(), 20_000);
}

async function placeOfDriver(): Promise<string> {
  const { url } = (await (await fetch(chrome.runtime.getURL(PLACE))).json()) as { url: string };
  return url;
}

async function ask<T>(what: string): Promise<T> {
  return (await (await fetch(`${driver}/${what}`)).json()) as T;
}

async function tell(what: string, value: unknown): Promise<void> {
  await fetch(`${driver}/${what}`, { method: "POST", body: JSON.stringify(value) });
}
