import { distilField, isStored, modelField, type Stored, THEME, valuesOf, withValues } from "./fields.js";
import { batches, branchesOf, fromIso, fromSeconds, records, roleOf, text, texts } from "./reading.js";
import type { Conversation, Distillation, Model } from "./view.js";

const PREFERENCES = "user_preferences";
const CONVERSATION = "conversation:";
const DISTILLATION = "distillation:";

/** About 2 MB of conversations: large enough that the calls cost little, small enough that a page draws in between. */
const BATCH = 100;

const DEFAULTS: Stored = {
  ai_settings: { model_preference: "automatic", auto_distill: false },
  privacy: { store_history: true, share_usage: false, retain_days: 90 },
  theme: "system",
  shortcuts: {},
  api_keys: {},
};

/** Version 5: a key for each conversation and each distillation. */
export const model: Model = {
  async counts() {
    const keys = await allKeys();
    return {
      conversations: keys.filter((key) => key.startsWith(CONVERSATION)).length,
      distillations: keys.filter((key) => key.startsWith(DISTILLATION)).length,
    };
  },

  async *conversations() {
    for await (const found of readAll(CONVERSATION)) {
      yield found.map(([id, record]) => conversation(id, record));
    }
  },

  async conversation(id) {
    const key = CONVERSATION + id;
    const record = (await chrome.storage.local.get(key))[key];
    return isStored(record) ? conversation(id, record) : undefined;
  },

  async distillations() {
    const all: Distillation[] = [];
    for await (const found of readAll(DISTILLATION)) all.push(...found.map(([id, record]) => distillation(id, record)));
    return all;
  },

  fields: [
    THEME,
    modelField("ai_settings", "model_preference"),
    distilField("ai_settings", "auto_distill"),
    { name: "history", label: "Keep history", at: ["privacy", "store_history"], input: { kind: "switch" } },
    { name: "usage", label: "Share usage figures", at: ["privacy", "share_usage"], input: { kind: "switch" } },
    {
      name: "retention",
      label: "Keep for",
      at: ["privacy", "retain_days"],
      input: { kind: "number", min: 1, max: 3650, unit: "days" },
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
    const keys = await allKeys();
    const taken = (key: string) => key === PREFERENCES || key.startsWith(CONVERSATION) || key.startsWith(DISTILLATION);
    if (!keys.some(taken)) await chrome.storage.local.set({ [PREFERENCES]: DEFAULTS });
  },
};

async function allKeys(): Promise<string[]> {
  const area: Partial<Pick<chrome.storage.StorageArea, "getKeys">> = chrome.storage.local;
  // Before Chrome 130 the only way to the keys is by way of the values.
  return area.getKeys ? area.getKeys() : Object.keys(await chrome.storage.local.get(null));
}

async function* readAll(prefix: string): AsyncGenerator<[id: string, record: Stored][]> {
  const keys = (await allKeys()).filter((key) => key.startsWith(prefix));
  for (const batch of batches(keys, BATCH)) {
    const found = await chrome.storage.local.get<Stored>(batch);
    yield batch.flatMap((key) => {
      const record = found[key];
      return isStored(record) ? [[key.slice(prefix.length), record]] : [];
    });
  }
}

async function readPreferences(): Promise<Stored | undefined> {
  const found = (await chrome.storage.local.get(PREFERENCES))[PREFERENCES];
  return isStored(found) ? found : undefined;
}

function conversation(id: string, record: Stored): Conversation {
  return {
    id,
    title: text(record["title"]),
    created: fromIso(record["create_time"]),
    updated: fromIso(record["update_time"]),
    messages: records(record["messages"]).map(({ role, text: said, time }) => ({
      role: roleOf(role),
      text: text(said),
      time: fromIso(time),
    })),
    branches: branchesOf(record),
  };
}

function distillation(id: string, record: Stored): Distillation {
  const { body, created } = record;
  return {
    id,
    conversation: text(record["conversation_id"]),
    text: isStored(body) ? text(body["text"]) : "",
    tags: texts(record["tags"]),
    created: fromSeconds(created),
  };
}
