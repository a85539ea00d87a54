/** Where snapshots could be kept: each place in the worker of a small extension, in one browser and in turns, so that
 * whatever else the machine does falls on all of them. `cargo xtask bench snapshots` calls this and reads what it prints. */
import { join } from "node:path";
import type { Worker } from "playwright-core";
import { ExtensionBrowser } from "../browser/extension.js";

const ROUNDS = 5;

const PLACES = {
  files: "a file (OPFS)",
  filesOnce: "a file (OPFS), opened once",
  database: "IndexedDB, strict, 1 part a transaction",
  database16: "IndexedDB, strict, 16 parts a transaction",
  storage: "chrome.storage.local, as text",
};

/** What the others are compared with: how the vault would do it without files, for its chunks come one at a time. */
const REFERENCE = PLACES.database;

type Place = keyof typeof PLACES;

interface Measured {
  bytes: number;
  writeMs: number;
  readMs: number;
}

const browser = await ExtensionBrowser.launch({ dist: join(import.meta.dirname, "places") });
try {
  const worker = browser.worker();
  if (!worker) throw new Error("expected the extension's worker to run, found none");
  console.log(JSON.stringify(rows(await rounds(worker))));
} finally {
  await browser.close();
}

async function rounds(worker: Worker): Promise<Map<Place, Measured[]>> {
  const names = Object.keys(PLACES) as Place[];
  const found = new Map<Place, Measured[]>(names.map((name) => [name, []]));
  for (let round = 1; round <= ROUNDS; round++) {
    console.error(`round ${round} of ${ROUNDS}`);
    for (const name of names) found.get(name)?.push(await measure(worker, name));
  }
  return found;
}

function measure(worker: Worker, name: Place): Promise<Measured> {
  return worker.evaluate((place) => {
    return (Reflect.get(globalThis, "measure") as (place: Place) => Promise<Measured>)(place);
  }, name);
}

function rows(found: Map<Place, Measured[]>): { case: string; value: number; unit: string; vs: string[] }[] {
  const speeds = (act: string, time: (measured: Measured) => number) =>
    [...found].map(([name, all]) => ({
      case: `${act}: ${PLACES[name]}`,
      value: Math.round(median(all.map((measured) => measured.bytes / 1e3 / time(measured)))),
      unit: "MB/s",
      vs: [`${act}: ${REFERENCE}`],
    }));
  return [...speeds("write", ({ writeMs }) => writeMs), ...speeds("read", ({ readMs }) => readMs)];
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
