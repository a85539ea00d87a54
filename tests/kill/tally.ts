import { DEEDS, type Blow, type DeedName, type Plan } from "./plan.js";
import { POINTS, type Point } from "./progress.js";
import type { Outcome } from "./run.js";

interface Row {
  runs: number;
  kills: number;
  /** Runs that were killed and came to the new data all the same. */
  resumed: number;
  /** Runs that were killed and left the old data as it was. */
  restored: number;
  failed: number;
  /** Keys that were neither what they had been nor what they should be. */
  lost: number;
}

const KINDS: readonly Blow["kind"][] = ["browser", "context"];

/** Counts what came of runs. */
export class Tally {
  readonly #rows = new Map<DeedName, Row>(DEEDS.map((deed) => [deed, empty()]));
  readonly #falls = new Map<string, number>();

  add({ deed }: Plan, { blows, ended }: Outcome): void {
    const row = this.#row(deed);
    row.runs += 1;
    row.kills += blows.length;
    if (blows.length > 0) row[ended === "after" ? "resumed" : "restored"] += 1;
    for (const { kind, point } of blows) {
      const place = `${point} ${kind}`;
      this.#falls.set(place, (this.#falls.get(place) ?? 0) + 1);
    }
  }

  fail({ deed }: Plan, lost: number): void {
    const row = this.#row(deed);
    row.runs += 1;
    row.failed += 1;
    row.lost += lost;
  }

  total(): Row {
    return [...this.#rows.values()].reduce(sum, empty());
  }

  /** What was done and what came of it; then where the kills fell. */
  table(): string {
    const columns = Object.keys(empty()) as (keyof Row)[];
    const rows = [...this.#rows].filter(([, { runs }]) => runs > 0);
    const numbers = (name: string, row: Row) => [name, ...columns.map((column) => String(row[column]))];
    const runs = [["", ...columns], ...rows.map(([name, row]) => numbers(name, row)), numbers("all", this.total())];
    const points = POINTS.filter((point) => KINDS.some((kind) => this.#fallen(point, kind) > 0));
    const falls = points.map((point) => [point, ...KINDS.map((kind) => String(this.#fallen(point, kind)))]);
    return `${aligned(runs)}\n\n${aligned([["killed in", ...KINDS], ...falls])}`;
  }

  #row(deed: DeedName): Row {
    const row = this.#rows.get(deed);
    if (!row) throw new Error(`expected one of ${DEEDS.join(", ")}, found ${deed}`);
    return row;
  }

  #fallen(point: Point, kind: Blow["kind"]): number {
    return this.#falls.get(`${point} ${kind}`) ?? 0;
  }
}

function empty(): Row {
  return { runs: 0, kills: 0, resumed: 0, restored: 0, failed: 0, lost: 0 };
}

function sum(left: Row, right: Row): Row {
  const keys = Object.keys(left) as (keyof Row)[];
  return Object.fromEntries(keys.map((key) => [key, left[key] + right[key]])) as unknown as Row;
}

function aligned(rows: string[][]): string {
  const [first = ""] = rows.map(([name = ""]) => name).toSorted((a, b) => b.length - a.length);
  return rows
    .map(([name = "", ...cells]) => name.padEnd(first.length) + cells.map((cell) => cell.padStart(10)).join(""))
    .join("\n");
}
