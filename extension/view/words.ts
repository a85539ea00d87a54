import type { Mode, Phase, Report, State, Status } from "exuvia";

// What the library says in one word, said so that a person knows what it means and what to do.

export interface Saying {
  title: string;
  /** What it means for the data. */
  meaning: string;
  /** What to do; absent where there is nothing to do. */
  advice?: string;
}

const STATES: Record<State, Saying> = {
  current: { title: "All in order", meaning: "Everything you keep is in the form this version uses." },
  fresh: { title: "Nothing kept yet", meaning: "Bring in your conversations from a file below." },
  behind: { title: "An update is waiting", meaning: "Your data has an older form. It will be moved in a moment." },
  ahead: {
    title: "Your data is ahead of this version",
    meaning: "It will be moved back to the form that this version uses. Nothing that it cannot show is lost.",
  },
  moving: {
    title: "Your data is moving",
    meaning: "The old data stays until the new has proved itself. You may close this page; it goes on by itself.",
  },
  busy: {
    title: "Somebody else is at work",
    meaning: "Another window has been moving your data for a while. It is not finished.",
    advice: "Leave it some time. If nothing changes, restart the browser: the work goes on where it stopped.",
  },
  newer: {
    title: "Your data is ahead of this version",
    meaning: "A newer version of the extension wrote it. Nothing is read or written until the versions match.",
    advice: "Update the extension, or restore a snapshot from before the newer version.",
  },
  fork: {
    title: "Your data took another path",
    meaning: "It was moved by migrations that this version does not know. Nothing is written.",
    advice: "Install the version that you had before, or restore a snapshot.",
  },
  edited: {
    title: "A migration was changed after it ran",
    meaning: "This version disagrees with the one that moved your data. Nothing is written.",
    advice: "Install a corrected version, or restore a snapshot.",
  },
  lost: {
    title: "The label on your data is missing",
    meaning: "The browser no longer has the note that says which version your data is. Nothing is written.",
    advice: "Restore the newest snapshot below, or bring in a file in place of everything.",
  },
  refused: {
    title: "The update was not carried out",
    meaning: "Something did not fit, so nothing was written. Your data is as it was.",
    advice: "Export your data to be safe. Try again when what is named here has changed, or wait for an update.",
  },
  held: {
    title: "Your data rests at an older version",
    meaning: "You went back to it, and it stays there. An older extension can read it; this one waits.",
    advice: "Install the older version now, or move up again.",
  },
  stuck: {
    title: "Putting your data back is not finished",
    meaning: "The snapshot holds everything and is kept. Each start tries again.",
    advice: "Free some disk space and try again.",
  },
};

/** Where the browser does not let anybody look at the data. */
export const UNOPENED: Saying = {
  title: "Your data cannot be opened now",
  meaning: "The browser did not let the extension look at it. Nothing was written.",
  advice: "Free some disk space and restart the browser. Each start tries again.",
};

export function sayingOf(status: Status): Saying {
  const saying = STATES[status.state];
  if (status.state !== "refused" || status.lastRun?.outcome !== "restored") return saying;
  return {
    ...saying,
    title: "The update was taken back",
    meaning: "A check failed after writing had begun, so the old data was put back, exactly as it was.",
  };
}

/** The phases of a run that goes well. Where a check fails, `restore` takes the place of `commit`. */
export const PHASES: readonly Phase[] = [
  "inspect",
  "assess",
  "snapshot",
  "rehearse",
  "apply",
  "validate",
  "commit",
  "sweep",
];

export const PHASE_WORDS: Record<Phase, string> = {
  inspect: "Looking at what is there",
  assess: "Weighing the risk",
  snapshot: "Keeping a copy of everything",
  rehearse: "Rehearsing, there and back",
  apply: "Moving the records",
  validate: "Checking every record",
  commit: "Settling in",
  restore: "Putting the old data back",
  sweep: "Tidying up",
};

const COLLECTIONS: Record<string, string> = {
  conversations: "Conversations",
  distillations: "Distillations",
  user_preferences: "Preferences",
};

export const collectionName = (name: string): string => COLLECTIONS[name] ?? name;

export const OUTCOMES: Record<Report["outcome"], string> = {
  committed: "Done",
  restored: "Taken back",
  refused: "Not carried out",
};

export const CAUSES: Record<Report["cause"], string> = {
  migrate: "an update",
  import: "an import",
  restore: "a restore",
  revert: "going back",
};

export const MODES: Record<Mode, { label: string; hint: string }> = {
  keep: { label: "Keep mine", hint: "Where both have a record, yours stays." },
  take: { label: "Take the file’s", hint: "Where both have a record, the file’s wins." },
  replace: { label: "Replace everything", hint: "What is not in the file goes." },
};
