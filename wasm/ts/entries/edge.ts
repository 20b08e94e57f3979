// For Next.js' edge runtime, which inflates nothing and compiles no WebAssembly itself: its bundlers give a compiled
// module for `?module`.
import { setSource } from '../border/load.js';
// @ts-expect-error: the bundler gives a compiled module
import wasm from './core.wasm?module';
// @ts-expect-error: made by the build
import { makeBindings } from '../../pkg/all/bindings.js';

setSource(() => ({ wasm: wasm as WebAssembly.Module, makeBindings }));

export * from '../api/exports.js';
