import { model } from "#model";
import { ExuviaError, type Status } from "exuvia";
import { exuvia } from "../data.js";
import { guarded } from "../guard.js";
import { part } from "../view/element.js";
import { counted } from "../view/measure.js";
import { offerAsideFile, showAside } from "./aside.js";
import { offerExport } from "./export.js";
import { allowImport, offerImport } from "./import.js";
import { messageOf } from "./message.js";
import { offerPreferences, showPreferences } from "./preferences.js";
import { showReport } from "./report.js";
import { allowRevert, offerRevert } from "./revert.js";
import { showSnapshots } from "./snapshots.js";
import { showCounts, showProgress, showState, showUnopened } from "./state.js";

/** The last status that this page has seen. */
let known: Status | undefined;
/** What the page is at: one run at a time, its own or one that it waits for. */
let busy: Promise<unknown> = Promise.resolve();
let idle = true;

part("release", HTMLElement).textContent = `Version ${chrome.runtime.getManifest().version}`;
offerExport();
offerAsideFile();
offerPreferences();
offerImport(carryOut);
offerRevert((version) => void carryOut(() => exuvia.revert(version)).catch(complain));
part("retry", HTMLButtonElement).addEventListener("click", () => {
  void carryOut(() => exuvia.open({ retry: true })).catch(complain);
});

exuvia.subscribe((progress) => {
  // The last words of a run that is over: messages between contexts may come late.
  if (progress.run === known?.lastRun?.run) return;
  showProgress(progress, known);
  allowImport(false);
  // A run of another context. To open is to wait for its end.
  if (idle) void carryOut(() => exuvia.open()).catch(complain);
});

void exuvia
  .status()
  .then((status) => {
    known = status;
    showState(status);
    showReport(status);
  })
  .then(() => carryOut(() => exuvia.open()))
  .catch(complain);

/** Carries out `run` when what came before it is over, and shows how the data is then. */
function carryOut(run: () => Promise<Status>): Promise<Status> {
  const carried = busy.then(() => carry(run));
  // Whoever asked is told of an error; who comes after need not know.
  busy = carried.catch(() => undefined);
  return carried;
}

async function carry(run: () => Promise<Status>): Promise<Status> {
  idle = false;
  try {
    const { state } = await guarded(run);
    // What was restored may be older or newer than what this extension reads.
    if (state === "behind" || state === "ahead") await guarded(() => exuvia.open());
  } finally {
    idle = true;
    known = await exuvia.status();
    await show(known);
  }
  return known;
}

async function show(status: Status): Promise<void> {
  known = status;
  const current = status.state === "current";
  showState(status);
  showReport(status);
  allowRevert(status);
  allowImport(current || status.state === "fresh" || status.state === "lost");
  // Where the browser keeps them out of reach, the rest of the page is still of use.
  const snapshots = await exuvia.snapshots().catch(messageOf);
  showSnapshots(snapshots, status, (id) => {
    void carryOut(() => exuvia.restore(id)).catch(complain);
  });
  showAside(await exuvia.aside().catch(messageOf), (ids) => {
    // What could not be read may have been all that was in the way.
    const retry = status.state === "refused";
    void carryOut(() => exuvia.forget(ids).then(() => exuvia.open({ retry }))).catch(complain);
  });
  await showPreferences(current);
  showCounts(current ? await counts() : undefined);
}

async function counts(): Promise<string> {
  const { conversations, distillations } = await model.counts();
  return `${counted(conversations, "conversation")} · ${counted(distillations, "distillation")}`;
}

/** Shows an error beside what is known of the data. */
function complain(error: unknown): void {
  const problem = error instanceof ExuviaError ? error.problem : { kind: "browser", message: messageOf(error) };
  if (known) showState({ ...known, problem });
  else showUnopened(problem);
}
