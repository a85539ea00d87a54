import { Exuvia, type Chain } from "exuvia";
import whole from "../chain/chain.json";
import { change, type Reach } from "../change.js";
import { GROUP, type Conversation } from "../job.js";
import type { Store } from "./store.js";

const PREFIX = "conversation:";

const area = chrome.storage.local;

type Records = Record<string, Conversation>;

/** A key for each record. */
export const storage: Store = {
  add: (records) => area.set(Object.fromEntries(records.map((record) => [PREFIX + record.id, record]))),
  seal: () => Promise.resolve(),
  async *read() {
    const keys = (await area.getKeys()).filter((key) => key.startsWith(PREFIX));
    while (keys.length > 0) yield Object.values(await area.get<Records>(keys.splice(0, GROUP)));
  },
};

/** The loop that people write: everything is read, changed and written, and a kill in between is not thought of. */
export async function plain(reach: Reach): Promise<void> {
  const items = await area.get<Records>(null);
  for (const [key, record] of Object.entries(items)) {
    if (key.startsWith(PREFIX)) items[key] = change[reach](record);
  }
  await area.set(items);
}

/** How many groups are under way at once: the fastest of 1, 2, 3, 4 and 8. */
const LANES = 3;

/** The fastest loop without safety: groups side by side, and only what changes is written. */
export async function best(reach: Reach): Promise<void> {
  const keys = (await area.getKeys()).filter((key) => key.startsWith(PREFIX));
  const lane = async (): Promise<void> => {
    for (let group = keys.splice(0, GROUP); group.length > 0; group = keys.splice(0, GROUP)) {
      const items = await area.get<Records>(group);
      const moved = Object.entries(items).map(([key, record]) => [key, record, change[reach](record)] as const);
      const changed = moved.filter(([, before, after]) => before !== after).map(([key, , after]) => [key, after]);
      if (changed.length > 0) await area.set(Object.fromEntries(changed) as Records);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

const VERSIONS: Record<Reach, number> = { tenth: 2, all: 3 };

/** The whole protocol. */
export async function exuvia(reach: Reach): Promise<void> {
  const version = VERSIONS[reach];
  const chain: Chain = { ...whole, line: whole.line.slice(0, version), stages: whole.stages.slice(0, version) };
  const wasm = chrome.runtime.getURL("engine_bg.wasm");
  const { state, problem } = await new Exuvia({ chain, wasm }).open();
  if (state !== "current") throw new Error(`expected current data after the run, found ${state}: ${problem?.message}`);
}
