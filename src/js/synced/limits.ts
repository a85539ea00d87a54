import type { Problem } from "../types.js";
import { own } from "./json.js";
import type { Change } from "./bare.js";
import type { Items } from "./types.js";

const ENCODER = new TextEncoder();

/** How much a storage area takes. */
export class Limits {
  readonly #total: number;
  readonly #item: number;
  readonly #count: number;

  constructor(area: Partial<chrome.storage.SyncStorageArea>) {
    this.#total = area.QUOTA_BYTES ?? 102_400;
    this.#item = area.QUOTA_BYTES_PER_ITEM ?? 8_192;
    this.#count = area.MAX_ITEMS ?? 512;
  }

  /** Why the browser would refuse these changes; `undefined` where it takes them. An area that is over a limit already may
   * become smaller. */
  refusal(items: Items, changes: readonly Change[]): Problem | undefined {
    let [total, count] = [bytesOf(items), Object.keys(items).length];
    const [before, many] = [total, count];
    for (const { key, value } of changes) {
      const size = sizeOf(key, value);
      if (size > this.#item) {
        const hint = "a record is one item, with its key and what older versions have no place for";
        return quota(`an item of at most ${this.#item} bytes, found one of ${size}; ${hint}`);
      }
      const old = own(items, key);
      total += size - sizeOf(key, old);
      count += Number(value !== undefined) - Number(old !== undefined);
    }
    if (total > Math.max(this.#total, before)) return quota(`at most ${this.#total} bytes in all, found ${total}`);
    if (count > Math.max(this.#count, many)) return quota(`at most ${this.#count} items, found ${count}`);
    return undefined;
  }
}

/** What an item counts for: its key and its value as JSON, in bytes of UTF-8. Never less than what Chromium counts, which
 * writes `<` and U+2028 as escapes and some large numbers longer. */
export function sizeOf(key: string, value: unknown): number {
  if (value === undefined) return 0;
  let large = 0;
  const json = JSON.stringify(value, (_, part: unknown) => {
    if (typeof part === "number" && Math.abs(part) >= 2 ** 31) large += 1;
    return part;
  });
  const escapes = (json.match(/</g)?.length ?? 0) * 5 + (json.match(/[\u2028\u2029]/g)?.length ?? 0) * 3;
  return ENCODER.encode(key).length + ENCODER.encode(json).length + escapes + large * 5;
}

function bytesOf(items: Items): number {
  return Object.entries(items).reduce((sum, [key, value]) => sum + sizeOf(key, value), 0);
}

function quota(expected: string): Problem {
  return { kind: "quota", message: `expected ${expected}; nothing was written` };
}
