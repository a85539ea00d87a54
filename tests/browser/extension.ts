import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type BrowserContext, type Page, type Worker } from "playwright-core";
import type { Storage } from "../json.js";
import { chromiumPath, QUIET } from "./chromium.js";
import { readAll, writeAll } from "./storage.js";

/** A program that runs in the extension's worker, or in a page of it, before its own. */
export type Prelude = string & { readonly prelude: unique symbol };

/** Makes a prelude of a function that needs nothing from around it: its text is put into another program. */
export function prelude<Given extends (number | string)[]>(run: (...given: Given) => void, ...given: Given): Prelude {
  return `(${run.toString()})(${given.map((value) => JSON.stringify(value)).join(", ")});` as Prelude;
}

export interface LaunchOptions {
  /** A built extension; it is copied, and never written to. */
  dist: string;
  headed?: boolean;
  /** Watches or breaks something. */
  prelude?: Prelude;
}

/** Chromium with a profile of its own and one extension in it. */
export class ExtensionBrowser {
  readonly id: string;
  readonly context: BrowserContext;
  readonly #home: string;
  #observer: Page | undefined;

  private constructor(home: string, context: BrowserContext, id: string) {
    this.#home = home;
    this.context = context;
    this.id = id;
  }

  static async launch(options: LaunchOptions): Promise<ExtensionBrowser> {
    const home = await mkdtemp(join(tmpdir(), "exuvia-browser-"));
    try {
      await install(options.dist, installed(home), options.prelude);
      await preferDeveloperMode(join(home, "profile"));
      const context = await open(home, options.headed ?? false);
      const worker = context.serviceWorkers()[0] ?? (await context.waitForEvent("serviceworker"));
      return new ExtensionBrowser(home, context, new URL(worker.url()).host);
    } catch (error) {
      await rm(home, { recursive: true, force: true });
      throw error;
    }
  }

  /** Replaces the extension's files and makes the browser update it, as a store would. Its pages close; its data
   * stays. Returns when the worker of the new version is up. */
  async update(dist: string, first?: Prelude): Promise<void> {
    const manifest = JSON.parse(await readFile(join(dist, "manifest.json"), "utf8")) as { version: string };
    await install(dist, installed(this.#home), first);
    const observer = await this.observer();
    const closed = observer.waitForEvent("close");
    const started = this.context.waitForEvent("serviceworker");
    // The page goes away before it can answer.
    await observer.evaluate(() => chrome.runtime.reload()).catch(() => undefined);
    await closed;
    await started;
    const running = await (await this.observer()).evaluate(() => chrome.runtime.getManifest().version);
    if (running !== manifest.version) {
      throw new Error(`expected the extension to run as ${manifest.version} after its update, found ${running}`);
    }
  }

  /** A page of the extension, such as `settings/index.html`. */
  async page(path: string, first?: Prelude): Promise<Page> {
    const page = await this.context.newPage();
    if (first !== undefined) await page.addInitScript(first);
    await page.goto(`chrome-extension://${this.id}/${path}`);
    return page;
  }

  /** A page with the rights of the extension and none of its code: what it reads, the extension did not touch. */
  async observer(): Promise<Page> {
    if (!this.#observer || this.#observer.isClosed()) this.#observer = await this.page("manifest.json");
    return this.#observer;
  }

  /** The worker, if it runs. */
  worker(): Worker | undefined {
    return this.context.serviceWorkers().find((worker) => new URL(worker.url()).host === this.id);
  }

  async readStorage(): Promise<Storage> {
    return readAll(await this.observer());
  }

  /** Sets the given keys, and leaves all others. */
  async writeStorage(items: Storage): Promise<void> {
    await writeAll(await this.observer(), items);
  }

  async removeStorage(keys: string[]): Promise<void> {
    await (await this.observer()).evaluate((names) => chrome.storage.local.remove(names), keys);
  }

  /** Kills the worker in the middle of whatever it does, as the browser may at any time. */
  async stopWorker(): Promise<void> {
    const session = await this.context.newCDPSession(await this.observer());
    // Playwright's own worker object lives on: it stands for the worker's next life too.
    const stopped = new Promise<void>((resolve) => {
      session.on("ServiceWorker.workerVersionUpdated", ({ versions }) => {
        if (versions.length > 0 && versions.every(({ runningStatus }) => runningStatus === "stopped")) resolve();
      });
    });
    await session.send("ServiceWorker.enable");
    await session.send("ServiceWorker.stopAllWorkers");
    await stopped;
    await session.detach();
  }

  /** Starts the worker again by an event, as any event would. */
  async wakeWorker(): Promise<void> {
    await (await this.observer()).evaluate(() => chrome.alarms.create("wake", { when: Date.now() }));
  }

  async close(): Promise<void> {
    await this.context.close();
    await rm(this.#home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

function installed(home: string): string {
  return join(home, "extension");
}

async function install(dist: string, target: string, first?: Prelude): Promise<void> {
  await rm(target, { recursive: true, force: true });
  await cp(dist, target, { recursive: true });
  if (first === undefined) return;
  const worker = join(target, "worker/index.js");
  await writeFile(worker, `${first}\n${await readFile(worker, "utf8")}`);
}

/** Without developer mode Chromium does not reload an extension that was loaded from a folder. */
async function preferDeveloperMode(profile: string): Promise<void> {
  await mkdir(join(profile, "Default"), { recursive: true });
  const preferences = { extensions: { ui: { developer_mode: true } } };
  await writeFile(join(profile, "Default/Preferences"), JSON.stringify(preferences));
}

async function open(home: string, headed: boolean): Promise<BrowserContext> {
  const folder = installed(home);
  const executablePath = chromiumPath();
  return chromium.launchPersistentContext(join(home, "profile"), {
    ...(executablePath === undefined ? { channel: "chromium" } : { executablePath }),
    headless: !headed,
    ignoreDefaultArgs: ["--disable-extensions", "--headless"],
    args: [
      ...(headed ? [] : ["--headless=new"]),
      ...QUIET,
      `--disable-extensions-except=${folder}`,
      `--load-extension=${folder}`,
    ],
    viewport: { width: 1200, height: 900 },
    deviceScaleFactor: 2,
  });
}
