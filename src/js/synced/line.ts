import { ExuviaError } from "../problem.js";
import type { Chain } from "../types.js";

/** How many digits of a head say which line it is. */
const MARK = 8;

/** The versions of a chain, each with a mark: the beginning of the head, which is the hash of the whole line up to it. */
export class Line {
  /** The marks of all versions, the oldest first, as one text: how a device says what it reads. */
  readonly marks: string;

  constructor(chain: Chain) {
    this.marks = chain.line.map(({ head }) => head.slice(0, MARK)).join("");
    if (this.marks === "")
      throw new ExuviaError({ kind: "chain", message: "expected at least one migration in the chain, found none" });
  }

  get tip(): number {
    return this.marks.length / MARK;
  }

  mark(version: number): string {
    return this.marks.slice((version - 1) * MARK, version * MARK);
  }

  /** The newest version that another line has as well; 0 where they have nothing in common. */
  common(marks: string): number {
    let version = 0;
    while (version < this.tip && marks.startsWith(this.marks.slice(0, (version + 1) * MARK))) version += 1;
    return version;
  }

  /** How a stamp stands to this line. */
  standing(version: number, mark: string): "known" | "newer" | "fork" {
    if (version > this.tip) return "newer";
    return this.mark(version) === mark ? "known" : "fork";
  }
}
