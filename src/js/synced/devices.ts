import type { Change } from "./bare.js";
import { isObject } from "./json.js";
import type { Line } from "./line.js";
import type { Clock, Items } from "./types.js";

const PREFIX = "exuvia:d:";

/** Where a device keeps the name that it announces itself by. */
const NAME = "exuvia:d";

const DAY_MS = 86_400_000;

/** What a device says of itself, under a key of its own. */
interface Announcement {
  /** The marks of the line that it reads. */
  l: string;
  /** The day it was last seen, in days since 1970. */
  d: number;
}

/** Who shares an area. */
export interface Census {
  /** The newest version that every live device reads. */
  version: number;
  /** How many of them there are, this one included. */
  devices: number;
  /** What makes this device known, where it is not known as it is. */
  announcement: Change[];
  /** What forgets devices that have not been seen for long, such as those that the extension was removed from. */
  farewell: Change[];
}

/** The devices that share an area, as they have announced themselves. One that has not been seen for some time counts no
 * more. A clock that is wrong makes devices seem live or gone: then records are written older than they need be, or newer
 * than one of them reads, which it will say and leave alone. */
export class Devices {
  readonly #line: Line;
  readonly #local: chrome.storage.StorageArea;
  readonly #clock: Clock;
  readonly #liveDays: number;

  constructor(line: Line, local: chrome.storage.StorageArea, clock: Clock, liveDays: number) {
    this.#line = line;
    this.#local = local;
    this.#clock = clock;
    this.#liveDays = liveDays;
  }

  /** What the area says of its devices. This one counts whether it has announced itself or not. One of another chain
   * altogether reads nothing of this one, and has no say. Whoever asks holds the lock. */
  async census(items: Items): Promise<Census> {
    const key = PREFIX + (await this.#name());
    const today = Math.floor(this.#clock.now() / DAY_MS);
    const announced = Object.entries(items).flatMap(([device, value]) =>
      device.startsWith(PREFIX) && isAnnouncement(value) ? [{ device, ...value }] : [],
    );
    const own = { l: this.#line.marks, d: today };
    const isKnown = announced.some(({ device, l, d }) => device === key && l === own.l && d === own.d);
    const others = announced.filter(({ device }) => device !== key);
    const [live, gone] = [
      others.filter(({ d }) => today - d <= this.#liveDays),
      others.filter(({ d }) => today - d > this.#liveDays),
    ];
    const versions = live.map(({ l }) => this.#line.common(l)).filter((version) => version > 0);
    return {
      version: Math.min(this.#line.tip, ...versions),
      devices: versions.length + 1,
      announcement: isKnown ? [] : [{ key, value: own }],
      farewell: gone.map(({ device }) => ({ key: device, value: undefined })),
    };
  }

  async #name(): Promise<string> {
    const { [NAME]: known } = await this.#local.get<{ [NAME]?: unknown }>(NAME);
    if (typeof known === "string") return known;
    const name = crypto.randomUUID().slice(0, 8);
    await this.#local.set({ [NAME]: name });
    return name;
  }
}

function isAnnouncement(value: unknown): value is Announcement {
  return isObject(value) && typeof value["l"] === "string" && typeof value["d"] === "number";
}
