import { readFileSync } from "node:fs";
import type { Chain, SyncedOptions, Translator } from "exuvia";
import { Synced } from "../../pkg/index.js";
import { Engine, initSync } from "../../pkg/engine.js";
import { problemOf } from "../../pkg/problem.js";
import { Cloud, FakeClock, MemoryArea, type SyncArea } from "./area.js";

initSync({ module: readFileSync(new URL("../../pkg/engine_bg.wasm", import.meta.url)) });

const REFERENCE = JSON.parse(
  readFileSync(new URL("../../extension/chain/chain.json", import.meta.url), "utf8"),
) as Chain;

// Node 20 has none. One at a time is all that a device asks of them.
Object.defineProperty(globalThis, "navigator", { value: { locks: { request: oneAtATime() } }, configurable: true });

/** The chain of a build that knows this many versions. */
export function chainUpTo(version: number): Chain {
  return { ...REFERENCE, line: REFERENCE.line.slice(0, version), stages: REFERENCE.stages.slice(0, version) };
}

/** Translates with the module, as `Exuvia` does in a browser. */
export function translator(chain: Chain): Translator & { calls: number } {
  const engine = new Engine(new MemoryArea().asArea(), JSON.stringify(chain), 0, 0, 0, new Promise(() => undefined));
  return {
    calls: 0,
    async translate(collection, record, from, to, residue, { key, now = 0 }) {
      this.calls += 1;
      try {
        const [text, kept] = [JSON.stringify(record), JSON.stringify(residue)];
        const moved = engine.translate(collection, from, to, text, kept, key, now);
        const parsed: unknown[] = [JSON.parse(moved.record), JSON.parse(moved.residue)];
        return await Promise.resolve({ record: parsed[0], residue: parsed[1] });
      } catch (error) {
        throw problemOf(error);
      }
    },
  };
}

/** A user's device with the extension on it. */
export class Device {
  readonly area: SyncArea;
  readonly #clock: FakeClock;
  readonly #local = new MemoryArea();
  version: number;
  synced: Synced;

  constructor(cloud: Cloud, clock: FakeClock, version: number, options: Partial<SyncedOptions> = {}) {
    this.area = cloud.area(clock);
    this.#clock = clock;
    this.version = version;
    this.synced = this.#start(options);
  }

  /** Another build of the extension comes. The device stays what it is called. */
  update(version: number): void {
    this.version = version;
    this.synced = this.#start({});
  }

  #start(options: Partial<SyncedOptions>): Synced {
    const chain = chainUpTo(this.version);
    return new Synced({
      chain,
      exuvia: translator(chain),
      area: this.area.asArea(),
      local: this.#local.asArea(),
      session: new MemoryArea().asArea(),
      clock: this.#clock,
      ...options,
    });
  }
}

function oneAtATime() {
  let last: Promise<unknown> = Promise.resolve();
  return <T>(_name: string, _options: unknown, body: () => Promise<T>): Promise<T> => {
    const result = last.then(body);
    last = result.catch(() => undefined);
    return result;
  };
}
