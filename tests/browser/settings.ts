import { readFile } from "node:fs/promises";
import type { Mode, State } from "exuvia";
import type { Locator, Page } from "playwright-core";
import type { ExtensionBrowser, Prelude } from "./extension.js";

/** A file that a person chooses: one on disk, or one that exists only for a test. */
export type ChosenFile = string | { name: string; mimeType: string; buffer: Buffer };

/** The settings page, by what a person does there. */
export class SettingsPage {
  readonly page: Page;

  private constructor(page: Page) {
    this.page = page;
  }

  /** `before` runs in the page before its own code. */
  static async open(browser: ExtensionBrowser, before?: Prelude): Promise<SettingsPage> {
    return new SettingsPage(await browser.page("settings/index.html", before));
  }

  /** Waits until the page says that the data is in one of these states. */
  async reaches(...states: State[]): Promise<State> {
    const hero = this.page.getByTestId("state");
    const any = states.map((state) => `[data-state="${state}"]`).join(", ");
    await hero
      .and(this.page.locator(any))
      .waitFor({ timeout: 60_000 })
      .catch(async () => {
        const found = (await hero.getAttribute("data-state")) ?? "no state";
        throw new Error(`expected the data to be ${states.join(" or ")}, found ${found}: ${await hero.innerText()}`);
      });
    return (await hero.getAttribute("data-state")) as State;
  }

  version(): Locator {
    return this.page.getByTestId("version");
  }

  /** How much is kept; shown once the data is in order. */
  counts(): Locator {
    return this.page.getByTestId("count");
  }

  problem(): Locator {
    return this.page.getByTestId("problem");
  }

  /** How the last run ended, as the page says. */
  async outcome(): Promise<string | null> {
    return this.page.getByTestId("last-run").locator("[data-outcome]").getAttribute("data-outcome");
  }

  /** Chooses a file and waits for the preview, or for the reason why there is none. */
  async choose(file: ChosenFile): Promise<void> {
    await this.page.locator('[data-testid="import-file"]:enabled').waitFor();
    await this.page.getByTestId("import-file").setInputFiles(file);
    await this.page.getByTestId("import-preview").or(this.importError()).first().waitFor({ timeout: 60_000 });
  }

  /** Imports a file and waits until it is in. */
  async import(file: ChosenFile, mode: Mode): Promise<void> {
    await this.choose(file);
    await this.page.getByTestId(`mode-${mode}`).check();
    await this.page.locator('[data-testid="import-confirm"]:enabled').click();
    const done = this.page.locator("#import [role=status]", { hasText: "is in:" });
    await done.or(this.importError()).first().waitFor({ timeout: 60_000 });
    if (await this.importError().isVisible()) {
      throw new Error(`expected the import to succeed, found: ${await this.importError().innerText()}`);
    }
  }

  importError(): Locator {
    return this.page.getByTestId("import-error");
  }

  /** How many records of a collection the preview puts in a column. */
  async previewed(collection: string, column: string): Promise<number> {
    const cell = this.page.locator(`[data-collection="${collection}"] [data-column="${column}"]`);
    return Number((await cell.innerText()).replaceAll(/\D/g, ""));
  }

  /** Exports everything, and gives the file. */
  async export(): Promise<Buffer> {
    const [download] = await Promise.all([this.page.waitForEvent("download"), this.page.getByTestId("export").click()]);
    return readFile(await download.path());
  }

  snapshots(): Locator {
    return this.page.getByTestId("snapshot");
  }

  /** What is listed as set aside, a row for what is told of together. */
  aside(): Locator {
    return this.page.getByTestId("aside-row");
  }

  /** Saves what is set aside, and gives the file. */
  async saveAside(): Promise<string> {
    const save = this.page.getByTestId("aside-save");
    const [download] = await Promise.all([this.page.waitForEvent("download"), save.click()]);
    return readFile(await download.path(), "utf8");
  }

  /** Forgets a row of what is set aside, and agrees to what the page asks. */
  async forget(index = 0): Promise<void> {
    await this.aside().nth(index).getByTestId("forget").click();
    await this.page.getByTestId("dialog-confirm").click();
  }

  /** Goes back to an older version, and agrees to what the page asks. */
  async revert(version: number): Promise<void> {
    await this.page.getByTestId("revert-version").selectOption(String(version));
    await this.page.getByTestId("revert").click();
    await this.page.getByTestId("dialog-confirm").click();
  }

  /** Restores a snapshot, the newest being the first, and agrees to what the page asks. */
  async restore(index = 0): Promise<void> {
    await this.snapshots().nth(index).getByTestId("restore").click();
    await this.page.getByTestId("dialog-confirm").click();
  }
}
