/** Functions that run in the extension's worker before its own code. Their text alone gets there. */

/** Notes each call to storage, and each way to load WebAssembly, in the global `spied`. */
export function spy(): void {
  const spied: string[] = [];
  Reflect.set(globalThis, "spied", spied);
  const watch = (object: object, name: string, label: string): void => {
    const real = Reflect.get(object, name) as (...given: unknown[]) => unknown;
    const watched = (...given: unknown[]): unknown => {
      spied.push(label);
      return Reflect.apply(real, object, given);
    };
    Object.defineProperty(object, name, { configurable: true, value: watched });
  };
  for (const name of ["get", "getKeys", "getBytesInUse", "set", "remove", "clear"]) {
    watch(chrome.storage.local, name, `storage.${name}`);
  }
  watch(globalThis, "fetch", "fetch");
  for (const name of ["instantiate", "instantiateStreaming", "compile", "compileStreaming"]) {
    watch(WebAssembly, name, `WebAssembly.${name}`);
  }
}

/** Never ends the second call that writes conversations in their new form, once in the life of the session: a worker
 * that is killed there dies in the middle of a run. */
export function stallOnce(): void {
  const area = chrome.storage.local;
  const write = area.set.bind(area);
  let calls = 0;
  const stalled = async (items: Record<string, unknown>): Promise<void> => {
    const writesNew = Object.keys(items).some((key) => key.startsWith("conversation:"));
    if (!writesNew || ++calls !== 2) return write(items);
    const { stalled: before } = await chrome.storage.session.get("stalled");
    if (before !== undefined) return write(items);
    await chrome.storage.session.set({ stalled: true });
    return new Promise(() => undefined);
  };
  Object.defineProperty(area, "set", { configurable: true, value: stalled });
}
