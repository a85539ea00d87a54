import type { Phase, Progress as Message } from "exuvia";
import type { CDPSession } from "puppeteer-core";

/** Where a run is: before anything was heard of it, or in a phase. */
export type Point = "start" | Phase;

/** All points, in the order in which a run comes to them. */
export const POINTS: readonly Point[] = [
  "start",
  "inspect",
  "assess",
  "snapshot",
  "rehearse",
  "apply",
  "validate",
  "commit",
  "restore",
  "sweep",
];

const HEARD = "progressHeard";

/** Runs in a context of the extension and hands on what any other says of a run. */
const LISTENER = `
  globalThis.progressChannel ??= new BroadcastChannel("exuvia");
  progressChannel.onmessage = ({ data }) => ${HEARD}(JSON.stringify(data));
`;

/** What is heard of a run, as it is heard. */
export class Progress {
  #reached: { point: Point; at: number }[] = [];
  #waiting: (() => void)[] = [];

  constructor() {
    this.restart();
  }

  /** Forgets what was heard: the contexts that it came from are gone. */
  restart(): void {
    this.#reached = [{ point: "start", at: performance.now() }];
  }

  get point(): Point {
    return this.#reached.at(-1)?.point ?? "start";
  }

  /** How long the run was at each point that it came to, the last until it ended, in milliseconds. */
  durations(end: number): Map<Point, number> {
    const ends = [...this.#reached.slice(1).map(({ at }) => at), end];
    return new Map(this.#reached.map(({ point, at }, index) => [point, (ends[index] ?? at) - at]));
  }

  /** Resolves when the run is at a point, or past it. */
  async reaches(point: Point): Promise<void> {
    while (POINTS.indexOf(this.point) < POINTS.indexOf(point)) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Hears what is said in the extension, from a page of it or from each worker that stands behind the target. */
  async listen(session: CDPSession): Promise<void> {
    session.on("Runtime.bindingCalled", ({ payload }) => this.#hear(JSON.parse(payload) as Message));
    session.on("Runtime.executionContextCreated", () => {
      // A context that is gone before it is listened to says nothing.
      session.send("Runtime.evaluate", { expression: LISTENER }).catch(() => undefined);
    });
    await session.send("Runtime.addBinding", { name: HEARD });
    await session.send("Runtime.enable");
  }

  #hear({ phase }: Message): void {
    // Each listener hears everything, and some hear late.
    if (POINTS.indexOf(phase) <= POINTS.indexOf(this.point)) return;
    this.#reached.push({ point: phase, at: performance.now() });
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
