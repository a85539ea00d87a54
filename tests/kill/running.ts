import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { TargetType, type Browser, type CDPSession, type Page, type Target } from "puppeteer-core";
import type { Control } from "../browser/control.js";
import type { Storage } from "../json.js";
import { Progress } from "./progress.js";

/** How long a browser may take for anything that a test waits for, in milliseconds. */
const PATIENCE = 60_000;

/** Data that stays as it is for so long is at rest, in milliseconds: what a context sent to storage before it died, its
 * head with a run in it say, may land after it. */
const REST = 1_000;

/** A browser at work on an installation, and what it can suffer. */
export class RunningBrowser {
  /** What is heard of the run in it. */
  readonly progress = new Progress();
  readonly #browser: Browser;
  readonly #id: string;
  /** A session with each worker that there was; one that starts again keeps its session. */
  readonly #workers: CDPSession[] = [];
  #observer: Page | undefined;

  private constructor(browser: Browser, id: string) {
    this.#browser = browser;
    this.#id = id;
  }

  static of(browser: Browser, id: string): RunningBrowser {
    const running = new RunningBrowser(browser, id);
    browser.on("targetcreated", (target) => void running.#listen(target));
    for (const target of browser.targets()) void running.#listen(target);
    return running;
  }

  /** A page of the extension, such as `settings/index.html`. */
  async page(path: string): Promise<Page> {
    const page = await this.#browser.newPage();
    await page.goto(this.#url(path));
    return page;
  }

  /** Makes the browser take the extension's files anew, as an update does: its pages close, a new worker starts. */
  async reload(): Promise<void> {
    const observer = await this.#observe();
    const before = new Set(this.#browser.targets());
    const closed = new Promise((resolve) => observer.once("close", resolve));
    // The page goes away before it can answer.
    void observer.evaluate(() => chrome.runtime.reload()).catch(() => undefined);
    await this.#within(closed, "the extension's pages to close when it is reloaded");
    this.progress.restart();
    const isNewWorker = (target: Target) => this.#isWorker(target) && !before.has(target);
    const started = this.#browser.waitForTarget(isNewWorker, { timeout: 0 });
    await this.#within(started, "a new worker when the extension is reloaded");
  }

  /** The control key, read without the extension's help. */
  async control(): Promise<Control | undefined> {
    const page = await this.#observe();
    const { exuvia } = await page.evaluate(() => chrome.storage.local.get<{ exuvia?: Control }>("exuvia"));
    return exuvia;
  }

  async readStorage(): Promise<Storage> {
    const page = await this.#observe();
    const text = await page.evaluate(async () => JSON.stringify(await chrome.storage.local.get(null)));
    return JSON.parse(text) as Storage;
  }

  /** Sets the given keys, and leaves all others. */
  async writeStorage(items: Storage): Promise<void> {
    const page = await this.#observe();
    await page.evaluate((text) => chrome.storage.local.set(JSON.parse(text) as Storage), JSON.stringify(items));
  }

  async removeStorage(keys: string[]): Promise<void> {
    const page = await this.#observe();
    await page.evaluate((names) => chrome.storage.local.remove(names), keys);
  }

  /** Waits until the data is at a version with no run under way, and its head is another than it was `since`. Answers when it
   * came to rest. */
  async settles(version: number, since?: number): Promise<number> {
    const deadline = performance.now() + PATIENCE;
    let rests: { epoch: number; since: number } | undefined;
    while (!rests || performance.now() - rests.since < REST) {
      const now = await this.control();
      if (now?.version !== version || now.run !== undefined || now.epoch === since) rests = undefined;
      else if (rests?.epoch !== now.epoch) rests = { epoch: now.epoch, since: performance.now() };
      if (!rests && performance.now() > deadline) {
        throw new Error(`expected data at version ${version} and no run, found ${JSON.stringify({ ...now, pad: "" })}`);
      }
      await sleep(20);
    }
    return rests.since;
  }

  /** Any event starts the worker, if there is none. */
  async wakeWorker(): Promise<void> {
    const page = await this.#observe();
    await page.evaluate(() => chrome.alarms.create("wake", { when: Date.now() }));
    void this.#letGo();
  }

  /** Ends the worker and the pages that do something, in the middle of whatever they do. */
  async stopContexts(): Promise<void> {
    const observer = await this.#observe();
    const pages = (await this.#browser.pages()).filter((page) => page !== observer);
    await Promise.all(pages.map((page) => page.close()));
    const session = await observer.createCDPSession();
    const stopped = new Promise<void>((resolve) => {
      session.on("ServiceWorker.workerVersionUpdated", ({ versions }) => {
        if (versions.length > 0 && versions.every(({ runningStatus }) => runningStatus === "stopped")) resolve();
      });
    });
    await session.send("ServiceWorker.enable");
    await session.send("ServiceWorker.stopAllWorkers");
    await this.#within(stopped, "the worker to stop");
    await session.detach();
    this.progress.restart();
  }

  /** Ends every process of the browser at once. Nothing in it gets to say a last word. */
  async kill(): Promise<void> {
    const process = this.#browser.process();
    if (process?.pid === undefined || process.exitCode !== null) return;
    const gone = once(process, "exit");
    signal(process.pid, "SIGKILL");
    await gone;
    while (signal(process.pid, 0)) await sleep(5);
  }

  async close(): Promise<void> {
    await this.#browser.close();
  }

  async #observe(): Promise<Page> {
    // A page with the rights of the extension and none of its code: what it reads, the extension did not touch.
    if (!this.#observer || this.#observer.isClosed()) this.#observer = await this.page("manifest.json");
    return this.#observer;
  }

  async #listen(target: Target): Promise<void> {
    if (!target.url().startsWith(this.#url(""))) return;
    try {
      const session = await target.createCDPSession();
      if (this.#isWorker(target)) this.#workers.push(session);
      await this.progress.listen(session);
    } catch {
      // It was gone before it could be listened to.
    }
  }

  /** A debugger that is attached, as here, holds back a worker that starts again until it is told to go on. */
  async #letGo(): Promise<void> {
    for (let tries = 0; tries < 100 && this.#browser.connected; tries++) {
      for (const worker of this.#workers) worker.send("Runtime.runIfWaitingForDebugger").catch(() => undefined);
      await sleep(20);
    }
  }

  /** What a browser never does would be waited for without end. */
  async #within<T>(event: Promise<T>, what: string): Promise<T> {
    const ended = new AbortController();
    const late = sleep(PATIENCE, undefined, { signal: ended.signal }).then(() => {
      const there = this.#browser.targets().map((target) => `${target.type()} ${target.url()}`);
      const found = this.#browser.connected ? there.join(", ") : "no browser";
      throw new Error(`expected ${what} within ${PATIENCE / 1_000} s, found that it did not: there are ${found}`);
    });
    // Once the event is there nobody waits for it.
    late.catch(() => undefined);
    return Promise.race([event, late]).finally(() => ended.abort());
  }

  #isWorker(target: Target): boolean {
    return target.type() === TargetType.SERVICE_WORKER && target.url().startsWith(this.#url(""));
  }

  #url(path: string): string {
    return `chrome-extension://${this.#id}/${path}`;
  }
}

/** Sends a signal to a group of processes; false if none of them is left. */
function signal(group: number, name: "SIGKILL" | 0): boolean {
  try {
    return process.kill(-group, name);
  } catch {
    return false;
  }
}
