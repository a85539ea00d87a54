import type { Progress } from "exuvia";

const NUMBER = new Intl.NumberFormat("en");
const BAR = 24;
const NAME = 9;
const FIRST_PHASES: readonly string[] = ["inspect", "assess", "snapshot", "rehearse"];

/** Shows a run while it goes on: in a terminal a line that changes, else a line at the end of each phase. */
export class RunLine {
  readonly #out: NodeJS.WriteStream;
  #last: Progress | undefined;

  constructor(out: NodeJS.WriteStream = process.stdout) {
    this.#out = out;
  }

  /** The phases heard of, in order. */
  readonly phases: string[] = [];

  show(progress: Progress): void {
    if (this.#last && this.#last.phase !== progress.phase) this.end();
    if (this.phases.length === 0) this.#tellMissed(progress.phase);
    if (!this.#last) this.phases.push(progress.phase);
    this.#last = progress;
    if (this.#out.isTTY) this.#out.write(`\r\u001B[K${line(progress)}`);
  }

  /** The worker starts with the update, and the first phases are over before a page is open to hear of them. */
  #tellMissed(first: string): void {
    const missed = FIRST_PHASES.slice(0, Math.max(0, FIRST_PHASES.indexOf(first)));
    for (const phase of missed) this.#out.write(`  ${phase.padEnd(NAME)} over before a page was open\n`);
  }

  /** Leaves the line of the present phase as it is. */
  end(): void {
    if (this.#last) this.#out.write(this.#out.isTTY ? "\n" : `${line(this.#last)}\n`);
    this.#last = undefined;
  }
}

export function number(value: number): string {
  return NUMBER.format(value);
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

function line({ phase, done, of, bytes, elapsedMs }: Progress): string {
  const time = `${(elapsedMs / 1_000).toFixed(1)} s`.padStart(7);
  // How much there is, is not known before it was read once.
  const size = bytes > 0 ? `  ${megabytes(bytes)}` : "";
  if (of === 0) return `  ${phase.padEnd(NAME)} ${" ".repeat(BAR)} ${time}${size}`;
  const filled = Math.round((BAR * Math.min(done, of)) / of);
  const bar = "█".repeat(filled) + "░".repeat(BAR - filled);
  return `  ${phase.padEnd(NAME)} ${bar} ${time}  ${number(done)} of ${number(of)} records, ${megabytes(bytes)}`;
}
