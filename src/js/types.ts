/** A chain as `exuvia lock` compiles it into `chain.json`: import that file. */
export interface Chain {
  exuvia: number;
  /** The line from the baseline to the tip: for each migration its id, the hash of its content and the head (the hash
   * of the whole line up to it). Version n is what the first n migrations make. */
  line: { id: string; hash: string; head: string }[];
  /** What each migration does, in a form that is the module's own; and the collections that are another after it. */
  stages: { collections: Record<string, { layout: Layout } | null>; [member: string]: unknown }[];
}

/** Where the records of a collection are: under one key (`record`), as members or items of what is under one key (`map`,
 * `array`), or a key each (`prefix`). */
export interface Layout {
  is: string;
  key?: string;
  prefix?: string;
}

/** A function of your own, for what no step can say. Both ways must answer with the same JSON value whenever they are
 * given the same one: no clock, no randomness, no storage. */
export interface Custom {
  name: string;
  /** What it computes may never change under one revision. */
  revision: number;
  /** The newer value. */
  up: (value: unknown) => unknown;
  /** The older value; may be left out where the step has `back`. */
  down?: (value: unknown) => unknown;
}

/** Where the module keeps what it says about itself, and how it runs. */
export interface Options {
  /** The chain this build of the extension carries. */
  chain: Chain;
  /** The functions that the chain's `custom` steps name: every revision that any of them names. */
  customs?: Custom[];
  /** Where the WebAssembly module is, usually `chrome.runtime.getURL("engine_bg.wasm")`. Fetched only when there is work. */
  wasm: string | URL;
  /** The storage area to migrate. Default: `chrome.storage.local`. */
  area?: chrome.storage.StorageArea;
  /** How long to wait for another context that is migrating, in milliseconds. Default: 60 000. */
  waitMs?: number;
  /** How many snapshots to keep. Default: 3. The newest is always kept, and the newest of
   * data whose version was known. */
  keepSnapshots?: number;
  /** For how long, in milliseconds, at the end of a run; with the same two exceptions. Default: however old they are. */
  keepSnapshotsMs?: number;
}

/** The phases of a run, in order. `restore` takes the place of `commit` where validation failed. */
export type Phase =
  "inspect" | "assess" | "snapshot" | "rehearse" | "apply" | "validate" | "commit" | "restore" | "sweep";

/** Where a run is. Sent to every context of the extension. */
export interface Progress {
  run: string;
  phase: Phase;
  /** Records (in `snapshot`, `rehearse`, `apply`, `validate`, `restore`) done so far, and in all. */
  done: number;
  of: number;
  /** Bytes of records handled in this phase so far, as JSON text in UTF-8. */
  bytes: number;
  /** Milliseconds since the run started. */
  elapsedMs: number;
  /** Estimate for the rest of this phase, in milliseconds; absent while unknown. */
  remainingMs?: number;
}

/** A problem, said so that a person can act on it. Never holds a user's values. */
export interface Problem {
  /** A stable word for the kind: `unfit`, `quota`, `fork`, `import`, … */
  kind: string;
  /** What was expected, what was found and what to do. */
  message: string;
  migration?: string;
  collection?: string;
  record?: string;
  step?: string;
  path?: string;
}

/** What the last run did. */
export interface Report {
  run: string;
  /** What it was for. */
  cause: "migrate" | "import" | "restore" | "revert";
  /** `committed`: the new data stands. `restored`: writing began, failed, and the old data is back. `refused`: nothing was written. */
  outcome: "committed" | "restored" | "refused";
  from: number;
  to: number;
  /** Records moved, by collection. */
  records: Record<string, number>;
  bytes: number;
  /** Start in milliseconds since 1970, and how long it took. */
  startedAt: number;
  tookMs: number;
  /** The snapshot made before the first write. */
  snapshot?: string;
  /** Why it was refused or restored. */
  problem?: Problem;
  /** Remarks: data that did not fit before and was left as it is, keys saved aside. */
  notes: string[];
}

/** What the stored data is, seen from this build's chain. */
export type State =
  /** The data is at the chain's tip. */
  | "current"
  /** The data is older; `open` moves it. */
  | "behind"
  /** The data is newer, or went another way, and the chain it ran is kept beside it: `open` brings it to this build's tip,
   * down along that chain as far as it must. What this build has no place for is kept, and comes back with an update. */
  | "ahead"
  /** Nothing is stored yet. */
  | "fresh"
  /** A run is under way, here or in another context, or was interrupted; `open` waits for it or finishes it. */
  | "moving"
  /** The data was written by a newer chain, which this build cannot read. Nothing is written. */
  | "newer"
  /** The data ran a line that neither this chain knows nor one that is kept beside it. Nothing is written. */
  | "fork"
  /** A migration that already ran has been edited since. Nothing is written. */
  | "edited"
  /** The control key is gone, and what is there is not a version 1. Nothing is written; restore a snapshot. */
  | "lost"
  /** The last attempt was refused (see `problem`); the data is as it was. A changed chain or a new `open({ retry: true })` tries again. */
  | "refused"
  /** The data was brought to another version by `revert`, and stays there until `open({ retry: true })`, or until a build
   * with another chain has opened it. */
  | "held"
  /** A restore could not finish. The snapshot is kept, and each start tries again. */
  | "stuck"
  /** Another context holds the data and did not finish within `waitMs`. */
  | "busy";

/** Answer of `status` and `open`. */
export interface Status {
  state: State;
  /** The version of the stored data; 0 when nothing is stored. */
  version: number;
  /** The version this build's chain leads to. */
  target: number;
  problem?: Problem;
  lastRun?: Report;
}

/** A snapshot that can be restored. */
export interface Snapshot {
  id: string;
  /** The version of the data in it. */
  version: number;
  /** Milliseconds since 1970. */
  createdAt: number;
  records: number;
  /** Size of the records, and of the snapshot as it is stored, in bytes. */
  bytes: number;
  storedBytes: number;
  cause: Report["cause"];
}

/** Something that is stored beside the data and is no part of it at its version. */
export interface Aside {
  /** `stray`: somebody wrote it with the browser's own calls while a run moved the data; of which version it is nobody
   * knows. `record`: a record of a collection that the data's version does not have; it is data again at a version that does.
   * `unreadable`: what stands under the key cannot be read, and no run begins without it. */
  kind: "stray" | "record" | "unreadable";
  /** The storage key that it is kept under. */
  id: string;
  /** The storage key that it was found under; of a record, its own. */
  key: string;
  /** The record's collection. */
  collection?: string;
  /** The run that came across a stray; and when it began, in milliseconds since 1970, where that is still known. */
  run?: string;
  at?: number;
}

/** How an import meets what is already there: `replace` clears the chain's collections first; `keep` and `take` say which
 * record wins where both have the key. */
export type Mode = "replace" | "keep" | "take";

/** What an import would do, found without writing. */
export interface Preview {
  /** The version of the file's records. */
  version: number;
  target: number;
  collections: Record<string, { add: number; replace: number; same: number; keep: number; remove: number }>;
  bytes: number;
  problem?: Problem;
}
