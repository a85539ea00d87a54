import type { Chain, Problem } from "../types.js";

/** Moves one record between two versions of the chain; an `Exuvia` does. */
export interface Translator {
  translate(
    collection: string,
    record: unknown,
    from: number,
    to: number,
    residue: unknown,
    context: { key: string; now?: number },
  ): Promise<{ record: unknown; residue: unknown }>;
}

/** What `Synced` needs, and how it works. */
export interface SyncedOptions {
  /** The chain this build of the extension carries. */
  chain: Chain;
  /** Translates records, usually the extension's `Exuvia`. Asked only for records that are not at the chain's tip, and for
   * each write. */
  exuvia: Translator;
  /** The area that the devices share. Default: `chrome.storage.sync`. */
  area?: chrome.storage.StorageArea;
  /** Where this device keeps its name. Default: `chrome.storage.local`. */
  local?: chrome.storage.StorageArea;
  /** Where the contexts of this device keep count of their writes. Default: `chrome.storage.session`. */
  session?: chrome.storage.StorageArea;
  /** How many days a device counts as live after it was last seen. Default: 30. */
  liveDays?: number;
  /** How long a write may wait for its turn, in milliseconds. Default: 60 000. */
  waitMs?: number;
  /** The time, and how to wait. Default: the browser's. */
  clock?: Clock;
}

/** The time, in milliseconds since 1970, and how to let some of it pass. */
export interface Clock {
  now(): number;
  sleep(ms: number): Promise<void>;
}

/** At which versions the devices are. */
export interface SyncedStatus {
  /** The version at which this device writes: the newest that every live device reads. */
  version: number;
  /** The version this build's chain leads to. */
  target: number;
  /** How many live devices have announced themselves, this one included. */
  devices: number;
}

/** A record at this build's version, or why it cannot be read. */
export interface FoundRecord {
  collection: string;
  key: string;
  /** Absent where it was removed, or cannot be read. */
  record?: unknown;
  /** Why it cannot be read. It is left as it is. */
  problem?: Problem;
}

/** A storage area's content, a value a key. */
export type Items = Record<string, unknown>;
