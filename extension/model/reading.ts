import { isStored, type Stored } from "./fields.js";
import type { Branch, Message } from "./view.js";

// Records that did not fit before a migration, in places that it did not touch, are left as they are. So a page reads
// each member with care: what is not of the expected type shows as empty, and nothing stops the rest.

export const text = (value: unknown): string => (typeof value === "string" ? value : "");

export const records = (value: unknown): Stored[] => (Array.isArray(value) ? value.filter(isStored) : []);

export const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];

export const fromSeconds = (value: unknown): number | undefined =>
  typeof value === "number" ? value * 1000 : undefined;

export function fromIso(value: unknown): number | undefined {
  const time = typeof value === "string" ? Date.parse(value) : NaN;
  return Number.isNaN(time) ? undefined : time;
}

export function roleOf(value: unknown): Message["role"] {
  if (value === "assistant" || value === "tool") return value;
  return "user";
}

/** No migration knows of branches, so they keep the form in which they were imported. */
export function branchesOf(conversation: Stored): Branch[] {
  return records(conversation["branches"]).map(({ sender, text: said, time, after }) => ({
    role: roleOf(sender),
    text: text(said),
    time: fromSeconds(time),
    after: typeof after === "number" ? after : 0,
  }));
}

/** Cuts a list into batches. */
export function* batches<T>(items: readonly T[], size: number): Generator<T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}
