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

/** Never ends the `nth` write to storage, counted from the start of the worker or, where `from` names a key of session
 * storage, from when that is there. The write itself is made or not. It happens once in the life of the session, so
 * that a worker that is killed there starts into a sound world. */
export function stallAt(nth: number, write: "made" | "not made", from: string): void {
  const area = chrome.storage.local;
  let calls = 0;
  const stalls = async (): Promise<boolean> => {
    const { stalled, ...session } = await chrome.storage.session.get<Record<string, unknown>>(null);
    if (stalled === true || (from !== "" && session[from] === undefined) || ++calls !== nth) return false;
    await chrome.storage.session.set({ stalled: true });
    return true;
  };
  for (const name of ["set", "remove"] as const) {
    const real = area[name].bind(area) as (what: unknown) => Promise<void>;
    const stalling = async (what: unknown): Promise<void> => {
      if (!(await stalls())) return real(what);
      if (write === "made") await real(what);
      return new Promise(() => undefined);
    };
    Object.defineProperty(area, name, { configurable: true, value: stalling });
  }
}

/** Lets the origin's file system not be opened, as in a private window. */
export function closeFiles(): void {
  const closed = (): Promise<never> => Promise.reject(new DOMException("The operation is insecure.", "SecurityError"));
  Object.defineProperty(navigator.storage, "getDirectory", { configurable: true, value: closed });
}

/** Lets IndexedDB not be opened, as where its backing store is damaged. */
export function closeDatabase(): void {
  const closed = (): never => {
    throw new DOMException("Internal error opening backing store for indexedDB.open.", "UnknownError");
  };
  Object.defineProperty(indexedDB, "open", { configurable: true, value: closed });
}

/** Makes the value under a key fail each read that it is part of, as a damaged block on the disk does. */
export function corrupt(key: string): void {
  const area = chrome.storage.local;
  const real = area.get.bind(area) as (wanted: unknown) => Promise<Record<string, unknown>>;
  const reading = async (wanted: unknown): Promise<Record<string, unknown>> => {
    const found = await real(wanted);
    if (Object.hasOwn(found, key)) throw new Error("IO error: .../000003.log: corrupted block");
    return found;
  };
  Object.defineProperty(area, "get", { configurable: true, value: reading });
}

/** Lets the module ask for more memory than there can be, which traps it, when it takes its `nth` text across the border.
 * It happens once in the life of the session. */
export function trapAt(nth: number): void {
  let exports: WebAssembly.Exports | undefined;
  for (const name of ["instantiate", "instantiateStreaming"] as const) {
    const real = WebAssembly[name].bind(WebAssembly) as (...given: unknown[]) => Promise<unknown>;
    const instantiate = async (...given: unknown[]): Promise<unknown> => {
      const made = (await real(...given)) as WebAssembly.WebAssemblyInstantiatedSource | WebAssembly.Instance;
      ({ exports } = "instance" in made ? made.instance : made);
      return made;
    };
    Object.defineProperty(WebAssembly, name, { configurable: true, value: instantiate });
  }
  let texts = 0;
  let trapped: unknown;
  void chrome.storage.session.get("trapped").then((session) => (trapped = session["trapped"] ?? false));
  // eslint-disable-next-line @typescript-eslint/unbound-method -- It is called on the encoder that it was called on.
  const real = TextEncoder.prototype.encodeInto;
  TextEncoder.prototype.encodeInto = function (text, into) {
    if (exports && trapped === false && ++texts === nth) {
      trapped = true;
      void chrome.storage.session.set({ trapped });
      (exports["__wbindgen_malloc"] as (size: number, align: number) => number)(-1, 1);
    }
    return real.call(this, text, into);
  };
}
