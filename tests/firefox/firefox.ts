import { cp, mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import puppeteer, { type Browser, type Page } from "puppeteer-core";
import type { Control } from "../browser/control.js";
import { onPath } from "../browser/path.js";
import type { Storage } from "../json.js";

/** What the manifest calls the extension, and the host of its pages, which Firefox would draw by lot. */
const ID = "companion@exuvia.example";
const HOST = "6f9d3c1e-2b7a-4e58-9c41-0d5e8a7b3f26";

/** How long the browser may take for anything that a test waits for, in milliseconds. */
const PATIENCE = 60_000;

/** Firefox with a profile of its own and one extension in it. */
export class FirefoxBrowser {
  readonly #home: string;
  readonly #browser: Browser;
  #observer: Page | undefined;

  private constructor(home: string, browser: Browser) {
    this.#home = home;
    this.#browser = browser;
  }

  /** `preferences` are the browser's own, as in about:config. */
  static async launch(dist: string, preferences: Record<string, unknown> = {}): Promise<FirefoxBrowser> {
    const home = await mkdtemp(join(tmpdir(), "exuvia-firefox-"));
    await mkdir(downloads(home));
    const browser = await puppeteer.launch({
      browser: "firefox",
      executablePath: process.env["FIREFOX"] ?? onPath("firefox-esr", "firefox") ?? "firefox",
      // What opening an extension's pages asks for.
      args: ["--remote-allow-system-access"],
      extraPrefsFirefox: {
        "extensions.webextensions.uuids": JSON.stringify({ [ID]: HOST }),
        "browser.download.folderList": 2,
        "browser.download.dir": downloads(home),
        ...preferences,
      },
    });
    const firefox = new FirefoxBrowser(home, browser);
    await firefox.install(dist);
    return firefox;
  }

  /** Installs a build; where there was one, its pages close and its data stays, as in an update. */
  async install(dist: string): Promise<void> {
    const extension = join(this.#home, "extension");
    await rm(extension, { recursive: true, force: true });
    await cp(dist, extension, { recursive: true });
    await this.#browser.installExtension(extension);
    this.#observer = undefined;
  }

  /** A page of the extension, such as `settings/index.html`. */
  async page(path: string): Promise<Page> {
    const page = await this.#browser.newPage();
    const url = `moz-extension://${HOST}/${path}`;
    // Firefox does not tell of the end of such a navigation.
    await page.goto(url, { timeout: 500 }).catch(() => undefined);
    await until(`the page ${path}`, () => page.evaluate((to) => location.href === to, url));
    return page;
  }

  /** A page with the rights of the extension and none of its code: what it reads, the extension did not touch. */
  async observer(): Promise<Page> {
    this.#observer ??= await this.page("manifest.json");
    return this.#observer;
  }

  /** Waits until the data is at a version with no run under way. */
  async settles(version: number): Promise<void> {
    await until(`version ${version}`, async () => {
      const now = await this.control();
      return now?.version === version && now.run === undefined;
    });
  }

  async control(): Promise<Control | undefined> {
    const page = await this.observer();
    const { exuvia } = await page.evaluate(() => chrome.storage.local.get<{ exuvia?: Control }>("exuvia"));
    return exuvia;
  }

  /** What of storage is JSON. */
  async readStorage(): Promise<Storage> {
    const page = await this.observer();
    const text = await page.evaluate(async () => JSON.stringify(await chrome.storage.local.get(null)));
    return JSON.parse(text) as Storage;
  }

  /** Sets the given keys, and leaves all others. */
  async writeStorage(items: Storage): Promise<void> {
    const page = await this.observer();
    await page.evaluate((text) => chrome.storage.local.set(JSON.parse(text) as Storage), JSON.stringify(items));
  }

  /** The file that is downloaded next, by what `act` does. */
  async downloaded(act: () => Promise<void>): Promise<string> {
    const folder = downloads(this.#home);
    const before = new Set(await readdir(folder));
    await act();
    let file: string | undefined;
    await until("a download", async () => {
      const files = await readdir(folder);
      file = files.find((name) => !before.has(name) && !name.endsWith(".part"));
      return file !== undefined && !files.some((name) => name.endsWith(".part")) && (await size(folder, file)) > 0;
    });
    return join(folder, file ?? "");
  }

  async close(): Promise<void> {
    await this.#browser.close();
    await rm(this.#home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

/** Waits until something holds; what fails meanwhile does not hold yet. */
export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + PATIENCE;
  while (!(await holds().catch(() => false))) {
    if (Date.now() > deadline) throw new Error(`expected ${what} within ${PATIENCE / 1_000} s`);
    await sleep(50);
  }
}

async function size(folder: string, file: string): Promise<number> {
  return (await readFile(join(folder, file))).length;
}

const downloads = (home: string): string => join(home, "downloads");
