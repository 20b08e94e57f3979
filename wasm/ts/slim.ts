import { setSource, type WasmSource } from './load.js';

/** Says where the module `chatcore/core.wasm` comes from: bytes, a compiled module, a response. */
export function setWasm(wasm: WasmSource | Promise<WasmSource> | (() => WasmSource | Promise<WasmSource>)): void {
  setSource(typeof wasm === 'function' ? wasm as () => WasmSource | Promise<WasmSource> : () => wasm);
}

export type { WasmModule, WasmSource } from './load.js';
export * from './all.js';
