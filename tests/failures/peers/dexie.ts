import "fake-indexeddb/auto";
import { Dexie } from "dexie";
import { outcome, type Peer } from "../case.js";

interface Note {
  id: number;
  draft?: string;
  text?: string;
}

type Upgrade = (note: Note, at: { value: unknown }) => void;

const rename: Upgrade = (note) => {
  note.text = note.draft;
  delete note.draft;
};
const fail: Upgrade = () => {
  throw new Error("cannot be moved");
};

/** The database as a build with so many versions opens it. */
function build(upgrade?: Upgrade): Dexie {
  const database = new Dexie("notes");
  database.version(1).stores({ notes: "id" });
  if (upgrade)
    database.version(2).upgrade((transaction) => transaction.table<Note>("notes").toCollection().modify(upgrade));
  return database;
}

async function versionOne(): Promise<void> {
  await Dexie.delete("notes");
  const database = build();
  await database.table("notes").add({ id: 1, draft: "a" });
  database.close();
}

async function opened(upgrade?: Upgrade): Promise<string> {
  const database = build(upgrade);
  try {
    await database.open();
    return JSON.stringify(await database.table("notes").toArray());
  } catch (error) {
    return (error as Error).name;
  } finally {
    database.close();
  }
}

export const dexie: Peer = {
  async a_migration_throws() {
    await versionOne();
    const [failed, mended] = [await opened(fail), await opened(rename)];
    return outcome(
      mended.includes('"text":"a"'),
      `it opens with ${failed}; with a mended migration there is ${mended}`,
    );
  },
  async defaults_overwrite_the_data_after_a_migration_failed() {
    await versionOne();
    const database = build(fail);
    const saved = await database
      .table("notes")
      .add({ id: 2, text: "new" })
      .then(
        () => "was saved",
        (error: unknown) => `ended in ${(error as Error).name}`,
      );
    database.close();
    const mended = await opened(rename);
    return outcome(mended.includes('"text":"a"'), `a record ${saved}; with a mended migration there is ${mended}`);
  },
  async an_older_build_comes_back() {
    await versionOne();
    await opened(rename);
    const older = build();
    await older.table("notes").put({ id: 2, draft: "b" });
    older.close();
    const after = await opened(rename);
    return outcome(
      after.includes('"text":"b"'),
      `the older build opens it without a word; after the update there is ${after}`,
    );
  },
  async two_contexts_start_at_once() {
    await versionOne();
    let runs = 0;
    const counted: Upgrade = (note, at) => {
      runs += 1;
      rename(note, at);
    };
    await Promise.all([opened(counted), opened(counted)]);
    return outcome(runs === 1, `the migration ran ${runs} times`);
  },
  async a_value_is_null() {
    await versionOne();
    const after = await opened((note) => void Object.assign(note, { text: null }));
    return outcome(after.includes('"text":null'), after);
  },
  async a_fresh_installation_has_a_long_chain() {
    await Dexie.delete("notes");
    const after = await opened(fail);
    return outcome(after === "[]", `it opens with ${after}`);
  },
  async a_migration_that_ran_is_edited() {
    await versionOne();
    await opened(rename);
    const after = await opened((note) => void Object.assign(note, { word: note.draft }));
    return outcome(false, `nobody is told: the data stays ${after}`);
  },
  async updates_come_while_the_extension_is_disabled() {
    await versionOne();
    const after = await opened(rename);
    return outcome(after.includes('"text":"a"'), after);
  },
};
