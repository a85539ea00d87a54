/** One preference, as the form shows it and as it stands in the stored record. */
export interface Field {
  name: string;
  label: string;
  hint?: string;
  /** The members that lead to it in the record. */
  at: readonly string[];
  input:
    | { kind: "switch" }
    | { kind: "text" }
    | { kind: "number"; min: number; max: number; unit: string }
    | { kind: "choice"; choices: readonly { value: string; label: string }[] };
}

export type Value = string | number | boolean;
export type Stored = Record<string, unknown>;

/** The fields that are the same in all versions, but for where they stand. */
export const THEME: Field = {
  name: "theme",
  label: "Appearance",
  at: ["theme"],
  input: {
    kind: "choice",
    choices: [
      { value: "light", label: "Light" },
      { value: "dark", label: "Dark" },
      { value: "system", label: "As the system" },
    ],
  },
};

export const modelField = (...at: string[]): Field => ({
  name: "model",
  label: "Model",
  hint: "Asked first when you distil a conversation.",
  at,
  input: { kind: "text" },
});

export const distilField = (...at: string[]): Field => ({
  name: "distil",
  label: "Distil by itself",
  hint: "Draws a note from each conversation when it ends.",
  at,
  input: { kind: "switch" },
});

/** The value of each field that has one. */
export function valuesOf(fields: readonly Field[], record: Stored): Record<string, Value> {
  const values: Record<string, Value> = {};
  for (const { name, at } of fields) {
    const value = at.reduce<unknown>((inner, member) => (isStored(inner) ? inner[member] : undefined), record);
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") values[name] = value;
  }
  return values;
}

/** The record with these values, and everything else in it as it was. */
export function withValues(fields: readonly Field[], record: Stored, values: Record<string, Value>): Stored {
  return fields.reduce((changed, { name, at }) => {
    const value = values[name];
    return value === undefined ? changed : placed(changed, at, value);
  }, record);
}

function placed(record: Stored, [member, ...rest]: readonly string[], value: Value): Stored {
  if (member === undefined) return record;
  if (rest.length === 0) return { ...record, [member]: value };
  const inner = record[member];
  return { ...record, [member]: placed(isStored(inner) ? inner : {}, rest, value) };
}

export const isStored = (value: unknown): value is Stored =>
  typeof value === "object" && value !== null && !Array.isArray(value);
