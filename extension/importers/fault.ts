/** What is wrong with a file, and where. It names members, types and ids, never what the file says. */
export class ImportFault extends Error {
  override readonly name = "ImportFault";
}

/** A conversation of the file, for messages about it. */
export class Place {
  readonly #index: number;
  #id = "";

  constructor(index: number) {
    this.#index = index;
  }

  named(id: string): void {
    this.#id = id.length > 80 ? `${id.slice(0, 80)}…` : id;
  }

  fault(message: string): ImportFault {
    return new ImportFault(`${this.toString()}: ${message}`);
  }

  expected(what: string, at: string, found: unknown): ImportFault {
    return this.fault(`expected ${what} at "${at}", found ${kindOf(found)}`);
  }

  toString(): string {
    return `Conversation ${this.#index + 1}${this.#id && ` (id ${JSON.stringify(this.#id)})`}`;
  }
}

export type Members = Record<string, unknown>;

export const isMembers = (value: unknown): value is Members =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The member `name`, if the object has it itself: a file may hold names such as `__proto__`. */
export const member = (object: Members, name: string): unknown =>
  Object.hasOwn(object, name) ? object[name] : undefined;

export function kindOf(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  switch (typeof value) {
    case "object":
      return "an object";
    case "string":
      return value === "" ? "empty text" : "text";
    case "boolean":
      return "true or false";
    default:
      return "a number";
  }
}

/** The browser's storage turns what is nested more than 99 deep into null, without a word. What a file brings along
 * unread may come to 90; the record around it takes the rest. */
const DEEPEST = 90;

export function isTooDeep(value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > DEEPEST) return true;
    level = level.flatMap((item): unknown[] => (typeof item === "object" && item !== null ? Object.values(item) : []));
  }
  return false;
}
