// Without the module in it: the program says where that comes from.
import { setSource, type WasmSource } from '../border/load.js';

/** Says where the module `chatcore/core.wasm` comes from: bytes, a compiled module, a response. */
export function setWasm(wasm: WasmSource | Promise<WasmSource> | (() => WasmSource | Promise<WasmSource>)): void {
  setSource(typeof wasm === 'function' ? wasm as () => WasmSource | Promise<WasmSource> : () => wasm);
}

export type { WasmModule, WasmSource } from '../border/load.js';
export * from '../api/exports.js';
