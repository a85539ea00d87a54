import { locked } from "../lock.js";
import { ExuviaError } from "../problem.js";
import type { Change } from "./bare.js";
import { own, same, unstorable } from "./json.js";
import { Limits } from "./limits.js";
import { Pace } from "./pace.js";
import type { Clock, Items } from "./types.js";

/** Held by whoever writes. */
const LOCK = "exuvia:synced";

/** What to change in an area that holds `items`. `needed` is written whole, or refused; `wanted` as far as it fits. */
export interface Plan {
  needed: Change[];
  wanted: Change[];
}

/** A storage area within its limits: what does not fit is refused before anything is written, and too many writes wait. */
export class Writer {
  readonly #area: chrome.storage.StorageArea;
  readonly #clock: Clock;
  readonly #waitMs: number;
  readonly #limits: Limits;
  readonly #pace: Pace;

  constructor(area: chrome.storage.StorageArea, session: chrome.storage.StorageArea, clock: Clock, waitMs: number) {
    this.#area = area;
    this.#clock = clock;
    this.#waitMs = waitMs;
    this.#limits = new Limits(area);
    this.#pace = new Pace(session, clock);
  }

  /** What the area holds: under these keys, or all of it. */
  async read(keys: string[] | null): Promise<Items> {
    return asked("read", () => this.#area.get<Items>(keys));
  }

  /** Changes the area as `plan` says. The plan is made again where the area has become another meanwhile. */
  async write(plan: (items: Items) => Promise<Plan>): Promise<void> {
    await locked(LOCK, "exclusive", this.#waitMs, async () => {
      const until = this.#clock.now() + this.#waitMs;
      for (;;) {
        await this.#pace.ready(until);
        const items = await this.read(null);
        const changes = this.#fitting(items, await plan(items));
        if (changes.length === 0) return;
        // Making the plan may have taken a while: the module was fetched, say.
        if (same(items, await this.read(null))) return this.#carryOut(changes, until);
        if (this.#clock.now() > until) throw new ExuviaError(RESTLESS);
      }
    });
  }

  #fitting(items: Items, { needed, wanted }: Plan): Change[] {
    const differs = ({ key, value }: Change) => !same(own(items, key), value);
    const changes = needed.filter(differs);
    const refusal = this.#limits.refusal(items, changes);
    if (refusal) throw new ExuviaError(refusal);
    if (changes.some(({ value }) => isTooDeep(value))) throw new ExuviaError(TOO_DEEP);
    for (const change of wanted.filter(differs)) {
      if (isTooDeep(change.value) || this.#limits.refusal(items, [...changes, change])) continue;
      changes.push(change);
    }
    return changes;
  }

  /** In two calls where something is removed as well: what is removed has been replaced. */
  async #carryOut(changes: Change[], until: number): Promise<void> {
    const set = changes.filter(({ value }) => value !== undefined);
    const removed = changes.filter(({ value }) => value === undefined);
    if (set.length > 0) {
      await this.#pace.spend();
      await asked("write", () => this.#area.set(Object.fromEntries(set.map(({ key, value }) => [key, value]))));
    }
    if (removed.length > 0) {
      await this.#pace.ready(until);
      await this.#pace.spend();
      await asked("remove", () => this.#area.remove(removed.map(({ key }) => key)));
    }
  }
}

const RESTLESS = {
  kind: "busy",
  message: "expected the area to hold still for a moment, found it changing all the time; try again",
};

const TOO_DEEP = {
  kind: "unstorable",
  message: "expected a record that nests less deep, found one whose form for older versions is too deep to be stored",
};

function isTooDeep(value: unknown): boolean {
  return value !== undefined && unstorable(value) !== undefined;
}

/** What the browser said, by its kind. It may count otherwise than we do, and others may write to the same area. */
async function asked<T>(doing: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    const kind = said.includes("WRITE_OPERATIONS") ? "busy" : /quota/i.test(said) ? "quota" : "store";
    throw new ExuviaError({ kind, message: `expected the browser to ${doing}, found: ${said}` });
  }
}
