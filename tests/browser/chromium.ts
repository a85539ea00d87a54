import { onPath } from "./path.js";

/** Switches off what a test has no use for. */
export const QUIET = [
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The Chromium to test with: the one that `CHROMIUM` names, else the first on the PATH, else undefined, which means
 * the one that Playwright brings. */
export function chromiumPath(): string | undefined {
  // Not Chrome itself: since version 137 it takes no extension from the command line.
  return process.env["CHROMIUM"] ?? onPath("chromium", "chromium-browser");
}
