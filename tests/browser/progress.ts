import type { Page } from "playwright-core";
import type { Progress } from "exuvia";

/** Hears the progress of every run, in any context of the extension, for as long as the page is open. */
export async function listen(page: Page, heard: (progress: Progress) => void): Promise<void> {
  await page.exposeFunction("progressHeard", heard);
  await page.evaluate(() => {
    const tell = Reflect.get(globalThis, "progressHeard") as (progress: Progress) => void;
    const channel = new BroadcastChannel("exuvia");
    channel.addEventListener("message", ({ data }: MessageEvent<Progress>) => tell(data));
    // Out of reach, it would be collected and fall silent.
    Reflect.set(globalThis, "progressChannel", channel);
  });
}
