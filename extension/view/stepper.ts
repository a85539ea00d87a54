import type { Phase, Progress } from "exuvia";
import { element } from "./element.js";
import { number, remaining, size } from "./measure.js";
import { PHASE_WORDS, PHASES } from "./words.js";

export interface Stepper {
  root: HTMLElement;
  show(progress: Progress): void;
  /** Before anything is heard of the run. */
  reset(): void;
}

/** Where a run is: its phases, and how far the present one has come. */
export function stepper(): Stepper {
  const steps = element("ol", { class: "steps" });
  const bar = element("div", { class: "bar-fill" });
  const track = element(
    "div",
    { class: "bar", role: "progressbar", "aria-label": "Progress", "data-testid": "bar" },
    bar,
  );
  const doing = element("p", { class: "doing", role: "status", "aria-live": "polite" });
  const figures = element("p", { class: "figures", "data-testid": "figures" });
  const root = element(
    "div",
    { class: "stepper", "data-testid": "progress" },
    steps,
    track,
    element("div", { class: "now" }, doing, figures),
  );
  let phase: Phase | undefined;

  /** Only a new phase is announced: to hear each count would be to hear nothing else. */
  const enter = (next: Phase | undefined): void => {
    phase = next;
    root.dataset["phase"] = next ?? "";
    steps.replaceChildren(...items(next));
    doing.textContent = next ? PHASE_WORDS[next] : "Getting ready";
  };

  const measure = (part: number | undefined): void => {
    track.classList.toggle("unknown", part === undefined);
    bar.style.setProperty("--part", String(part ?? 0));
    if (part === undefined) track.removeAttribute("aria-valuenow");
    else track.setAttribute("aria-valuenow", String(Math.round(part * 100)));
  };

  const reset = (): void => {
    enter(undefined);
    measure(undefined);
    figures.textContent = "";
  };
  reset();

  return {
    root,
    reset,
    show(progress) {
      if (progress.phase !== phase) enter(progress.phase);
      measure(progress.of > 0 ? Math.min(1, progress.done / progress.of) : undefined);
      figures.textContent = figuresOf(progress);
    },
  };
}

function items(now: Phase | undefined): HTMLElement[] {
  const phases = now === "restore" ? PHASES.map((phase) => (phase === "commit" ? "restore" : phase)) : PHASES;
  const reached = now ? phases.indexOf(now) : -1;
  return phases.map((phase, index) => {
    const status = index < reached ? "done" : index === reached ? "now" : "waiting";
    const item = element("li", { "data-phase": phase, "data-status": status, "data-testid": "phase" }, phase);
    if (status === "now") item.setAttribute("aria-current", "step");
    return item;
  });
}

function figuresOf({ done, of, bytes, remainingMs }: Progress): string {
  const figures: string[] = [];
  if (of > 0) figures.push(`${number(done)} of ${number(of)} records`);
  if (bytes > 0) figures.push(size(bytes));
  if (remainingMs !== undefined) figures.push(remaining(remainingMs));
  return figures.join(" · ");
}

/** How far the whole run has come, from 0 to 1, counting the phases that touch each record. */
export function wholePart({ phase, done, of }: Progress): number {
  const long: readonly Phase[] = ["snapshot", "rehearse", "apply", "validate"];
  const index = long.indexOf(phase);
  if (index >= 0) return (index + (of > 0 ? Math.min(1, done / of) : 0)) / long.length;
  return phase === "inspect" || phase === "assess" || phase === "restore" ? 0 : 1;
}
