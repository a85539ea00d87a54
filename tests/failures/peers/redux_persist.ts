import { legacy_createStore as createStore, type Reducer } from "redux";
import { createMigrate, persistReducer, persistStore } from "redux-persist";
import { Area, localStorageOf } from "../area.js";
import { outcome, type Peer } from "../case.js";

type Notes = Record<string, unknown>;

type Step = (old: Notes) => Notes;

const area = new Area();

const ONE = { "persist:notes": JSON.stringify({ drafts: '["a"]', _persist: '{"version":1,"rehydrated":true}' }) };

const rename: Step = ({ drafts, ...others }) => ({ ...others, texts: drafts });
const fail: Step = () => {
  throw new Error("cannot be moved");
};

/** A store of some version, as a context of its own has it, after it has read what is there; and the way to save. */
async function start(
  version: number,
  initial: Notes,
  step?: Step,
): Promise<{ state: Notes; save: (what: Notes) => Promise<void> }> {
  const local = localStorageOf(area);
  const storage = {
    getItem: (key: string) => Promise.resolve(local.getItem(key)),
    setItem(key: string, value: string) {
      local.setItem(key, value);
      return Promise.resolve();
    },
    removeItem(key: string) {
      local.removeItem(key);
      return Promise.resolve();
    },
  };
  const reducer: Reducer<Notes> = (state = initial, action) =>
    action.type === "save" ? { ...state, ...(action as unknown as { what: Notes }).what } : state;
  const migrate = createMigrate({ 2: (step ?? rename) as never });
  const store = createStore(persistReducer({ key: "notes", version, storage, migrate }, reducer));
  const persistor = persistStore(store);
  await new Promise((resolve) => setTimeout(resolve, 20));
  const save = async (what: Notes): Promise<void> => {
    store.dispatch({ type: "save", what });
    await new Promise((resolve) => setTimeout(resolve, 20));
    await persistor.flush();
  };
  return { state: store.getState(), save };
}

const stored = () => area.text("persist:notes") ?? "nothing";

export const reduxPersist: Peer = {
  async a_migration_throws() {
    area.hold(ONE);
    const { state } = await start(2, { texts: [] }, fail);
    return outcome(
      stored().includes('\\"a\\"'),
      `the application starts with ${JSON.stringify(state["texts"])}; there is still ${stored()}`,
    );
  },
  async defaults_overwrite_the_data_after_a_migration_failed() {
    area.hold(ONE);
    const { save } = await start(2, { texts: [] }, fail);
    await save({ theme: "dark", texts: ["new"] });
    return outcome(stored().includes('\\"a\\"'), `saving left ${stored()}`);
  },
  async an_older_build_comes_back() {
    area.hold(ONE);
    await (await start(2, { texts: [] })).save({ theme: "dark" });
    await (await start(1, { drafts: [] })).save({ drafts: ["b"] });
    const between = stored();
    await (await start(2, { texts: [] })).save({ theme: "light" });
    return outcome(
      stored().includes('\\"a\\"') && stored().includes('\\"b\\"'),
      `the older build left ${between}; after the update ${stored()}`,
    );
  },
  async two_contexts_start_at_once() {
    area.hold(ONE);
    const [worker, popup] = [await start(2, { texts: [] }), await start(2, { texts: [] })];
    await popup.save({ texts: ["a", "b"] });
    await worker.save({ texts: ["a", "c"] });
    return outcome(stored().includes('\\"b\\"'), `what the other context saved is overwritten: ${stored()}`);
  },
  async a_fresh_installation_has_a_long_chain() {
    area.hold({});
    await (await start(2, { texts: [] }, fail)).save({ texts: ["a"] });
    const { state } = await start(2, { texts: [] }, fail);
    return outcome(JSON.stringify(state["texts"]) === '["a"]', `at the next start ${JSON.stringify(state["texts"])}`);
  },
  async a_migration_that_ran_is_edited() {
    area.hold(ONE);
    await (await start(2, { texts: [] })).save({ theme: "dark" });
    await (await start(2, { texts: [] }, ({ drafts }) => ({ words: drafts }))).save({ theme: "light" });
    return outcome(false, `nobody is told: the data stays ${stored()}`);
  },
  async updates_come_while_the_extension_is_disabled() {
    area.hold(ONE);
    const { state } = await start(2, { texts: [] });
    return outcome(
      JSON.stringify(state["texts"]) === '["a"]',
      `the application starts with ${JSON.stringify(state["texts"])}`,
    );
  },
};
