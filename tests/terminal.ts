import type { Progress } from "exuvia";

const NUMBER = new Intl.NumberFormat("en");
const BAR = 24;

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
    if (!this.#last) this.phases.push(progress.phase);
    this.#last = progress;
    if (this.#out.isTTY) this.#out.write(`\r\u001B[K${line(progress)}`);
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
  if (of === 0) return `  ${phase.padEnd(9)} ${" ".repeat(BAR)} ${time}`;
  const filled = Math.round((BAR * Math.min(done, of)) / of);
  const bar = "█".repeat(filled) + "░".repeat(BAR - filled);
  return `  ${phase.padEnd(9)} ${bar} ${time}  ${number(done)} of ${number(of)} records, ${megabytes(bytes)}`;
}
