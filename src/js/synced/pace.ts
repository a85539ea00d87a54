import { ExuviaError } from "../problem.js";
import { isObject } from "./json.js";
import type { Clock } from "./types.js";

/** How many writes may follow each other at once, and how many more an hour brings. Whatever the hour, at most 90 + 1,710
 * writes fall into it, and into any minute at most 90 + 28.5: the browser allows 1,800 and 120. */
const BURST = 90;
const AN_HOUR = 1_710;

const KEY = "exuvia:pace";
const HOUR_MS = 3_600_000;

interface Bucket {
  /** Writes that may follow at once. */
  left: number;
  /** When that was so, in milliseconds since 1970. */
  at: number;
}

/** The rate of writes, for all contexts of the extension together: a bucket of tokens. Whoever asks holds the lock. */
export class Pace {
  readonly #area: chrome.storage.StorageArea;
  readonly #clock: Clock;

  constructor(area: chrome.storage.StorageArea, clock: Clock) {
    this.#area = area;
    this.#clock = clock;
  }

  /** Waits until a write is allowed. Throws where that is after `until`. */
  async ready(until: number): Promise<void> {
    const wait = Math.ceil(((1 - (await this.#bucket()).left) / AN_HOUR) * HOUR_MS);
    if (wait <= 0) return;
    if (this.#clock.now() + wait > until) throw new ExuviaError(paced(wait));
    await this.#clock.sleep(wait);
  }

  /** Counts a write, before it is made: one that dies half-way may have counted for the browser. */
  async spend(): Promise<void> {
    const { left, at } = await this.#bucket();
    await this.#area.set({ [KEY]: { left: left - 1, at } });
  }

  async #bucket(): Promise<Bucket> {
    const now = this.#clock.now();
    const found: unknown = (await this.#area.get<Record<string, unknown>>(KEY))[KEY];
    if (!isObject(found) || typeof found["left"] !== "number" || typeof found["at"] !== "number") {
      return { left: BURST, at: now };
    }
    // A clock that was set back brings nothing.
    const gained = (Math.max(0, now - found["at"]) / HOUR_MS) * AN_HOUR;
    return { left: Math.min(BURST, found["left"] + gained), at: now };
  }
}

function paced(wait: number) {
  const message = `expected fewer than the 120 writes a minute and 1,800 an hour that the browser allows, found them used up; try again in ${Math.ceil(wait / 1_000)} s`;
  return { kind: "busy", message };
}
