import { shownPath, type Message } from "./chatgpt.js";
import { conversations } from "./generator.js";
import { prose } from "./prose.js";
import { Random } from "./random.js";
import type { JsonObject, Storage } from "./json.js";

/** Fields that version 1 does not know, with names that careless code mistakes for something else. JSON text, because
 * in an object literal `__proto__` would set the prototype. */
const UNKNOWN = `{
  "__proto__": { "polluted": true, "__proto__": null },
  "constructor": "not a function",
  "a.b": 1, "a/b": { "~": "tilde", "~1": "escaped slash", "": "no name" }, "$set": { "$where": "no" },
  "x-null": null, "x-empty": {}, "x-list": [], "x-deep": [[{ "k": [null, { "v": 1.5 }] }]],
  "x-large": 9007199254740991, "x-small": 5e-324, "x-huge": 1.7976931348623157e308, "0": "index", "sender": "human",
  "ключ": "знач", "👩‍👩‍👧‍👦": "family"
}`;

/** Every way in which version 1 of the preferences was written. */
export const PREFERENCES: Record<"full" | "plain" | "strict", JsonObject> = {
  full: {
    ...unknownFields(),
    model_preference: "gpt-4o",
    privacy_mode: "balanced",
    auto_distill: true,
    theme: "light",
    shortcuts: { distill: "Ctrl+Shift+D", "a.b": "Alt+1", "": "F1" },
    api_keys: { openai: "sk-example-0000", "https://example.org/a/b": "~" },
  },
  plain: { model_preference: "", privacy_mode: "open", theme: "system", shortcuts: {}, api_keys: {} },
  strict: {
    model_preference: "o1",
    privacy_mode: "strict",
    auto_distill: false,
    theme: "dark",
    shortcuts: {},
    api_keys: {},
  },
};

/** Keys of storage that belong to no collection of the chain: a migration leaves them alone. */
export function strangers(): Storage {
  return {
    "scratch.pad": { text: "keep me" },
    conversation: "not a record",
    distillation_draft: [1, null, "x"],
    "ui/width": 320,
  };
}

/** Conversations as version 1 stores them. */
export function conversationsOne(count: number): JsonObject[] {
  return [...conversations(count)].map((conversation) => ({
    id: conversation.id,
    title: conversation.title ?? "",
    create_time: conversation.create_time,
    update_time: conversation.update_time,
    messages: shownPath(conversation).flatMap(messageOne),
  }));
}

function messageOne({ author, content, create_time: time }: Message): JsonObject[] {
  const sender = author.role === "user" ? "human" : author.role;
  if (sender === "system") return [];
  const parts = "parts" in content ? content.parts : [content.text];
  const text = parts.flatMap((part) => (typeof part === "string" ? part : [])).join("\n");
  return [{ sender, text, time }];
}

/** Everything that an installation of version 1 may hold. */
export function storageOne(count = 200): Storage {
  const records = conversationsOne(count);
  const ids = [...conversations(count)].map(({ id }) => id);
  return {
    ...strangers(),
    user_preferences: PREFERENCES.full,
    conversations: records,
    distillations: distillations(30, ids),
  };
}

const TAGS = ["rust", "travel", "to read", "مهم", "日本", "💡", "a,b", "x-y", "__proto__"];

/** Identifiers that are hard for a store that builds keys or paths from them. */
const HARD_IDS = ["a.b", "a/b", "~", "~0", "constructor", "__proto__", "🦋", "مذكرة", "0", "distillation:x", " "];

/** `count` distillations in the form of version 1, drawn from conversations with the given ids. */
export function distillations(count: number, conversationIds: readonly string[], seed = 4): JsonObject {
  const random = new Random(seed);
  const entries: [string, JsonObject][] = [];
  for (let i = 0; i < count; i++) {
    const id = HARD_IDS[i] ?? `note-${random.hex(10)}`;
    entries.push([id, distillation(random, random.pick(conversationIds))]);
  }
  // `fromEntries` makes a plain member of `__proto__`, which an assignment would not.
  return Object.fromEntries(entries);
}

/** A note that fits version 1, whose time lies in no year that ISO 8601 can write. */
export function timelessDistillation(conversationId: string): JsonObject {
  return { conversation: conversationId, text: "A note from the end of time.", tags: "", created: 1e300 };
}

function distillation(random: Random, conversation: string): JsonObject {
  const tags = Array.from({ length: random.below(5) }, () => random.pick(TAGS));
  return {
    ...(random.chance(0.1) ? unknownFields() : {}),
    conversation,
    text: random.chance(0.05) ? "" : prose(random, random.between(20, 600)),
    tags: tags.join(random.chance(0.1) ? "," : ", "),
    created: 1_700_000_000 + random.below(10 ** 9) / 1_000,
  };
}

/** Unknown fields, with others nested in them. */
function unknownFields(): JsonObject {
  return { ...(JSON.parse(UNKNOWN) as JsonObject), nested: { unknown: JSON.parse(UNKNOWN) as JsonObject } };
}
