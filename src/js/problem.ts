import type { Problem } from "./types.js";

/** An error that says what was expected, what was found and what to do; never with a user's values. */
export class ExuviaError extends Error {
  override readonly name = "ExuviaError";
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.message);
    this.problem = problem;
  }
}

/** The engine throws problems as plain objects; anything else passes as it is. */
export function problemOf(error: unknown): unknown {
  const plain = typeof error === "object" && error !== null && !(error instanceof Error);
  return plain && "kind" in error && "message" in error ? new ExuviaError(error as Problem) : error;
}
