import type { Mode, State } from "exuvia";
import type { Page } from "puppeteer-core";
import { until, type FirefoxBrowser } from "./firefox.js";

/** The settings page in Firefox, by what a person does there. */
export class FirefoxSettings {
  readonly page: Page;
  readonly #browser: FirefoxBrowser;

  private constructor(browser: FirefoxBrowser, page: Page) {
    this.#browser = browser;
    this.page = page;
  }

  static async open(browser: FirefoxBrowser): Promise<FirefoxSettings> {
    return new FirefoxSettings(browser, await browser.page("settings/index.html"));
  }

  /** Waits until the page says that the data is in a state. */
  async reaches(state: State): Promise<void> {
    await until(`a page that says ${state}`, () => this.#exists(`[data-testid=state][data-state=${state}]`));
  }

  /** What the page says is wrong. */
  async problem(): Promise<string> {
    return this.page.$eval("[data-testid=problem]", (element) => element.textContent);
  }

  /** How the last run ended, as the page says. */
  async outcome(): Promise<string | null> {
    return this.page.$eval("[data-testid=last-run] [data-outcome]", (element) => element.getAttribute("data-outcome"));
  }

  /** Restores the newest snapshot, and agrees to what the page asks. */
  async restore(): Promise<void> {
    await this.#click("[data-testid=restore]");
    await this.#click("[data-testid=dialog-confirm]");
  }

  /** Exports everything, and gives the file. */
  async export(): Promise<string> {
    return this.#browser.downloaded(() => this.#click("[data-testid=export]"));
  }

  /** Imports a file and waits until it is in; fails with what the page says where it is not. */
  async import(file: string, mode: Mode): Promise<void> {
    const input = await this.page.waitForSelector("input[data-testid=import-file]:not(:disabled)");
    await input?.uploadFile(file);
    await this.#click(`[data-testid=mode-${mode}]`);
    await this.#click("[data-testid=import-confirm]:not(:disabled)");
    const said = () => this.page.$eval("#import [role=status]", (element) => element.textContent);
    await until("the end of the import", async () => /is in:|Your data is as it was/.test(await said()));
    if (!(await said()).includes("is in:")) throw new Error(`expected the import to succeed, found: ${await said()}`);
  }

  async #exists(selector: string): Promise<boolean> {
    return (await this.page.$(selector)) !== null;
  }

  async #click(selector: string): Promise<void> {
    await until(selector, () => this.#exists(selector));
    await this.page.$eval(selector, (element) => (element as HTMLElement).click());
  }
}
