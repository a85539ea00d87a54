import type { JsonObject } from "../../json.js";
import { Area } from "../area.js";
import { outcome, type Peer } from "../case.js";

type Wxt = typeof import("@wxt-dev/storage");
type Notes = { texts: string[] } | { drafts: string[] };

const KEY = "local:notes";
const OLD = { drafts: ["a"] };

const area = new Area();
Reflect.set(globalThis, "chrome", { runtime: { id: "peer" }, storage: { local: area.api() } });

let contexts = 0;

/** The library as a context of its own loads it, with its own locks, over a store that holds version 1. */
async function contextWith(items: JsonObject): Promise<Wxt["storage"]> {
  area.hold(items);
  return context();
}

async function context(): Promise<Wxt["storage"]> {
  const url = import.meta.resolve("@wxt-dev/storage");
  return ((await import(`${url}?context=${(contexts += 1)}`)) as Wxt).storage;
}

const ONE = { notes: OLD, notes$: { v: 1 } };

const rename = ({ drafts }: { drafts: string[] }): Notes => ({ texts: drafts });
const fail = (): never => {
  throw new Error("cannot be moved");
};

/** An item of version 2. Defining it begins the migration, and whatever is asked of it waits for that. */
function item(storage: Wxt["storage"], migration: (old: typeof OLD) => unknown) {
  return storage.defineItem<Notes>(KEY, {
    fallback: { texts: [] },
    version: 2,
    migrations: { 2: migration },
  });
}

const quietly = (promise: Promise<unknown>) => promise.catch(() => undefined);

const stored = () => JSON.stringify(area.all());

export const wxt: Peer = {
  async a_migration_throws() {
    await quietly(item(await contextWith(ONE), fail).getMeta());
    const [failed, storage] = [stored(), await context()];
    await quietly(item(storage, rename).getMeta());
    return outcome(stored().includes('"texts":["a"]'), `after the failure ${failed}; after a mended one ${stored()}`);
  },
  async defaults_overwrite_the_data_after_a_migration_failed() {
    const notes = item(await contextWith(ONE), fail);
    await quietly(notes.getMeta());
    const found = await notes.getValue();
    await notes.setValue({ ...found, texts: ["new"] });
    return outcome(
      stored().includes('"a"'),
      `the application got ${JSON.stringify(found)}, and saving left ${stored()}`,
    );
  },
  async an_older_build_comes_back() {
    const two = item(await contextWith(ONE), rename);
    await two.getMeta();
    const older = (await context()).defineItem<Notes>(KEY, { fallback: OLD, version: 1 });
    await quietly(older.getMeta());
    await older.setValue({ drafts: ["a", "b"] });
    const between = stored();
    await quietly(item(await context(), rename).getMeta());
    return outcome(
      stored().includes('"texts":["a","b"]'),
      `the older build left ${between}; after the update ${stored()}`,
    );
  },
  async two_contexts_start_at_once() {
    const [worker, popup] = [
      await contextWith({ notes: { drafts: ["a"], moved: 0 }, notes$: { v: 1 } }),
      await context(),
    ];
    let runs = 0;
    const counted = (old: { drafts: string[] }) => {
      runs += 1;
      return rename(old);
    };
    await Promise.all([item(worker, counted).getMeta(), item(popup, counted).getMeta()].map(quietly));
    return outcome(runs === 1, `the migration ran ${runs} times over the same data`);
  },
  async a_value_is_null() {
    const notes = item(await contextWith(ONE), () => null);
    await quietly(notes.getMeta());
    return outcome(area.items.get("notes") === null, `null was to be stored, and there is ${stored()}`);
  },
  async a_restore_meets_newer_keys() {
    const storage = await contextWith({ notes: OLD });
    const copy = await storage.snapshot("local");
    await storage.setItem("local:later", 1);
    await storage.restoreSnapshot("local", copy);
    return outcome(!area.items.has("later"), `after the restore ${stored()}`);
  },
  async a_fresh_installation_has_a_long_chain() {
    const notes = item(await contextWith({}), fail);
    await quietly(notes.getMeta());
    await notes.setValue({ texts: ["a"] });
    await quietly(item(await context(), fail).getMeta());
    return outcome(stored().includes('"texts":["a"]'), `at the next start ${stored()}`);
  },
  async a_kill_comes_between_the_value_and_its_version() {
    const storage = await contextWith(ONE);
    area.writes = 1;
    void item(storage, rename).getMeta();
    await new Promise((resolve) => setTimeout(resolve, 20));
    area.writes = Infinity;
    const killed = stored();
    await quietly(item(await context(), rename).getMeta());
    return outcome(stored().includes('"texts":["a"]'), `killed after its first write: ${killed}; then ${stored()}`);
  },
  async a_migration_that_ran_is_edited() {
    await item(await contextWith(ONE), rename).getMeta();
    const notes = item(await context(), ({ drafts }) => ({ words: drafts }));
    await notes.getMeta();
    return outcome(false, `nobody is told: the data stays ${stored()}`);
  },
  async updates_come_while_the_extension_is_disabled() {
    await quietly(item(await contextWith(ONE), rename).getMeta());
    return outcome(stored().includes('"texts":["a"]'), stored());
  },
};
