import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { text } from "node:stream/consumers";
import { chromiumPath } from "../../browser/chromium.js";
import { PLACE, type Conversation, type Job, type StoreName } from "./job.js";
import { WorkerMemory } from "./memory.js";

const EXTENSION = join(import.meta.dirname, "../../../target/bench/extension");

/** How long a worker may take until it asks for its job, and a life in all: a worker that is killed says nothing more. */
const START_MS = 60_000;
const LIMIT_MS = 10 * 60_000;

/** What one life of the browser came to. */
export interface Life {
  ms: number;
  /** Memory of the worker's process over what it was before, in bytes. */
  peak: number;
}

interface Running {
  job: Job;
  browser: number;
  ended: (life: Life) => void;
  failed: (why: Error) => void;
  asked: boolean;
  memory?: WorkerMemory;
  idle: number;
  life: Life;
}

/** Gives the extension's worker its jobs, a life of the browser for each. It speaks HTTP with it: a debugger that is
 * attached would keep the worker alive. */
export class Driver {
  readonly #home: string;
  readonly #records: Conversation[];
  readonly #filled = new Map<string, Promise<string>>();
  readonly #server = createServer((request, response) => void this.#answer(request, response));
  #running: Running | undefined;

  private constructor(home: string, records: Conversation[]) {
    this.#home = home;
    this.#records = records;
  }

  static async start(records: Conversation[]): Promise<Driver> {
    const driver = new Driver(await mkdtemp(join(tmpdir(), "exuvia-bench-")), records);
    driver.#server.listen(0, "127.0.0.1");
    await once(driver.#server, "listening");
    const { port } = driver.#server.address() as AddressInfo;
    await writeFile(join(EXTENSION, PLACE), JSON.stringify({ url: `http://127.0.0.1:${port}` }));
    return driver;
  }

  /** A job on a copy of a profile in which version 1 is stored. */
  async move(job: Job & { act: "move" }, store: StoreName): Promise<Life> {
    const profile = join(this.#home, "profile");
    await cp(await this.#filledWith(store, job.records), profile, { recursive: true, filter: isCopied });
    const life = await this.#live(job, profile);
    await remove(profile);
    return life;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await remove(this.#home);
  }

  #filledWith(store: StoreName, records: number): Promise<string> {
    const profile = join(this.#home, `${store}-${records}`);
    const filled =
      this.#filled.get(profile) ?? this.#live({ act: "seed", store, records }, profile).then(() => profile);
    this.#filled.set(profile, filled);
    return filled;
  }

  async #live(job: Job, profile: string): Promise<Life> {
    const browser = spawn(chromiumPath() ?? "chromium", [...FLAGS, `--user-data-dir=${profile}`], { stdio: "ignore" });
    const closed = once(browser, "exit");
    try {
      return await new Promise<Life>((ended, failed) => {
        const running: Running = {
          job,
          browser: browser.pid ?? 0,
          ended,
          failed,
          asked: false,
          idle: 0,
          life: { ms: 0, peak: 0 },
        };
        this.#running = running;
        const fail = (why: string) => failed(new Error(`${describe(job)}: ${why}`));
        setTimeout(() => running.asked || fail("the worker has not started"), START_MS).unref();
        setTimeout(() => fail("the worker has not ended"), LIMIT_MS).unref();
        void closed.then(() => fail("the browser ended"));
      });
    } finally {
      browser.kill("SIGTERM");
      await closed;
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://127.0.0.1");
    const running = this.#running;
    try {
      const answer = running && (await this.#serve(running, url, request));
      response.end(JSON.stringify(answer ?? null));
    } catch (error) {
      running?.failed(error as Error);
      response.end("null");
    }
  }

  async #serve(running: Running, url: URL, request: IncomingMessage): Promise<unknown> {
    switch (url.pathname) {
      case "/job":
        running.asked = true;
        return running.job;
      case "/records":
        return this.#slice(Number(url.searchParams.get("from")), Number(url.searchParams.get("count")));
      case "/ready":
        running.memory = await WorkerMemory.find(running.browser);
        running.idle = await running.memory.begin();
        return;
      case "/moved":
        running.life = { ms: Number(await text(request)), peak: ((await running.memory?.peak()) ?? 0) - running.idle };
        return;
      case "/seeded":
      case "/checked":
        running.ended(running.life);
        return;
      case "/failed":
        throw new Error(`${describe(running.job)}: ${await text(request)}`);
      default:
        throw new Error(`expected a word of the worker, found ${url.pathname}`);
    }
  }

  /** After the last record the first comes again, under another name. */
  #slice(from: number, count: number): Conversation[] {
    return Array.from({ length: count }, (_, at) => {
      const index = from + at;
      const record = this.#records[index % this.#records.length];
      const again = Math.floor(index / this.#records.length);
      return { ...record, id: `${record?.id}-${again}` };
    });
  }
}

const FLAGS = [
  "--headless=new",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  `--disable-extensions-except=${EXTENSION}`,
  `--load-extension=${EXTENSION}`,
];

/** Not what says that a browser is at it. */
function isCopied(path: string): boolean {
  return !basename(path).startsWith("Singleton");
}

function describe(job: Job): string {
  return `${job.act === "seed" ? `seed ${job.store}` : job.name}, ${job.records} records`;
}

function remove(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}
