import type { Page } from "playwright-core";
import type { Storage } from "../json.js";

/** A message of the debugging protocol holds tens of megabytes badly. */
const CHUNK = 4_000_000;

/** The whole of `chrome.storage.local`, seen from a page of the extension. */
export async function readAll(page: Page): Promise<Storage> {
  const whole = await page.evaluateHandle(async () => ({ text: JSON.stringify(await chrome.storage.local.get(null)) }));
  const length = await whole.evaluate(({ text }) => text.length);
  let text = "";
  while (text.length < length) {
    text += await whole.evaluate(
      (all, { from, size }) => {
        // Half a surrogate pair would not survive the way out.
        const splits = /[\uD800-\uDBFF]/.test(all.text.charAt(from + size - 1));
        return all.text.slice(from, from + size + (splits ? 1 : 0));
      },
      { from: text.length, size: CHUNK },
    );
  }
  await whole.dispose();
  return JSON.parse(text) as Storage;
}

/** Sets all items in one call, from a page of the extension. */
export async function writeAll(page: Page, items: Storage): Promise<void> {
  const text = asciiJson(items);
  const parts = await page.evaluateHandle(() => [] as string[]);
  for (let from = 0; from < text.length; from += CHUNK) {
    await parts.evaluate((all, part) => void all.push(part), text.slice(from, from + CHUNK));
  }
  await parts.evaluate((all) => chrome.storage.local.set(JSON.parse(all.join("")) as Record<string, unknown>));
  await parts.dispose();
}

/** JSON that can be cut anywhere. */
function asciiJson(value: Storage): string {
  return JSON.stringify(value).replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
