import type { Problem, Progress, Status } from "exuvia";
import { inTrouble } from "../guard.js";
import { element, part } from "../view/element.js";
import { shells } from "../view/shells.js";
import { stepper, wholePart } from "../view/stepper.js";
import { sayingOf, UNOPENED, type Saying } from "../view/words.js";

const hero = part("state", HTMLElement);
const picture = shells();
const steps = stepper();
part("shells", HTMLElement).append(picture.root);
part("progress", HTMLElement).append(steps.root);

/** Shows what the stored data is. */
export function showState(status: Status): void {
  const { state, version, target, problem } = status;
  hero.dataset["state"] = state;
  hero.dataset["tone"] = inTrouble(state) ? "trouble" : "calm";
  say(sayingOf(status));
  part("version", HTMLElement).textContent = String(version);
  const ahead = state === "moving" ? "on the way to" : "this extension reads";
  part("target", HTMLElement).textContent = version === target ? "" : `· ${ahead} ${target}`;
  part("facts", HTMLElement).hidden = false;
  part("retry-row", HTMLElement).hidden = !["refused", "held", "stuck", "busy"].includes(state);
  part("retry", HTMLElement).textContent = state === "held" ? `Move up to version ${target}` : "Try again";
  showRun(state === "moving");
  picture.draw(state, version, target);
  showProblem(problem);
}

/** Shows that nobody can tell what the stored data is, and why. */
export function showUnopened(problem: Problem): void {
  hero.dataset["state"] = "unopened";
  hero.dataset["tone"] = "trouble";
  say(UNOPENED);
  part("facts", HTMLElement).hidden = true;
  part("retry-row", HTMLElement).hidden = false;
  part("retry", HTMLElement).textContent = "Try again";
  showRun(false);
  showProblem(problem);
}

/** Shows a run that is on; `status` is the last that is known from before it. */
export function showProgress(progress: Progress, status: Status | undefined): void {
  if (hero.dataset["state"] !== "moving") {
    showState({ state: "moving", version: status?.version ?? 0, target: status?.target ?? 0 });
  }
  if (progress.phase === "restore") part("state-title", HTMLElement).textContent = "Your data is being put back";
  steps.show(progress);
  picture.grow(wholePart(progress));
  part("promises", HTMLElement).dataset["phase"] = progress.phase;
}

function say({ title, meaning, advice }: Saying): void {
  part("state-title", HTMLElement).textContent = title;
  part("state-meaning", HTMLElement).textContent = meaning;
  write("state-advice", advice);
}

/** While a run is on there is nothing to do but to look; what keeps the data safe takes the place of all else. */
function showRun(on: boolean): void {
  part("progress", HTMLElement).hidden = !on;
  part("promises", HTMLElement).hidden = !on;
  part("columns", HTMLElement).hidden = on;
  if (!on) steps.reset();
}

export function showCounts(words: string | undefined): void {
  part("counts-fact", HTMLElement).hidden = words === undefined;
  part("counts", HTMLElement).textContent = words ?? "";
}

function showProblem(problem: Problem | undefined): void {
  const box = part("problem", HTMLElement);
  box.hidden = !problem;
  box.replaceChildren(...(problem ? problemParts(problem) : []));
}

/** A problem's message, and the place it names. */
export function problemParts(problem: Problem): HTMLElement[] {
  const { kind, message, migration, collection, record, step, path } = problem;
  const places = Object.entries({ kind, migration, collection, record, step, path }).filter(([, value]) => value);
  const facts = places.map(([name, value]) =>
    element("div", {}, element("dt", {}, name), element("dd", {}, element("code", { dir: "auto" }, value))),
  );
  return [element("p", {}, message), element("dl", { class: "places" }, ...facts)];
}

function write(id: string, words: string | undefined): void {
  const target = part(id, HTMLElement);
  target.hidden = words === undefined;
  target.textContent = words ?? "";
}
