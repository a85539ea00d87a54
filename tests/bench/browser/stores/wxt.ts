import { storage as items } from "@wxt-dev/storage";
import { change } from "../change.js";
import type { Conversation } from "../job.js";
import type { Store } from "./store.js";

const KEY = "local:conversations";

const added: Conversation[] = [];

/** One item that holds all records: versions are an item's. */
export const wxt: Store = {
  add(records) {
    added.push(...records);
    return Promise.resolve();
  },
  async seal() {
    await items.setItem(KEY, added);
    await items.setMeta(KEY, { v: 1 });
  },
  async *read() {
    yield await items.getItem<Conversation[]>(KEY, { fallback: [] });
  },
};

export async function moveWxt(): Promise<void> {
  const migrations = { 2: (records: Conversation[]) => records.map(change.all) };
  // Defining it begins the migration, and everything asked of it waits for that.
  await items.defineItem<Conversation[]>(KEY, { fallback: [], version: 2, migrations }).getMeta();
}
