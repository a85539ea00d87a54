import "fake-indexeddb/auto";
import { addRxPlugin, createRxDatabase, type RxCollection } from "rxdb";
import { RxDBMigrationSchemaPlugin } from "rxdb/plugins/migration-schema";
import { getRxStorageDexie } from "rxdb/plugins/storage-dexie";
import { outcome, type Peer } from "../case.js";

addRxPlugin(RxDBMigrationSchemaPlugin);

interface Note {
  id: string;
  draft?: string | null;
  text?: string | null;
}

type Strategy = (note: Note) => Note | null;

const rename: Strategy = ({ draft, ...others }) => ({ ...others, text: draft ?? null });
const fail: Strategy = () => {
  throw new Error("cannot be moved");
};

let databases = 0;

/** The collection as a build of some version opens it, moved where a strategy says how. */
async function build(database: string, version: 0 | 1, strategy: Strategy = rename): Promise<RxCollection<Note>> {
  const opened = await createRxDatabase({ name: database, storage: getRxStorageDexie(), multiInstance: false });
  const { notes } = await opened.addCollections({
    notes: {
      autoMigrate: false as const,
      migrationStrategies: version === 0 ? {} : { 1: strategy },
      schema: {
        version,
        primaryKey: "id",
        type: "object",
        properties: {
          id: { type: "string", maxLength: 20 },
          draft: { type: ["string", "null"] },
          text: { type: ["string", "null"] },
        },
        required: ["id"],
      },
    },
  });
  return notes;
}

async function versionZero(): Promise<string> {
  const name = `notes${(databases += 1)}`;
  const notes = await build(name, 0);
  await notes.insert({ id: "1", draft: "a" });
  await notes.database.close();
  return name;
}

async function moved(name: string, strategy: Strategy): Promise<string> {
  const notes = await build(name, 1, strategy);
  try {
    await notes.migratePromise();
    return await read(notes);
  } catch (error) {
    return `the error ${(error as { code: string }).code}`;
  } finally {
    await notes.database.close();
  }
}

async function read(notes: RxCollection<Note>): Promise<string> {
  return JSON.stringify((await notes.find().exec()).map((note) => note.toJSON()));
}

export const rxdb: Peer = {
  async a_migration_throws() {
    const name = await versionZero();
    const [failed, mended] = [await moved(name, fail), await moved(name, rename)];
    const older = await build(name, 0);
    const left = await read(older);
    await older.database.close();
    const seen = `it ends in ${failed}, and with a mended migration in ${mended}; a build of the old version reads ${left}`;
    return outcome(left.includes('"draft":"a"') || mended.includes('"text":"a"'), seen);
  },
  async an_older_build_comes_back() {
    const name = await versionZero();
    await moved(name, rename);
    const older = await build(name, 0);
    const seen = await read(older);
    await older.insert({ id: "2", draft: "b" });
    await older.database.close();
    const after = await moved(name, rename);
    return outcome(
      after.includes('"a"') && after.includes('"b"'),
      `the older build sees ${seen}; after the update there is ${after}`,
    );
  },
  async a_value_is_null() {
    const after = await moved(await versionZero(), () => null);
    return outcome(after !== "[]", `where a migration gives null, the record is deleted: ${after}`);
  },
  async a_fresh_installation_has_a_long_chain() {
    const after = await moved(`notes${(databases += 1)}`, fail);
    return outcome(after === "[]", `it opens with ${after}`);
  },
  async a_migration_that_ran_is_edited() {
    const name = await versionZero();
    await moved(name, rename);
    const after = await moved(name, ({ id }) => ({ id }));
    return outcome(false, `nobody is told: the data stays ${after}`);
  },
  async updates_come_while_the_extension_is_disabled() {
    const after = await moved(await versionZero(), rename);
    return outcome(after.includes('"text":"a"'), after);
  },
};
