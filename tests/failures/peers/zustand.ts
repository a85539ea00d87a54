import { createJSONStorage, persist } from "zustand/middleware";
import { createStore } from "zustand/vanilla";
import { Area, localStorageOf } from "../area.js";
import { outcome, type Peer } from "../case.js";

type Notes = Record<string, unknown>;

const area = new Area();

const ONE = { notes: JSON.stringify({ state: { drafts: ["a"] }, version: 1 }) };

const rename = (old: unknown): Notes => {
  const { drafts, ...others } = old as Notes;
  return { ...others, texts: drafts };
};
const fail = (): never => {
  throw new Error("cannot be moved");
};

/** A store of some version, as a context of its own has it, after it has read what is there. */
function start(version: number, initial: Notes, migrate?: (old: unknown) => Notes) {
  return createStore<Notes>()(
    persist(() => initial, { name: "notes", version, storage: createJSONStorage(() => localStorageOf(area)), migrate }),
  );
}

const stored = () => area.text("notes") ?? "nothing";

export const zustand: Peer = {
  a_migration_throws() {
    area.hold(ONE);
    const { texts } = start(2, { texts: [] }, fail).getState();
    return Promise.resolve(
      outcome(
        stored().includes('"a"'),
        `the application starts with ${JSON.stringify(texts)}; there is still ${stored()}`,
      ),
    );
  },
  defaults_overwrite_the_data_after_a_migration_failed() {
    area.hold(ONE);
    start(2, { texts: [] }, fail).setState({ theme: "dark" });
    return Promise.resolve(outcome(stored().includes('"a"'), `saving one field left ${stored()}`));
  },
  an_older_build_comes_back() {
    area.hold(ONE);
    start(2, { texts: [] }, rename).setState({ theme: "dark" });
    start(1, { drafts: [] }).setState({ theme: "light" });
    return Promise.resolve(outcome(stored().includes('"a"'), `the older build, saving one field, left ${stored()}`));
  },
  two_contexts_start_at_once() {
    area.hold(ONE);
    const [worker, popup] = [start(2, { texts: [] }, rename), start(2, { texts: [] }, rename)];
    popup.setState({ texts: ["a", "b"] });
    worker.setState({ theme: "dark" });
    return Promise.resolve(
      outcome(stored().includes('"b"'), `what the other context saved is overwritten: ${stored()}`),
    );
  },
  a_fresh_installation_has_a_long_chain() {
    area.hold({});
    start(2, { texts: [] }, fail).setState({ texts: ["a"] });
    const { texts } = start(2, { texts: [] }, fail).getState();
    return Promise.resolve(outcome(JSON.stringify(texts) === '["a"]', `at the next start ${JSON.stringify(texts)}`));
  },
  a_kill_comes_between_the_value_and_its_version() {
    area.hold(ONE);
    start(2, { texts: [] }, rename);
    return Promise.resolve(outcome(stored().includes('"texts":["a"]'), `both are one item: ${stored()}`));
  },
  a_migration_that_ran_is_edited() {
    area.hold(ONE);
    start(2, { texts: [] }, rename);
    start(2, { texts: [] }, (old) => ({ words: (old as Notes)["drafts"] }));
    return Promise.resolve(outcome(false, `nobody is told: the data stays ${stored()}`));
  },
  updates_come_while_the_extension_is_disabled() {
    area.hold(ONE);
    start(2, { texts: [] }, rename);
    return Promise.resolve(outcome(stored().includes('"texts":["a"]'), stored()));
  },
};
