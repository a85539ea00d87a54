import type { State } from "exuvia";
import { inTrouble } from "../guard.js";
import { drawn } from "./element.js";

const MIDDLE = 100;
const INNERMOST = 34;
const OUTERMOST = 90;

export interface Shells {
  root: SVGSVGElement;
  /** Draws the shells for data at `version` in a chain that leads to `target`. */
  draw(state: State, version: number, target: number): void;
  /** How much of the way to the next shell is done, from 0 to 1; as a figure too, where no version is to be shown. */
  grow(part: number, percent?: boolean): void;
}

/** The data's history as a picture: a shell for each version. Those it has left are split along the back, the one it
 * lives in is whole, those to come are dotted. */
export function shells(): Shells {
  const root = drawn("svg", { viewBox: "0 0 200 200", class: "shells", "aria-hidden": "true" });
  const heart = drawn("text", { class: "heart", x: MIDDLE, y: MIDDLE, "text-anchor": "middle", dy: "0.35em" });
  let growing: SVGCircleElement | undefined;
  return {
    root,
    draw(state, version, target) {
      const count = Math.max(target, version, 1);
      const rings = Array.from({ length: count }, (_, index) => ring(index + 1, count, version));
      const moving = ["moving", "behind", "ahead", "busy"].includes(state);
      growing = moving ? growth(count) : undefined;
      root.dataset["tone"] = inTrouble(state) ? "trouble" : moving ? "moving" : "calm";
      heart.textContent = inTrouble(state) ? "!" : version > 0 ? String(version) : "";
      root.replaceChildren(...rings, ...(growing ? [growing] : []), heart);
    },
    grow(part, percent = false) {
      growing?.setAttribute("stroke-dashoffset", String(100 - 100 * part));
      heart.classList.toggle("percent", percent);
      if (percent) heart.textContent = `${Math.round(100 * part)}%`;
    },
  };
}

function radius(version: number, count: number): number {
  return count === 1 ? OUTERMOST : INNERMOST + ((OUTERMOST - INNERMOST) * (version - 1)) / (count - 1);
}

function ring(version: number, count: number, current: number): SVGElement {
  const r = radius(version, count);
  if (version < current) return drawn("path", { class: "shed", d: split(r) });
  if (version === current) return drawn("circle", { class: "worn", cx: MIDDLE, cy: MIDDLE, r });
  // A whole number of dots, so that the last does not run into the first.
  const dots = Math.round((2 * Math.PI * r) / 9);
  return drawn("circle", { class: "to-come", cx: MIDDLE, cy: MIDDLE, r, pathLength: dots, "stroke-dasharray": "0 1" });
}

/** A circle that is open at the top, by the same length in each shell. */
function split(r: number): string {
  const half = 11 / r;
  const x = r * Math.sin(half);
  const y = MIDDLE - r * Math.cos(half);
  return `M${MIDDLE + x} ${y}A${r} ${r} 0 1 1 ${MIDDLE - x} ${y}`;
}

function growth(count: number): SVGCircleElement {
  return drawn("circle", {
    class: "growing",
    cx: MIDDLE,
    cy: MIDDLE,
    r: radius(count, count),
    pathLength: 100,
    "stroke-dasharray": "100",
    "stroke-dashoffset": "100",
    transform: `rotate(-90 ${MIDDLE} ${MIDDLE})`,
  });
}
