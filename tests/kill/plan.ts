import { Random } from "../random.js";
import { POINTS, type Point } from "./progress.js";

/** What is done to the data while the blows fall. */
export const DEEDS = ["update", "downgrade", "import: replace", "import: keep", "import: take", "restore"] as const;
export type DeedName = (typeof DEEDS)[number];

/** An end that comes from outside, at a moment of a run. */
export interface Blow {
  /** `browser`: every process, by SIGKILL. `context`: the worker is stopped, and the page that began is closed. */
  kind: "browser" | "context";
  /** Which of the points that lie ahead, as a share of their number. */
  point: number;
  /** How far into it, as a share of the time that it takes. */
  share: number;
}

export interface Plan {
  seed: number;
  deed: DeedName;
  blows: Blow[];
}

const MOST_BLOWS = 4;

/** The plan of a run. The same seed makes the same one. */
export function planOf(seed: number): Plan {
  const random = new Random(seed);
  // Updates are what users get without asking; half of all runs are.
  const deed = random.chance(0.5) ? "update" : random.pick(DEEDS.slice(1));
  const blows = [blow(random)];
  while (blows.length < MOST_BLOWS && random.chance(0.4)) blows.push(blow(random));
  return { seed, deed, blows };
}

function blow(random: Random): Blow {
  return {
    kind: random.chance(0.6) ? "browser" : "context",
    point: random.below(1_000) / 1_000,
    share: random.below(1_000) / 1_000,
  };
}

/** Over at once, and nothing is written in them. */
const INSTANTS: ReadonlySet<Point> = new Set<Point>(["inspect", "assess"]);

/** How long an undisturbed run is at each of its points, in milliseconds. */
export type Timeline = ReadonlyMap<Point, number>;

/** When a blow falls on a run that was at `reached` when it died last. */
export function momentOf(
  { point, share }: Blow,
  timeline: Timeline,
  reached: Point,
): { point: Point; afterMs: number } {
  const isAhead = (each: Point) => each === "start" || POINTS.indexOf(each) >= POINTS.indexOf(reached);
  const ahead = POINTS.filter((each) => timeline.has(each) && isAhead(each) && !INSTANTS.has(each));
  const chosen = ahead[Math.floor(point * ahead.length)] ?? "start";
  return { point: chosen, afterMs: share * (timeline.get(chosen) ?? 0) };
}
