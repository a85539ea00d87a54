import { readFile, readdir, writeFile } from "node:fs/promises";

/** The memory of the process in which an extension's worker runs, as Linux counts it. */
export class WorkerMemory {
  readonly #status: string;
  readonly #forget: string;

  private constructor(pid: string) {
    this.#status = `/proc/${pid}/status`;
    this.#forget = `/proc/${pid}/clear_refs`;
  }

  /** Among the browser's descendants. */
  static async find(browser: number): Promise<WorkerMemory> {
    const family = new Set([String(browser)]);
    const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).sort((a, b) => Number(a) - Number(b));
    for (const pid of pids) {
      const [parent, command] = await Promise.all([parentOf(pid), readFile(`/proc/${pid}/cmdline`, "utf8")]).catch(
        () => ["", ""] as const,
      );
      if (!family.has(parent)) continue;
      family.add(pid);
      if (command.includes("--extension-process")) return new WorkerMemory(pid);
    }
    throw new Error("expected a process of the extension, found none");
  }

  /** What is resident now, in bytes; from here on the peak is counted. */
  async begin(): Promise<number> {
    await writeFile(this.#forget, "5");
    return this.#read("VmRSS");
  }

  peak(): Promise<number> {
    return this.#read("VmHWM");
  }

  async #read(name: string): Promise<number> {
    const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(await readFile(this.#status, "utf8"));
    if (!found) throw new Error(`expected ${name} of the extension's process, found none`);
    return Number(found[1]) * 1024;
  }
}

async function parentOf(pid: string): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  // After the name, which may hold anything: the state, then the parent.
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1] ?? "";
}
