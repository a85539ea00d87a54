import type { Json, JsonObject } from "../json.js";

/** What survives a process: a storage area in memory, whose writes may end with the process. */
export class Area {
  readonly items = new Map<string, Json>();
  /** Writes until the process dies; each later call then never returns. */
  writes = Infinity;

  /** Whatever was there, from now on this is. */
  hold(items: JsonObject): void {
    this.items.clear();
    for (const [key, value] of Object.entries(items)) this.items.set(key, structuredClone(value));
  }

  text(key: string): string | undefined {
    const value = this.items.get(key);
    return typeof value === "string" ? value : undefined;
  }

  all(): JsonObject {
    return structuredClone(Object.fromEntries(this.items));
  }

  /** As `chrome.storage.local` offers it. */
  api(): object {
    const dead = <T>(): Promise<T> => new Promise(() => undefined);
    const write = (act: () => void): Promise<void> => {
      this.writes -= 1;
      if (this.writes < 0) return dead();
      act();
      return Promise.resolve();
    };
    return {
      get: (keys: string | string[] | null) => {
        if (this.writes <= 0) return dead();
        const wanted = keys === null ? undefined : [keys].flat();
        const found = Object.entries(this.all()).filter(([key]) => wanted?.includes(key) ?? true);
        return Promise.resolve(Object.fromEntries(found));
      },
      set: (items: JsonObject) =>
        write(() => Object.entries(items).forEach(([key, value]) => this.items.set(key, structuredClone(value)))),
      remove: (keys: string | string[]) => write(() => [keys].flat().forEach((key) => this.items.delete(key))),
      onChanged: { addListener: () => undefined, removeListener: () => undefined },
    };
  }
}

/** As `localStorage` offers it, over the same. */
export function localStorageOf(area: Area): Pick<Storage, "getItem" | "setItem" | "removeItem"> {
  return {
    getItem: (key) => area.text(key) ?? null,
    setItem(key, value) {
      area.items.set(key, value);
    },
    removeItem(key) {
      area.items.delete(key);
    },
  };
}
