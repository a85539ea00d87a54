/** What to tell a person of an error. */
export const messageOf = (error: unknown): string =>
  error instanceof Error && error.message !== "" ? error.message : "Something failed that gave no reason.";
