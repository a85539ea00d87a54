/** What nests deeper than this, `chrome.storage` turns into null without a word. */
const LEVELS = 99;

/** Whether two values are the same JSON: objects in any order, a member that is undefined as one that is absent. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (!isObject(a) || !isObject(b) || Array.isArray(a) !== Array.isArray(b)) return false;
  const names = members(a);
  return names.length === members(b).length && names.every((name) => same(a[name], own(b, name)));
}

/** The path of the first part of a value that `chrome.storage` would not give back as it was: functions, dates and other
 * things that JSON has no word for, numbers without an end, halves of surrogate pairs, and what is nested too deep. */
export function unstorable(value: unknown, path = "", levels = LEVELS): string | undefined {
  if (levels < 0) return path;
  if (typeof value === "string") return isWellFormed(value) ? undefined : path;
  if (typeof value === "number") return Number.isFinite(value) ? undefined : path;
  if (!isObject(value)) return value === null || typeof value === "boolean" ? undefined : path;
  if (!isPlain(value)) return path;
  for (const name of Array.isArray(value) ? value.keys() : members(value)) {
    const inner = `${path}/${String(name).replaceAll("~", "~0").replaceAll("/", "~1")}`;
    const found = isWellFormed(String(name)) ? unstorable(value[name], inner, levels - 1) : inner;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A member of its own, whatever it is called. */
export function own(object: object, name: string): unknown {
  return Object.hasOwn(object, name) ? (object as Record<string, unknown>)[name] : undefined;
}

export function isObject(value: unknown): value is Record<string | number, unknown> {
  return typeof value === "object" && value !== null;
}

export function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

function members(object: Record<string, unknown>): string[] {
  return Object.keys(object).filter((name) => object[name] !== undefined);
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  // Of another realm, too: the prototype of all others has none itself.
  return Array.isArray(value) || prototype === null || Object.getPrototypeOf(prototype) === null;
}
