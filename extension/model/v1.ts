import { distilField, isStored, modelField, type Stored, THEME, valuesOf, withValues } from "./fields.js";
import { batches, branchesOf, fromSeconds, records, roleOf, text } from "./reading.js";
import type { Conversation, Distillation, Model } from "./view.js";

const PREFERENCES = "user_preferences";
const CONVERSATIONS = "conversations";
const DISTILLATIONS = "distillations";

const DEFAULTS: Stored = {
  model_preference: "automatic",
  privacy_mode: "balanced",
  auto_distill: false,
  theme: "system",
  shortcuts: {},
  api_keys: {},
};

/** All conversations, which stand under one key: read with `counts`, the first call of a page, and held from then on. */
let held: Promise<Stored[]> | undefined;

/** Version 1: one key for all conversations, one for all distillations. */
export const model: Model = {
  readsWhileRefused: false,

  async counts() {
    held = undefined;
    const [conversations, distillations] = await Promise.all([readConversations(), readDistillations()]);
    return { conversations: conversations.length, distillations: distillations.length };
  },

  async *conversations() {
    for (const batch of batches(await readConversations(), 200)) {
      yield batch.map(conversation);
      await new Promise((next) => setTimeout(next));
    }
  },

  async conversation(id) {
    const found = (await readConversations()).find((record) => record["id"] === id);
    return found && conversation(found);
  },

  distillations: readDistillations,

  fields: [
    THEME,
    modelField("model_preference"),
    distilField("auto_distill"),
    {
      name: "privacy",
      label: "Privacy",
      at: ["privacy_mode"],
      input: {
        kind: "choice",
        choices: [
          { value: "strict", label: "Strict" },
          { value: "balanced", label: "Balanced" },
          { value: "open", label: "Open" },
        ],
      },
    },
  ],

  async preferences() {
    return valuesOf(this.fields, (await readPreferences()) ?? DEFAULTS);
  },

  async savePreferences(values) {
    const record = (await readPreferences()) ?? DEFAULTS;
    await chrome.storage.local.set({ [PREFERENCES]: withValues(this.fields, record, values) });
  },

  async seed() {
    const found = await chrome.storage.local.get([PREFERENCES, CONVERSATIONS, DISTILLATIONS]);
    if (Object.keys(found).length === 0) await chrome.storage.local.set({ [PREFERENCES]: DEFAULTS });
  },
};

function readConversations(): Promise<Stored[]> {
  held ??= chrome.storage.local.get(CONVERSATIONS).then((found) => records(found[CONVERSATIONS]));
  return held;
}

async function readDistillations(): Promise<Distillation[]> {
  const found = (await chrome.storage.local.get(DISTILLATIONS))[DISTILLATIONS];
  return Object.entries(isStored(found) ? found : {}).map(([id, record]) => distillation(id, record));
}

async function readPreferences(): Promise<Stored | undefined> {
  const found = (await chrome.storage.local.get(PREFERENCES))[PREFERENCES];
  return isStored(found) ? found : undefined;
}

function conversation(record: Stored): Conversation {
  return {
    id: text(record["id"]),
    title: text(record["title"]),
    created: fromSeconds(record["create_time"]),
    updated: fromSeconds(record["update_time"]),
    messages: records(record["messages"]).map(({ sender, text: said, time }) => ({
      role: roleOf(sender),
      text: text(said),
      time: fromSeconds(time),
    })),
    branches: branchesOf(record),
  };
}

function distillation(id: string, value: unknown): Distillation {
  const record = isStored(value) ? value : {};
  return {
    id,
    conversation: text(record["conversation"]),
    text: text(record["text"]),
    tags: text(record["tags"])
      .split(",")
      .map((tag) => tag.trim())
      .filter((tag) => tag !== ""),
    created: fromSeconds(record["created"]),
  };
}
