/** The engine in Chromium, beside the same chain by hand in JavaScript: on the same records, in one page and in turns, so
 * that whatever else the machine does falls on both. `cargo xtask bench engine` calls this and reads what it prints. */
import { readFile } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { chromium, type Page } from "playwright-core";
import { chain } from "../../extension/chain/index.js";
import { chromiumPath } from "../browser/chromium.js";
import { longConversations } from "./long_conversations.js";

const PACKAGE = join(import.meta.dirname, "../../pkg");
const PAGE = join(import.meta.dirname, "engine");
const PAGE_FILES = ["page.js", "by_hand.js"];

const RECORDS = 64;
const RECORD_BYTES = 20_000;
const ROUNDS = 15;

const CASES = {
  hand: "by hand, text to text",
  handObjects: "by hand, objects",
  text: "engine, text to text",
  back: "engine, text to text, back",
  objects: "Exuvia.translate, objects",
};

/** What the others are compared with: what an extension would do instead. */
const REFERENCE = CASES.hand;

type Case = keyof typeof CASES;

const TYPES: Record<string, string> = { ".js": "text/javascript", ".wasm": "application/wasm" };

const executablePath = chromiumPath();
const browser = await chromium.launch(executablePath === undefined ? { channel: "chromium" } : { executablePath });
try {
  const page = await browser.newPage();
  await serve(page);
  const texts = longConversations(RECORDS, RECORD_BYTES).map((record) => JSON.stringify(record));
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  console.log(JSON.stringify(rows(bytes, await measure(page, texts))));
} finally {
  await browser.close();
}

/** Gives the page the package and what uses it, from a server that does not exist. */
async function serve(page: Page): Promise<void> {
  await page.route("http://localhost/**", async (route) => {
    const name = basename(new URL(route.request().url()).pathname);
    const contentType = TYPES[extname(name)];
    if (contentType === undefined) {
      return route.fulfill({ contentType: "text/html", body: '<script type="module" src="page.js"></script>' });
    }
    const folder = PAGE_FILES.includes(name) ? PAGE : PACKAGE;
    return route.fulfill({ contentType, body: await readFile(join(folder, name)) });
  });
  await page.goto("http://localhost/");
}

function measure(page: Page, texts: string[]): Promise<Record<Case, number[]>> {
  return page.evaluate(
    (given) => (Reflect.get(globalThis, "measure") as (what: typeof given) => Promise<Record<Case, number[]>>)(given),
    { chain, texts, rounds: ROUNDS },
  );
}

function rows(bytes: number, found: Record<Case, number[]>): object[] {
  return (Object.keys(CASES) as Case[]).map((name) => ({
    case: `Chromium: ${CASES[name]}`,
    value: Math.round(bytes / 1e3 / median(found[name])),
    unit: "MB/s",
    vs: [`Chromium: ${REFERENCE}`],
  }));
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
