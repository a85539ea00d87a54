import type { State, Status } from "exuvia";

const ALARM = "finish-run";

/** States that ask for another look: a run is not over, or its way back is not. */
const PENDING: ReadonlySet<State> = new Set<State>(["behind", "ahead", "moving", "busy", "stuck"]);

/** States in which the data is safe and nothing moves until a person acts. */
const TROUBLE: ReadonlySet<State> = new Set<State>(["refused", "stuck", "newer", "fork", "edited", "lost"]);

export const inTrouble = (state: State): boolean => TROUBLE.has(state);

/** Carries out `run` so that it comes to an end even if this context does not live to see it. Nothing wakes a killed
 * worker, and a closed page takes its run with it: an alarm, set before the run, brings up a worker that finishes it. */
export async function guarded(run: () => Promise<Status>): Promise<Status> {
  await chrome.alarms.create(ALARM, { periodInMinutes: 0.5 });
  // A worker that makes no call to the extension's interface is stopped after 30 seconds.
  const alive = setInterval(() => void chrome.runtime.getPlatformInfo(), 20_000);
  try {
    const status = await run();
    // After an error the alarm stays: the worker it wakes finds out what is left to do.
    if (!PENDING.has(status.state)) await chrome.alarms.clear(ALARM);
    await mark(status.state);
    return status;
  } finally {
    clearInterval(alive);
  }
}

/** Shows on the extension's button whether a person should look. */
async function mark(state: State): Promise<void> {
  const trouble = inTrouble(state);
  await Promise.all([
    chrome.action.setBadgeText({ text: trouble ? "!" : "" }),
    chrome.action.setBadgeBackgroundColor({ color: "#b3361e" }),
    chrome.action.setTitle({ title: trouble ? "Exuvia Companion: please look at the settings" : "Exuvia Companion" }),
  ]);
}
