import { model } from "#model";
import { exuvia } from "../data.js";
import { guarded } from "../guard.js";

/** One look at a time; whoever comes in between shares it. */
let looking: Promise<unknown> | undefined;

// The stored version, read at each start of the worker, drives the migration. None of these events need ever come, and
// `onInstalled` for an update comes once at most, so they only add occasions; but Chrome wakes a worker only for
// listeners that it added in its first turn.
chrome.runtime.onStartup.addListener(() => void look());
chrome.alarms.onAlarm.addListener(() => void look());
chrome.runtime.onInstalled.addListener(({ reason }) => {
  void look().then(() => (reason === "install" ? seed() : undefined));
});
void look();

function look(): Promise<unknown> {
  looking ??= guarded(() => exuvia.open())
    .catch((error: unknown) => console.error("The stored data could not be opened; trying again soon.", error))
    .finally(() => (looking = undefined));
  return looking;
}

/** Gives a new installation its preferences. Where there is any data, or the data is not at the chain's tip, it writes
 * nothing: Chrome also reports `install` for extensions that are loaded again with their data. */
async function seed(): Promise<void> {
  await exuvia.write(() => model.seed()).catch((error: unknown) => console.warn("No preferences were set up.", error));
}
