import { CONTROL_KEY, isObject, type Json, type JsonObject, type Storage } from "./json.js";
import { withoutControl } from "./oracle.js";

export interface Difference {
  /** The storage key, and within its value a JSON Pointer. */
  key: string;
  path: string;
  expected: string;
  actual: string;
}

const ABSENT = "nothing";

/** Where two storages differ in what is the user's. The order of an object's members means nothing; everything else
 * does: absent is not null, and text is compared by code units. */
export function compare(expected: Storage, actual: Storage): Difference[] {
  return members(withoutControl(expected), withoutControl(actual)).flatMap(([key, left, right]) => {
    return [...differences(left, right, "")].map((difference) => ({ key, ...difference }));
  });
}

/** Where two storages are not the same to the byte: the JSON text of each value, members in their order. Only the
 * control key may differ; residue or another remnant of a run may not be there. */
export function compareBytes(expected: Storage, actual: Storage): Difference[] {
  return members(expected, actual).flatMap(([key, left, right]) => {
    if (key === CONTROL_KEY || JSON.stringify(left) === JSON.stringify(right)) return [];
    const [first] = differences(left, right, "");
    return [{ key, ...(first ?? { path: "", expected: "the same order of members", actual: "another" }) }];
  });
}

/** The first few differences, for an error message. */
export function describe(differences: readonly Difference[], limit = 5): string {
  const lines = differences
    .slice(0, limit)
    .map(
      ({ key, path, expected, actual }) =>
        `  ${JSON.stringify(key)} at "${path}": expected ${expected}, found ${actual}`,
    );
  if (differences.length > limit) lines.push(`  and ${differences.length - limit} more`);
  return lines.join("\n");
}

function* differences(
  expected: Json | undefined,
  actual: Json | undefined,
  path: string,
): Generator<Omit<Difference, "key">> {
  if (isObject(expected) && isObject(actual)) {
    for (const [name, left, right] of members(expected, actual))
      yield* differences(left, right, `${path}/${escaped(name)}`);
  } else if (Array.isArray(expected) && Array.isArray(actual)) {
    for (let i = 0; i < Math.max(expected.length, actual.length); i++)
      yield* differences(expected[i], actual[i], `${path}/${i}`);
  } else if (expected !== actual) {
    yield { path, expected: shown(expected), actual: shown(actual) };
  }
}

/** Each name that either has, with both values; own members only. */
function members(left: JsonObject, right: JsonObject): [string, Json | undefined, Json | undefined][] {
  const names = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...names].map((name) => [name, own(left, name), own(right, name)]);
}

function own(object: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

function escaped(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}

function shown(value: Json | undefined): string {
  if (value === undefined) return ABSENT;
  const text = JSON.stringify(value);
  return text.length > 100 ? `${text.slice(0, 100)}… (${text.length} characters)` : text;
}
