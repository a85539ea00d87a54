import type { Chain } from "../types.js";
import { isObject, own, same } from "./json.js";
import type { Items } from "./types.js";

/** What a `Layout` may be, member by member. */
type Known =
  | { is: "record"; key: string }
  | { is: "prefix"; prefix: string }
  | { is: "array"; key: string; id: string }
  | { is: "map"; key: string };

/** A key of the area and what it shall hold; `undefined` where it shall be removed. */
export interface Change {
  key: string;
  value: unknown;
}

/** The records of a collection that stand without a stamp, as builds from before Exuvia write and read them: at version 1,
 * where that version's layout says. */
export class Bare {
  readonly #collection: string;
  readonly #layout: Known | undefined;

  constructor(chain: Chain, collection: string) {
    this.#collection = collection;
    const baseline = chain.stages[0]?.collections ?? {};
    this.#layout = (Object.hasOwn(baseline, collection) ? baseline[collection]?.layout : undefined) as
      Known | undefined;
  }

  /** The key of the area under which a record is, or would be. */
  at(key: string): string | undefined {
    const layout = this.#layout;
    if (layout?.is === "prefix") return layout.prefix + key;
    return layout?.is === "record" && key !== this.#collection ? undefined : layout?.key;
  }

  /** The records under a key of the area, by their own keys. */
  records(storageKey: string, value: unknown): Map<string, unknown> {
    const layout = this.#layout;
    const records = new Map<string, unknown>();
    if (value === undefined || !layout) return records;
    if (layout.is === "prefix") {
      if (storageKey.startsWith(layout.prefix)) records.set(storageKey.slice(layout.prefix.length), value);
    } else if (storageKey !== layout.key) {
      return records;
    } else if (layout.is === "record") {
      records.set(this.#collection, value);
    } else if (layout.is === "map") {
      for (const [key, record] of Object.entries(isObject(value) ? value : {})) records.set(key, record);
    } else {
      for (const record of Array.isArray(value) ? (value as unknown[]) : []) {
        const key = at(record, layout.id);
        if (typeof key === "string" && !records.has(key)) records.set(key, record);
      }
    }
    return records;
  }

  /** Whether a record, in the form of version 1, is found again by its key. */
  holds(key: string, record: unknown): boolean {
    return this.#layout?.is !== "array" || at(record, this.#layout.id) === key;
  }

  /** The record with this key; `undefined` where there is none. */
  find(items: Items, key: string): unknown {
    const storageKey = this.at(key);
    return storageKey === undefined ? undefined : this.records(storageKey, own(items, storageKey)).get(key);
  }

  /** What puts another record in the place of one that is there, or removes it; nothing where none is there. */
  change(items: Items, key: string, record: unknown): Change[] {
    const [layout, storageKey] = [this.#layout, this.at(key)];
    if (!layout || storageKey === undefined || this.find(items, key) === undefined) return [];
    const value = own(items, storageKey);
    const inside = record === undefined ? [] : [record];
    if (layout.is === "array" && Array.isArray(value)) {
      const index = value.findIndex((item) => at(item, layout.id) === key);
      return [{ key: storageKey, value: (value as unknown[]).toSpliced(index, 1, ...inside) }];
    }
    if (layout.is === "map" && isObject(value)) {
      const members = Object.entries(value).flatMap(([other, old]) =>
        other === key ? inside.map((record) => [other, record]) : [[other, old]],
      );
      return [{ key: storageKey, value: Object.fromEntries(members) as unknown }];
    }
    return [{ key: storageKey, value: record }];
  }

  /** The keys of the records that differ between two values of a key of the area. */
  changed(storageKey: string, older: unknown, newer: unknown): string[] {
    const [before, after] = [this.records(storageKey, older), this.records(storageKey, newer)];
    const keys = new Set([...before.keys(), ...after.keys()]);
    return [...keys].filter((key) => !same(before.get(key), after.get(key)));
  }
}

/** What stands at a JSON Pointer. */
function at(value: unknown, pointer: string): unknown {
  const names = pointer.split("/").slice(1);
  const unescaped = names.map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
  return unescaped.reduce((inner, name) => (isObject(inner) ? own(inner, name) : undefined), value);
}
