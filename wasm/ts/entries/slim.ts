// `chatcore/slim`: contains no module; the program gives it to `setWasm`.
// @ts-expect-error: made by the build
import { makeBindings } from '../../pkg/all/bindings.js';
import { setSource, type WasmSource } from '../border/load.js';
import { setTyped } from '../api/typed-code.js';
import * as typed from './typed.js';

/** The build defines it. */
declare const ALL_BUILD: string;

/** Sets the source of the module `chatcore/core.wasm`: its bytes, a compiled module, or a response. */
export function setWasm(wasm: WasmSource | Promise<WasmSource> | (() => WasmSource | Promise<WasmSource>)): void {
  const load = typeof wasm === 'function' ? wasm as () => WasmSource | Promise<WasmSource> : () => wasm;
  setSource(async () => ({ wasm: await load(), makeBindings, build: ALL_BUILD }));
}
setTyped(() => typed);

export type { WasmModule, WasmSource } from '../border/load.js';
export * from '../api/exports.js';
