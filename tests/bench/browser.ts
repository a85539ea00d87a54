/** Migrations of the same records side by side, each in the worker of an extension: in turns, and each in a browser of its
 * own that starts on a copy of the same profile. `cargo xtask bench browser` calls this and reads what it prints. */
import { parseArgs } from "node:util";
import { Driver } from "./browser/driver.js";
import type { CaseName, Conversation, StoreName } from "./browser/job.js";
import { longConversations } from "./long_conversations.js";

/** 2,400 of them are 50 MB. */
const RECORD_BYTES = 20_800;

/** So many differ; in a larger store they come again. */
const DISTINCT = 2_400;

/** In MB: how time and memory grow with the store. */
const SIZES = "10,50,500";

interface Contest {
  label: string;
  store: StoreName;
  vs: CaseName[];
}

const ALL: CaseName[] = ["plain", "best"];
const TENTH: CaseName[] = ["plainTenth", "bestTenth"];

const CONTESTS: Record<CaseName, Contest> = {
  plain: { label: "plain", store: "storage", vs: ALL },
  best: { label: "best", store: "storage", vs: ALL },
  exuvia: { label: "exuvia", store: "storage", vs: ALL },
  wxt: { label: "wxt", store: "wxt", vs: ALL },
  dexie: { label: "dexie", store: "dexie", vs: ALL },
  rxdb: { label: "rxdb", store: "rxdb", vs: ALL },
  plainTenth: { label: "plain, a tenth changes", store: "storage", vs: TENTH },
  bestTenth: { label: "best, a tenth changes", store: "storage", vs: TENTH },
  exuviaTenth: { label: "exuvia, a tenth changes", store: "storage", vs: TENTH },
};

interface Row {
  case: string;
  value: number;
  unit: string;
  vs: string[];
}

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    size: { type: "string", default: "50" },
    cases: { type: "string", default: Object.keys(CONTESTS).join(",") },
    sizes: { type: "string", default: SIZES },
  },
});
const cases = options.cases.split(",").filter((name): name is CaseName => name in CONTESTS);
const sizes = options.sizes.split(",").filter(Boolean).map(Number);

const driver = await Driver.start(drafted());
try {
  console.log(JSON.stringify([...(await compete(Number(options.size))), ...(await grow())]));
} finally {
  await driver.stop();
}

async function compete(size: number): Promise<Row[]> {
  const took = new Map<CaseName, number[]>(cases.map((name) => [name, []]));
  for (let round = 1; round <= Number(options.rounds); round++) {
    for (const name of cases) {
      const { ms } = await driver.move({ act: "move", name, records: recordsIn(size) }, CONTESTS[name].store);
      console.error(`round ${round}: ${name} ${seconds(ms)} s`);
      took.get(name)?.push(ms);
    }
  }
  return cases.map((name) => ({
    case: CONTESTS[name].label,
    value: seconds(median(took.get(name) ?? [])),
    unit: "s",
    vs: CONTESTS[name].vs.filter((other) => cases.includes(other)).map((other) => CONTESTS[other].label),
  }));
}

/** Exuvia alone, in stores of several sizes. */
async function grow(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const size of sizes) {
    const records = recordsIn(size);
    const { ms, peak } = await driver.move({ act: "move", name: "exuvia", records }, "storage");
    console.error(`${size} MB: exuvia ${seconds(ms)} s, ${Math.round(peak / 1e6)} MB`);
    const row = (what: string, value: number, unit: string) => ({
      case: `exuvia, ${size} MB: ${what}`,
      value,
      unit,
      vs: [`exuvia, ${sizes[0]} MB: ${what}`],
    });
    rows.push(
      row("a record", Math.round((ms / records) * 1e3) / 1e3, "ms"),
      row("memory", Math.round(peak / 1e6), "MB"),
    );
  }
  return rows;
}

function drafted(): Conversation[] {
  const records = longConversations(DISTINCT, RECORD_BYTES) as Conversation[];
  return records.map((record, index) => (index % 10 === 0 ? { ...record, draft: "To be asked." } : record));
}

function recordsIn(megabytes: number): number {
  return Math.round((megabytes * 1e6) / RECORD_BYTES);
}

function seconds(ms: number): number {
  return Math.round(ms / 10) / 100;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
