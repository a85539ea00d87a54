import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

// Not Chrome itself: since version 137 it takes no extension from the command line.
const NAMES = ["chromium", "chromium-browser"];

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
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const found = folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find(isExecutable);
  return process.env["CHROMIUM"] ?? found;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
