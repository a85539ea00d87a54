import { addRxPlugin, createRxDatabase, type RxCollection } from "rxdb";
import { RxDBMigrationSchemaPlugin } from "rxdb/plugins/migration-schema";
import { getRxStorageDexie } from "rxdb/plugins/storage-dexie";
import { change } from "../change.js";
import { GROUP, type Conversation } from "../job.js";
import type { Store } from "./store.js";

addRxPlugin(RxDBMigrationSchemaPlugin);

let opened: Promise<RxCollection<Conversation>> | undefined;

/** Its free storage, over IndexedDB. */
export const rxdb: Store = {
  async add(records) {
    await (await collection(0)).bulkInsert(records);
  },
  async seal() {
    await (await collection(0)).database.close();
  },
  async *read() {
    const documents = await (await collection(1)).find().exec();
    yield documents.map((document) => document.toJSON() as Conversation);
  },
};

export async function moveRxdb(): Promise<void> {
  await (await collection(1)).migratePromise(GROUP);
}

function collection(version: 0 | 1): Promise<RxCollection<Conversation>> {
  return (opened ??= open(version));
}

async function open(version: 0 | 1): Promise<RxCollection<Conversation>> {
  const database = await createRxDatabase({
    name: "conversations",
    storage: getRxStorageDexie(),
    multiInstance: false,
  });
  const { conversations } = await database.addCollections({
    conversations: {
      autoMigrate: false as const,
      migrationStrategies: version === 0 ? {} : { 1: change.all },
      schema: {
        version,
        primaryKey: "id",
        type: "object",
        properties: {
          id: { type: "string", maxLength: 100 },
          title: { type: "string" },
          draft: { type: "string" },
          note: { type: "string" },
          create_time: { type: ["number", "string"] },
          update_time: { type: ["number", "string"] },
          messages: { type: "array", items: { type: "object" } },
        },
        required: ["id", "messages"],
      },
    },
  });
  return conversations as RxCollection<Conversation>;
}
