import { chain } from "#chain";
import { Exuvia } from "exuvia";

/** The one way to the stored data, for the worker and each page. */
export const exuvia = new Exuvia({ chain, wasm: chrome.runtime.getURL("engine_bg.wasm") });
