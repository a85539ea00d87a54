/** What has gone wrong somewhere, named as the tests of the protocol name it (crates/core/tests/protocol/failures.rs), and
 * in the words of the table. */
export const CASES = {
  a_migration_throws: "A migration throws",
  defaults_overwrite_the_data_after_a_migration_failed: "Something is saved after a migration failed",
  an_older_build_comes_back: "An older build comes back, saves, and is updated again",
  two_contexts_start_at_once: "Two contexts start at once",
  a_value_is_null: "A value is, or becomes, null",
  a_restore_meets_newer_keys: "A restore meets keys that are newer",
  a_fresh_installation_has_a_long_chain: "A fresh installation has a long chain",
  an_import_is_larger_than_the_quota: "An import is larger than the quota",
  a_kill_comes_between_the_value_and_its_version: "A kill comes between the value and its version",
  a_migration_that_ran_is_edited: "A migration that ran is edited",
  updates_come_while_the_extension_is_disabled: "Updates come while the extension is disabled",
  the_browser_closes_in_the_middle_of_a_run: "The browser closes in the middle of a run",
} as const;

export type CaseName = keyof typeof CASES;

/** What came of it: whether the user's data is as it should be, and what was seen. */
export interface Outcome {
  kept: boolean;
  seen: string;
}

/** The cases that apply to a library, and how each is brought about. */
export type Peer = Partial<Record<CaseName, () => Promise<Outcome>>>;

export function outcome(kept: boolean, seen: string): Outcome {
  return { kept, seen };
}
