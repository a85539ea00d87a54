import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import puppeteer, { type Browser } from "puppeteer-core";
import { chromiumPath, QUIET } from "../browser/chromium.js";
import { RunningBrowser } from "./running.js";

/** Set in the preferences of an extension that is there for one session only. */
const FOR_ONE_SESSION = 0x8000;

/** The part of a profile's preferences that says what is installed. */
interface Preferences {
  extensions: { settings: Record<string, { creation_flags: number; path: string }> };
}

/** Chromium's profile and an extension that is installed in it for good: both outlive every browser that runs on them,
 * and a browser that starts again finds the extension as the last one left it. */
export class Installation {
  readonly #home: string;
  readonly #id: string;
  #running: RunningBrowser | undefined;

  private constructor(home: string, id: string) {
    this.#home = home;
    this.#id = id;
  }

  /** Installs a built extension in a new profile. */
  static async make(home: string, dist: string): Promise<Installation> {
    await mkdir(join(profile(home), "Default"), { recursive: true });
    // Without developer mode Chromium does not reload an extension that was loaded from a folder.
    await writeFile(preferences(home), JSON.stringify({ extensions: { ui: { developer_mode: true } } }));
    await cp(dist, extension(home), { recursive: true });
    const browser = await launch(home);
    const id = await browser.installExtension(extension(home));
    await browser.close();
    await change(home, (found) => {
      const installed = settingsOf(found, id);
      installed.creation_flags &= ~FOR_ONE_SESSION;
    });
    return new Installation(home, id);
  }

  /** The same installation once more, with all its data. No browser may run on this one. */
  async copy(home: string): Promise<Installation> {
    await cp(this.#home, home, { recursive: true, verbatimSymlinks: true });
    await change(home, (found) => {
      settingsOf(found, this.#id).path = extension(home);
    });
    return new Installation(home, this.#id);
  }

  /** Puts another build in the place of the extension's files. */
  async replaceFiles(dist: string): Promise<void> {
    await rm(extension(this.#home), { recursive: true });
    await cp(dist, extension(this.#home), { recursive: true });
  }

  /** Starts a browser on it. Only one may run at a time. */
  async launch(): Promise<RunningBrowser> {
    this.#running = RunningBrowser.of(await launch(this.#home), this.#id);
    return this.#running;
  }

  /** Ends whatever runs on it, and removes it. */
  async remove(): Promise<void> {
    await this.#running?.kill();
    await rm(this.#home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

function launch(home: string): Promise<Browser> {
  return puppeteer.launch({
    executablePath: chromiumPath() ?? "chromium",
    // What installing an extension asks for.
    pipe: true,
    enableExtensions: true,
    userDataDir: profile(home),
    args: ["--no-sandbox", ...QUIET],
  });
}

async function change(home: string, edit: (found: Preferences) => void): Promise<void> {
  const found = JSON.parse(await readFile(preferences(home), "utf8")) as Preferences;
  edit(found);
  await writeFile(preferences(home), JSON.stringify(found));
}

function settingsOf(found: Preferences, id: string): Preferences["extensions"]["settings"][string] {
  const settings = found.extensions.settings[id];
  if (!settings) throw new Error("expected the extension in the profile's preferences, found none");
  return settings;
}

const profile = (home: string): string => join(home, "profile");
const preferences = (home: string): string => join(profile(home), "Default/Preferences");
const extension = (home: string): string => join(home, "extension");
