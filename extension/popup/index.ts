import { chain } from "#chain";
import { model } from "#model";
import type { Progress, Status } from "exuvia";
import { exuvia } from "../data.js";
import { guarded } from "../guard.js";
import { wear } from "../view/appearance.js";
import { part } from "../view/element.js";
import { shells } from "../view/shells.js";
import { stepper, wholePart } from "../view/stepper.js";
import { sayingOf } from "../view/words.js";
import type { Query } from "./query.js";
import { read } from "./reader.js";
import { Shelf } from "./shelf.js";

const picture = shells();
const steps = stepper();
part("shells", HTMLElement).append(picture.root);
part("progress", HTMLElement).append(steps.root);

const shelf = new Shelf((id, query) => void openReader(id, query));
/** The row from which the reader was opened. */
let left: Element | null = null;
let opening: Promise<void> | undefined;

for (const id of ["settings", "look", "notice"]) {
  part(id, HTMLButtonElement).addEventListener("click", () => void chrome.runtime.openOptionsPage());
}
part("back", HTMLButtonElement).addEventListener("click", closeReader);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && document.body.dataset["view"] === "reader") {
    // Escape would else close the popup.
    event.preventDefault();
    closeReader();
  }
});

exuvia.subscribe((progress) => {
  // A run that is sweeping has its data in place; its last words may come after the list is shown.
  if (!opening && progress.phase === "sweep") return;
  showProgress(progress);
  void start();
});
void start();

/** Opens the data, waits for a run that is on, and shows what there is. */
function start(): Promise<void> {
  opening ??= guarded(() => exuvia.open())
    .then(showStatus)
    .catch(complain)
    .finally(() => (opening = undefined));
  return opening;
}

async function showStatus(status: Status): Promise<void> {
  const { dataset } = part("waiting", HTMLElement);
  dataset["state"] = status.state;
  // What could not be moved yet is moved as it is read.
  part("notice", HTMLElement).hidden = status.state !== "refused" || !model.readsWhileRefused;
  if (status.state !== "current" && part("notice", HTMLElement).hidden) {
    view("waiting");
    picture.draw(status.state, status.version, status.target);
    const { title, meaning } = sayingOf(status);
    say(title, meaning);
    part("look", HTMLElement).hidden = false;
    part("progress", HTMLElement).hidden = true;
    return;
  }
  if (status.state === "current") wear((await model.preferences())["theme"]);
  view("shelf");
  part("search", HTMLInputElement).focus();
  // Not waited for: the list grows while it is used.
  void shelf.load().catch(complain);
}

function showProgress(progress: Progress): void {
  const { dataset } = part("waiting", HTMLElement);
  if (dataset["state"] !== "moving" || document.body.dataset["view"] !== "waiting") {
    dataset["state"] = "moving";
    view("waiting");
    picture.draw("moving", 0, chain.line.length);
    const { title, meaning } = sayingOf({ state: "moving", version: 0, target: 0 });
    say(title, meaning);
    part("look", HTMLElement).hidden = true;
    part("progress", HTMLElement).hidden = false;
  }
  steps.show(progress);
  picture.grow(wholePart(progress), true);
}

async function openReader(id: string, query: Query): Promise<void> {
  left = document.activeElement;
  if (!(await read(id, query))) return;
  view("reader");
  part("back", HTMLElement).focus();
}

function closeReader(): void {
  view("shelf");
  if (left instanceof HTMLElement) left.focus();
}

function view(name: "waiting" | "shelf" | "reader"): void {
  document.body.dataset["view"] = name;
}

function say(title: string, meaning: string): void {
  part("waiting-title", HTMLElement).textContent = title;
  part("waiting-meaning", HTMLElement).textContent = meaning;
}

function complain(error: unknown): void {
  view("waiting");
  say("Your data could not be read", error instanceof Error ? error.message : "The browser gave no reason.");
  part("look", HTMLElement).hidden = false;
}
