/** Firefox keeps structured clones where Chromium keeps JSON, which is all that the engine knows. This is the area of a
 * Firefox as the engine sees it: what JSON cannot say is said in JSON all the same, and what no way is known to say is
 * refused by name. */

/** The only member of an object that stands for such a value: its kind, and what it is made of. */
const CLONE = "exuvia:clone";

interface Kind {
  /** Takes a value apart, into JSON. */
  take: (value: never) => unknown;
  /** Puts it together again. */
  make: (parts: never) => unknown;
}

/** By their names in `Object.prototype.toString`. */
const KINDS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  // As an item; a member that is undefined is as good as absent, and left out.
  ["Undefined", { take: () => null, make: () => undefined }],
  // Those that are not finite.
  ["Number", { take: String, make: Number }],
  ["BigInt", { take: String, make: BigInt }],
  ["Date", { take: (date: Date) => date.getTime(), make: (time: number | null) => new Date(time ?? NaN) }],
  ["RegExp", { take: ({ source, flags }: RegExp) => [source, flags], make: patternOf }],
  ["Map", { take: (map: Map<unknown, unknown>) => encoded([...map]), make: (all: []) => new Map(decoded(all) as []) }],
  ["Set", { take: (set: Set<unknown>) => encoded([...set]), make: (all: []) => new Set(decoded(all) as []) }],
  ["Uint8Array", { take: (bytes: Uint8Array) => [...bytes], make: (all: number[]) => new Uint8Array(all) }],
  ["ArrayBuffer", { take: (buffer: ArrayBuffer) => [...new Uint8Array(buffer)], make: bufferOf }],
  // One that has the member which says that it is none.
  [
    "Object",
    { take: (object: object) => withMembers(object, encoded), make: (all: object) => withMembers(all, decoded) },
  ],
]);

/** A value that cannot be said in JSON. */
class UnsavableValue extends Error {
  override readonly name = "UnsavableValue";
  readonly kind: string;
  path = "";

  constructor(kind: string) {
    super();
    this.kind = kind;
  }

  in(member: string): this {
    this.path = `/${member.replaceAll("~", "~0").replaceAll("/", "~1")}${this.path}`;
    return this;
  }

  under(key: string): this {
    this.message =
      `${this.kind} at ${JSON.stringify(this.path)} under the storage key ${JSON.stringify(key)}, of which no copy ` +
      "can be saved; keep it in IndexedDB, or store what it is made of";
    return this;
  }
}

/** An area whose values are JSON, over one whose values are structured clones. */
export function jsonArea(area: chrome.storage.StorageArea): chrome.storage.StorageArea {
  const get = async (wanted: string[] | null) => {
    const found = Object.entries(await area.get<Record<string, unknown>>(wanted));
    return Object.fromEntries(found.map(([key, value]) => [key, saved(key, value)]));
  };
  const set = (items: Record<string, unknown>) => area.set(withMembers(items, decoded));
  // Bound, since an area's methods want the area itself.
  const own = { get, set, remove: area.remove.bind(area) };
  // Older ones do not have these, and are asked whether they do.
  const keys = "getKeys" in area ? { getKeys: area.getKeys.bind(area) } : {};
  const bytes = "getBytesInUse" in area ? { getBytesInUse: area.getBytesInUse.bind(area) } : {};
  return { ...own, ...keys, ...bytes } as unknown as chrome.storage.StorageArea;
}

function saved(key: string, value: unknown): unknown {
  try {
    return encoded(value);
  } catch (error) {
    // The stack is full: it goes in a circle, or deeper than any store of JSON would keep.
    throw (error instanceof UnsavableValue ? error : new UnsavableValue("value without an end")).under(key);
  }
}

/** The value in JSON; itself where it is JSON. */
export function encoded(value: unknown): unknown {
  if (typeof value === "string" || typeof value === "boolean" || value === null) return value;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  const kind = kindOf(value);
  if (kind === "Array" || (kind === "Object" && !Object.hasOwn(value as object, CLONE))) {
    return withMembers(value as object, encoded);
  }
  const { take } = KINDS.get(kind) ?? {};
  if (!take) throw new UnsavableValue(kind);
  return { [CLONE]: [kind, take(value as never)] };
}

/** What was encoded; the value itself where nothing was. */
export function decoded(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const [kind, parts] = (Object.hasOwn(value, CLONE) && (value as { [CLONE]: unknown[] })[CLONE]) || [];
  const { make } = KINDS.get(String(kind)) ?? {};
  return make ? make(parts as never) : withMembers(value, decoded);
}

function kindOf(value: unknown): string {
  const kind = Object.prototype.toString.call(value).slice("[object ".length, -1);
  // A number in an object's clothes is not the number.
  const boxed = typeof value === "object" && ["Number", "BigInt", "String", "Boolean"].includes(kind);
  return boxed ? `${kind} object` : kind;
}

/** The object or array with each member changed; itself where none changes. */
function withMembers(whole: object, change: (value: unknown) => unknown): object {
  const members = Object.entries<unknown>(whole as Record<string, unknown>);
  const isList = Array.isArray(whole);
  if (isList && members.length !== whole.length) throw new UnsavableValue("array with gaps");
  const present = isList ? members : members.filter(([, value]) => value !== undefined);
  const others = present.map(([name, value]): [string, unknown] => [name, changed(name, value, change)]);
  const same = others.length === members.length && others.every(([, value], index) => value === present[index]?.[1]);
  if (same) return whole;
  return isList ? others.map(([, value]) => value) : Object.fromEntries(others);
}

function changed(name: string, value: unknown, change: (value: unknown) => unknown): unknown {
  try {
    return change(value);
  } catch (error) {
    throw error instanceof UnsavableValue ? error.in(name) : error;
  }
}

function patternOf([source, flags]: [string, string]): RegExp {
  return new RegExp(source, flags);
}

function bufferOf(bytes: number[]): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
