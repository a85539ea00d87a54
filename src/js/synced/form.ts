import { ExuviaError } from "../problem.js";
import { isObject, own } from "./json.js";
import type { Line } from "./line.js";
import type { Place } from "./place.js";
import type { Items } from "./types.js";

/** A record as it stands in the area, or on its way. */
export interface Form {
  version: number;
  record: unknown;
  /** What it has left behind where this version has no place for it. */
  residue: unknown;
  /** When it was first written with a stamp or a residue, in seconds since 1970: the time that steps are told, so that
   * every device makes the same of it. Absent where only builds from before Exuvia have written it. */
  at?: number;
}

/** An item with a stamp. Its names are short, for it has 8,192 bytes. */
interface Stamped {
  /** The version, and its mark. */
  v: number;
  h: string;
  t: number;
  r: unknown;
  /** The residue, where there is any. */
  k?: unknown;
}

/** What is beside a record without a stamp. */
interface Beside {
  t: number;
  k: unknown;
}

/** A record as the item that carries its stamp. */
export function stamped(line: Line, { version, record, residue, at }: Required<Form>): Stamped {
  const kept = isObject(residue) && Object.keys(residue).length > 0;
  return { v: version, h: line.mark(version), t: at, r: record, ...(kept && { k: residue }) };
}

export function beside({ residue, at }: Required<Form>): Beside {
  return { t: at, k: residue };
}

/** The record that carries a stamp. Throws where this build cannot read it. */
export function stampedForm(line: Line, items: Items, place: Place): Required<Form> | undefined {
  const item = own(items, place.stamped);
  if (item === undefined) return undefined;
  const { version, mark } = stampOf(item);
  if (!isObject(item) || !version || mark === undefined || !("r" in item)) {
    throw unreadable(place, "stamp", "expected an item as Exuvia writes it, found something else; it is left as it is");
  }
  const standing = line.standing(version, mark);
  if (standing === "newer") {
    const expected = `expected a record of version ${line.tip} or older, found version ${version}`;
    throw unreadable(place, "newer", `${expected}, which another device wrote; update the extension on this one`);
  }
  if (standing === "fork") {
    const expected = `expected version ${version} of this chain, found that of another`;
    throw unreadable(place, "fork", `${expected}, which another device wrote; it is left as it is`);
  }
  return { version, record: item["r"], residue: item["k"] ?? {}, at: timeOf(item) };
}

/** The record that carries none, with what is kept beside it. */
export function bareForm(items: Items, place: Place): Form | undefined {
  const record = place.collection.bare.find(items, place.key);
  if (record === undefined) return undefined;
  const kept = own(items, place.beside);
  if (!isObject(kept)) return { version: 1, record, residue: {} };
  return { version: 1, record, residue: kept["k"] ?? {}, at: timeOf(kept) };
}

function stampOf(item: unknown): { version?: number; mark?: string } {
  if (!isObject(item) || !Number.isInteger(item["v"]) || typeof item["h"] !== "string") return {};
  return { version: Math.max(0, item["v"] as number), mark: item["h"] };
}

function timeOf(item: Record<string, unknown>): number {
  return typeof item["t"] === "number" ? item["t"] : 0;
}

function unreadable({ collection, key }: Place, kind: string, message: string): ExuviaError {
  return new ExuviaError({ kind, message, collection: collection.name, record: key });
}
