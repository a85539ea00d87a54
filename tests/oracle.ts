import { isControlKey, isObject, type Json, type JsonObject, type Storage } from "./json.js";

/** What the reference chain makes of the storage of version 1, at version 5. Written by hand from what each version
 * means, knowing nothing of the chain's files or of the engine, so that both cannot be wrong in the same way.
 * Objects are taken apart and put together by spread and rest alone: these keep a member named `__proto__`. */
export function versionFive(one: Storage): Storage {
  const { user_preferences: preferences, conversations, distillations, ...others } = one;
  return {
    ...others,
    ...(preferences === undefined
      ? {}
      : { user_preferences: preferencesFive(object(preferences, "user_preferences")) }),
    ...Object.fromEntries(list(conversations ?? [], "conversations").map(conversationFive)),
    ...Object.fromEntries(Object.entries(object(distillations ?? {}, "distillations")).map(distillationFive)),
  };
}

function preferencesFive(one: JsonObject): JsonObject {
  const { model_preference, privacy_mode, auto_distill = false, ...others } = one;
  return { ...others, ai_settings: defined({ model_preference, auto_distill }), privacy: privacy(privacy_mode) };
}

function privacy(mode: Json | undefined): JsonObject {
  switch (mode) {
    case "strict":
      return { store_history: false, share_usage: false, retain_days: 7 };
    case "balanced":
      return { store_history: true, share_usage: false, retain_days: 90 };
    case "open":
      return { store_history: true, share_usage: true, retain_days: 365 };
    default:
      throw new Error(`expected a privacy mode of version 1, found ${shown(mode)}`);
  }
}

function conversationFive(one: Json): [string, JsonObject] {
  const { create_time, update_time, messages, ...others } = object(one, "a conversation");
  const five = {
    ...others,
    create_time: time(create_time),
    update_time: time(update_time),
    messages: list(messages, "messages").map(messageFive),
  };
  return [`conversation:${text(others.id, "id")}`, five];
}

function messageFive(one: Json): JsonObject {
  const { sender, time: at, ...others } = object(one, "a message");
  return defined({ ...others, role: sender === "human" ? "user" : sender, time: time(at) });
}

function distillationFive([id, one]: [string, Json]): [string, JsonObject] {
  const { conversation, text: body, tags, ...others } = object(one, "a distillation");
  const five = {
    ...others,
    conversation_id: conversation,
    body: defined({ format: "markdown", text: body }),
    tags: tagList(text(tags, "tags")),
  };
  return [`distillation:${id}`, defined(five)];
}

function tagList(joined: string): string[] {
  return joined === "" ? [] : joined.split(", ");
}

function time(seconds: Json | undefined): Json {
  if (seconds === null) return null;
  if (typeof seconds !== "number") throw new Error(`expected a time in seconds, found ${shown(seconds)}`);
  return isoTime(seconds);
}

/** Seconds since 1970 as ISO 8601 in UTC, with exactly the decimals of the number's shortest text. Whole numbers only:
 * in floating point, 0.9 % of times come out a millisecond off. */
export function isoTime(seconds: number): string {
  const { units, decimals } = decimal(seconds);
  const scale = 10n ** BigInt(decimals);
  const fraction = ((units % scale) + scale) % scale;
  const whole = (units - fraction) / scale;
  // Exact, since the argument is a whole number of milliseconds below 2^53.
  const stem = new Date(Number(whole * 1_000n)).toISOString().slice(0, "2023-10-11T17:00:00".length);
  return decimals === 0 ? `${stem}Z` : `${stem}.${fraction.toString().padStart(decimals, "0")}Z`;
}

/** The number as `units` / 10^`decimals`, read from its text. */
function decimal(value: number): { units: bigint; decimals: number } {
  const parts = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value));
  if (!parts) throw new Error(`expected a finite number, found ${value}`);
  const [, sign = "", digits = "", fraction = "", exponent = "0"] = parts;
  const decimals = fraction.length - Number(exponent);
  const units = BigInt(sign + digits + fraction + "0".repeat(Math.max(0, -decimals)));
  return { units, decimals: Math.max(0, decimals) };
}

/** Without the members that were absent. */
function defined(members: { [member: string]: Json | undefined }): JsonObject {
  const present = Object.entries(members).filter((member): member is [string, Json] => member[1] !== undefined);
  return Object.fromEntries(present);
}

function object(value: Json | undefined, what: string): JsonObject {
  if (isObject(value)) return value;
  throw new Error(`expected ${what} to be an object, found ${shown(value)}`);
}

function list(value: Json | undefined, what: string): Json[] {
  if (Array.isArray(value)) return value;
  throw new Error(`expected ${what} to be a list, found ${shown(value)}`);
}

function text(value: Json | undefined, what: string): string {
  if (typeof value === "string") return value;
  throw new Error(`expected ${what} to be text, found ${shown(value)}`);
}

function shown(value: Json | undefined): string {
  return value === undefined ? "nothing" : JSON.stringify(value).slice(0, 80);
}

/** How many records the chain sees in the storage of version 1. */
export function recordCount(one: Storage): number {
  const { user_preferences: preferences, conversations = [], distillations = {} } = one;
  const lists =
    list(conversations, "conversations").length + Object.keys(object(distillations, "distillations")).length;
  return lists + (preferences === undefined ? 0 : 1);
}

/** The keys of storage that are the user's. */
export function withoutControl(storage: Storage): Storage {
  return Object.fromEntries(Object.entries(storage).filter(([key]) => !isControlKey(key)));
}
