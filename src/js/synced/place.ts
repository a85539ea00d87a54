import { ExuviaError } from "../problem.js";
import type { Chain } from "../types.js";
import { Bare } from "./bare.js";
import { isObject, own } from "./json.js";
import type { Items } from "./types.js";

/** A record that carries its stamp. */
const STAMPED = "exuvia:s:";
/** What a record without a stamp has left behind on its way down. */
const BESIDE = "exuvia:r:";

/** A record of a synced area, and where it may stand. */
export interface Place {
  collection: Collection;
  key: string;
  /** The key of the item that carries a stamp. */
  stamped: string;
  /** The key of what is kept beside a record without one. */
  beside: string;
  /** All keys that say anything about the record. */
  keys: string[];
}

/** A collection of the chain in a synced area. */
export class Collection {
  readonly name: string;
  /** The first version that has it. */
  readonly since: number;
  readonly bare: Bare;
  readonly #stamped: string;
  readonly #beside: string;

  constructor(chain: Chain, name: string) {
    this.name = name;
    this.since = since(chain, name);
    this.bare = new Bare(chain, name);
    // No colon is left in the name, and no name begins another.
    this.#stamped = `${STAMPED}${encodeURIComponent(name)}:`;
    this.#beside = `${BESIDE}${encodeURIComponent(name)}:`;
  }

  place(key: string): Place {
    const [stamped, beside, bare] = [this.#stamped + key, this.#beside + key, this.bare.at(key)];
    const keys = [stamped, beside, ...(bare === undefined ? [] : [bare])];
    return { collection: this, key, stamped, beside, keys };
  }

  /** Where the records with a stamp are. */
  stampedIn(items: Items): Place[] {
    const keys = Object.keys(items).filter((key) => key.startsWith(this.#stamped));
    return keys.map((key) => this.place(key.slice(this.#stamped.length)));
  }

  /** The keys of the records that an item says something about, once `older` has become `newer`. */
  changed(storageKey: string, older: unknown, newer: unknown): string[] {
    for (const prefix of [this.#stamped, this.#beside]) {
      if (storageKey.startsWith(prefix)) return [storageKey.slice(prefix.length)];
    }
    return this.bare.changed(storageKey, older, newer);
  }
}

/** The collections of a chain that devices of different versions can share. */
export class Collections {
  readonly #chain: Chain;
  readonly #known = new Map<string, Collection>();

  constructor(chain: Chain) {
    this.#chain = chain;
  }

  get(name: string): Collection {
    const collection = this.#known.get(name) ?? new Collection(this.#chain, name);
    this.#known.set(name, collection);
    return collection;
  }

  /** All of them. */
  all(): Collection[] {
    const names = new Set(this.#chain.stages.flatMap(({ collections }) => Object.keys(collections)));
    return [...names].filter((name) => refusal(this.#chain, name) === undefined).map((name) => this.get(name));
  }
}

function since(chain: Chain, name: string): number {
  const message = refusal(chain, name);
  if (message !== undefined) throw new ExuviaError({ kind: "chain", collection: name, message });
  return chain.stages.findIndex(({ collections }) => Object.hasOwn(collections, name)) + 1;
}

/** Why a collection cannot be shared: a device reads and writes single records, and must find them by the same name. */
function refusal(chain: Chain, name: string): string | undefined {
  const { stages } = chain;
  if (!stages.some(({ collections }) => Object.hasOwn(collections, name))) {
    return `expected a collection of the chain, found ${JSON.stringify(name)}`;
  }
  const moves = stages.some(
    ({ collections, ["rehomes"]: rehomes }) => own(collections, name) === null || mentions(rehomes, name),
  );
  if (!moves) return undefined;
  return `expected a collection that keeps its name and its records at every version, found ${JSON.stringify(name)} renamed, dropped or taken apart; keep it in storage.local`;
}

function mentions(part: unknown, name: string): boolean {
  return part === name || (isObject(part) && Object.values(part).some((inner) => mentions(inner, name)));
}
