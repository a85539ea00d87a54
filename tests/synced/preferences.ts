import { isObject, type Json, type JsonObject } from "../json.js";
import type { Random } from "../random.js";

type Mode = "strict" | "balanced" | "open";

/** A user's preferences as they are meant, in no version's form. Versions 1 to 4 say a mode where version 5 says three
 * switches; each is kept until the other is changed. */
export interface Preferences {
  model: string;
  distill: boolean;
  theme: string;
  /** A field that no version knows. */
  odd: number;
  mode: Mode;
  privacy: JsonObject;
  /** The two as a device of version 5 last saw them: a user who sets the mode back has the switches back. */
  pair: { mode: Mode; privacy: JsonObject };
}

const SWITCHES: Record<Mode, JsonObject> = {
  strict: { store_history: false, share_usage: false, retain_days: 7 },
  balanced: { store_history: true, share_usage: false, retain_days: 90 },
  open: { store_history: true, share_usage: true, retain_days: 365 },
};
const MODES = Object.keys(SWITCHES) as Mode[];

/** What a device of a version shows. */
export function shown({ model, distill, theme, odd, mode, privacy }: Preferences, version: number): JsonObject {
  const others = { theme, shortcuts: {}, api_keys: {}, odd };
  if (version === 1) return { ...others, model_preference: model, privacy_mode: mode, auto_distill: distill };
  const ai_settings = { model_preference: model, auto_distill: distill };
  if (version < 5) return { ...others, ai_settings: { ...ai_settings, privacy_mode: mode } };
  return { ...others, ai_settings, privacy };
}

/** What a user on a device of a version can have made of what was there. */
export function edited(random: Random, before: Preferences | undefined, version: number): Preferences {
  const old = before ?? fresh(random);
  const others = {
    ...old,
    theme: random.pick(["light", "dark", "system"]),
    ...(random.chance(0.3) && { model: `m${random.below(5)}`, odd: random.below(9) }),
    ...(random.chance(0.3) && { distill: random.chance(0.5) }),
  };
  if (version < 5) return before && random.chance(0.5) ? others : withMode(others, random.pick(MODES));
  if (before && random.chance(0.5)) return withPrivacy(others, before.privacy, before);
  const privacy = { store_history: random.chance(0.5), share_usage: random.chance(0.5), retain_days: random.below(99) };
  return withPrivacy(others, random.chance(0.3) ? SWITCHES[random.pick(MODES)] : privacy, before);
}

function withMode(preferences: Preferences, mode: Mode): Preferences {
  const { pair } = preferences;
  return { ...preferences, mode, privacy: mode === pair.mode ? pair.privacy : SWITCHES[mode] };
}

function withPrivacy(preferences: Preferences, privacy: JsonObject, before: Preferences | undefined): Preferences {
  const found = MODES.find((candidate) => equal(SWITCHES[candidate], privacy)) ?? "strict";
  const mode = before && equal(before.privacy, privacy) ? before.mode : found;
  return { ...preferences, mode, privacy, pair: { mode, privacy } };
}

function fresh(random: Random): Preferences {
  const mode = random.pick(MODES);
  const pair = { mode, privacy: SWITCHES[mode] };
  return { model: "m", distill: random.chance(0.5), theme: "dark", odd: 1, ...pair, pair };
}

/** Regardless of the order of members. */
export function equal(a: Json | undefined, b: Json | undefined): boolean {
  return canonical(a) === canonical(b);
}

export function canonical(value: Json | undefined): string {
  return JSON.stringify(value, (_, part: Json) =>
    isObject(part) ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1))) : part,
  );
}
