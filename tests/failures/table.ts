/** The table of docs/failures.md: what others make of the cases, beside Exuvia, whose tests passed by the names given.
 * `cargo xtask failures` calls this and keeps what it prints. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { CASES, type CaseName, type Outcome, type Peer } from "./case.js";
import { dexie } from "./peers/dexie.js";
import { reduxPersist } from "./peers/redux_persist.js";
import { rxdb } from "./peers/rxdb.js";
import { wxt } from "./peers/wxt.js";
import { zustand } from "./peers/zustand.js";

const PEERS: { title: string; package: string; peer: Peer }[] = [
  { title: "WXT", package: "@wxt-dev/storage", peer: wxt },
  { title: "zustand", package: "zustand", peer: zustand },
  { title: "redux-persist", package: "redux-persist", peer: reduxPersist },
  { title: "Dexie", package: "dexie", peer: dexie },
  { title: "RxDB", package: "rxdb", peer: rxdb },
];

type Found = Partial<Record<CaseName, Outcome>>;

// What the libraries log is not part of the answer.
console.error = console.warn = () => undefined;

const passed = process.argv.slice(2);
const names = Object.keys(CASES) as CaseName[];
const found: Found[] = [];
for (const { peer } of PEERS) found.push(await seenOf(peer));
console.log(page(await versions(), found));
// Libraries that hold a store open would keep the process.
process.exit();

async function seenOf(peer: Peer): Promise<Found> {
  const seen: Found = {};
  for (const name of names) {
    const outcome = await peer[name]?.();
    if (outcome) seen[name] = outcome;
  }
  return seen;
}

async function versions(): Promise<string[]> {
  const text = await readFile(join(import.meta.dirname, "../../package.json"), "utf8");
  const { devDependencies } = JSON.parse(text) as { devDependencies: Record<string, string> };
  return PEERS.map((peer) => `${peer.package} ${devDependencies[peer.package] ?? ""}`);
}

function page(peers: string[], found: Found[]): string {
  const titles = PEERS.map(({ title }) => title);
  const word = (outcome: Outcome | undefined) => (outcome ? (outcome.kept ? "kept" : "**not kept**") : "–");
  const row = (name: CaseName) =>
    `| ${CASES[name]} | ${passed.includes(name) ? "kept" : "**failed**"} | ${found.map((seen) => word(seen[name])).join(" | ")} |`;
  const details = titles.map((title, index) => `### ${title}\n\n${seenBy(found[index] ?? {})}`);
  return `# The failures of others

What has gone wrong in other libraries, or to the people who use them, a case each. Exuvia's column is of its tests of
these names (\`crates/core/tests/protocol/failures.rs\`), which run with all others. The other columns are what the
libraries did when the same was done to them, in Node, with storage and IndexedDB in memory:
${peers.slice(0, 3).join(", ")},
${peers.slice(3).join(", ")}.
\`cargo xtask failures\` runs both and writes this page.

"Kept" is: the user's data is as it should be in the end. For a migration that is edited after it ran, it is: somebody is
told. A dash stands where the library has nothing of the kind, or where the case is settled by what lies beneath it, such
as a transaction of IndexedDB.

| case | Exuvia | ${titles.join(" | ")} |
|---|---|${titles.map(() => "---").join("|")}|
${names.map(row).join("\n")}

## What was seen

${details.join("\n\n")}`;
}

function seenBy(seen: Found): string {
  const lines = names.flatMap((name) => {
    const outcome = seen[name];
    return outcome ? [`- ${CASES[name]}: ${outcome.kept ? "kept" : "not kept"}. \`\` ${outcome.seen} \`\``] : [];
  });
  return lines.join("\n");
}
