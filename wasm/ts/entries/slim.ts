// Without a module in it: the program says where that comes from.
// @ts-expect-error: made by the build
import { makeBindings } from '../../pkg/all/bindings.js';
import { setSource, type WasmSource } from '../border/load.js';

/** Says where the module `chatcore/core.wasm` comes from: bytes, a compiled module, a response. */
export function setWasm(wasm: WasmSource | Promise<WasmSource> | (() => WasmSource | Promise<WasmSource>)): void {
  const load = typeof wasm === 'function' ? wasm as () => WasmSource | Promise<WasmSource> : () => wasm;
  setSource(async () => ({ wasm: await load(), makeBindings }));
}

export type { WasmModule, WasmSource } from '../border/load.js';
export * from '../api/exports.js';
