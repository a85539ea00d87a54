import { exuvia } from "../data.js";
import { distilField, isStored, modelField, type Stored, THEME, valuesOf, withValues } from "./fields.js";
import { batches, branchesOf, fromIso, fromSeconds, records, roleOf, text, texts } from "./reading.js";
import type { Conversation, Distillation, Model } from "./view.js";

const PREFERENCES = "user_preferences";

/** About 2 MB of conversations: large enough that the calls cost little, small enough that a page draws in between. */
const BATCH = 100;

const DEFAULTS: Stored = {
  ai_settings: { model_preference: "automatic", auto_distill: false },
  privacy: { store_history: true, share_usage: false, retain_days: 90 },
  theme: "system",
  shortcuts: {},
  api_keys: {},
};

/** A place that records are read from. */
interface Source {
  count(collection: string): Promise<number>;
  /** All records of a collection, in batches. */
  all(collection: string): AsyncIterable<[id: string, record: Stored][]>;
  one(collection: string, id: string): Promise<Stored | undefined>;
}

/** Version 5: a key for each conversation and each distillation. */
export const model: Model = {
  readsWhileRefused: true,

  async counts() {
    const from = await source();
    const [conversations, distillations] = await Promise.all([
      from.count("conversations"),
      from.count("distillations"),
    ]);
    return { conversations, distillations };
  },

  async *conversations() {
    for await (const found of (await source()).all("conversations")) {
      yield found.map(([id, record]) => conversation(id, record));
    }
  },

  async conversation(id) {
    const record = await (await source()).one("conversations", id);
    return record && conversation(id, record);
  },

  async distillations() {
    const all: Distillation[] = [];
    for await (const found of (await source()).all("distillations")) {
      all.push(...found.map(([id, record]) => distillation(id, record)));
    }
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
    const starts = [prefix("conversations"), prefix("distillations")];
    const taken = (key: string) => key === PREFERENCES || starts.some((start) => key.startsWith(start));
    if (!keys.some(taken)) await chrome.storage.local.set({ [PREFERENCES]: DEFAULTS });
  },
};

async function allKeys(): Promise<string[]> {
  const area: Partial<Pick<chrome.storage.StorageArea, "getKeys">> = chrome.storage.local;
  // Before Chrome 130 the only way to the keys is by way of the values.
  return area.getKeys ? area.getKeys() : Object.keys(await chrome.storage.local.get(null));
}

/** Where the data could not be moved yet, the library moves what is read of it. */
async function source(): Promise<Source> {
  const { state } = await exuvia.status();
  return state === "refused" ? moved : stored;
}

const stored: Source = {
  async count(collection) {
    return (await keysOf(collection)).length;
  },

  async *all(collection) {
    const start = prefix(collection).length;
    for (const batch of batches(await keysOf(collection), BATCH)) {
      const found = await chrome.storage.local.get<Stored>(batch);
      yield batch.flatMap((key) => {
        const record = found[key];
        return isStored(record) ? [[key.slice(start), record]] : [];
      });
    }
  },

  async one(collection, id) {
    const key = prefix(collection) + id;
    const record = (await chrome.storage.local.get(key))[key];
    return isStored(record) ? record : undefined;
  },
};

const moved: Source = {
  async count(collection) {
    return (await exuvia.list(collection)).size;
  },

  async *all(collection) {
    const found = [...(await exuvia.list(collection))];
    for (const batch of batches(found, BATCH)) {
      yield batch.flatMap(([id, record]) => (isStored(record) ? [[id, record]] : []));
    }
  },

  async one(collection, id) {
    const record = await exuvia.get(collection, id);
    return isStored(record) ? record : undefined;
  },
};

/** `conversation:` for `conversations`. */
const prefix = (collection: string): string => `${collection.slice(0, -1)}:`;

async function keysOf(collection: string): Promise<string[]> {
  return (await allKeys()).filter((key) => key.startsWith(prefix(collection)));
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
