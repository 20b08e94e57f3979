import { setSource } from './load.js';
// @ts-expect-error: workerd gives a compiled module
import module from './core.wasm';

setSource(() => module as WebAssembly.Module);

export * from './all.js';
