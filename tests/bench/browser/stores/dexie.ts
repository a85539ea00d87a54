import { Dexie } from "dexie";
import { change } from "../change.js";
import type { Conversation } from "../job.js";
import type { Store } from "./store.js";

const TABLES = { conversations: "id" };

/** At version 1 until it is told of version 2. */
const database = new Dexie("conversations");
database.version(1).stores(TABLES);

export const dexie: Store = {
  async add(records) {
    await database.table("conversations").bulkAdd(records);
  },
  seal() {
    database.close();
    return Promise.resolve();
  },
  async *read() {
    yield await database.table<Conversation>("conversations").toArray();
  },
};

export async function moveDexie(): Promise<void> {
  database.version(2).upgrade((transaction) =>
    transaction
      .table<Conversation>("conversations")
      .toCollection()
      .modify((record, at) => {
        at.value = change.all(record);
      }),
  );
  await database.open();
}
