// For Next.js' edge runtime, which can neither inflate nor compile WebAssembly itself. Its bundlers replace an import
// with `?module` by a compiled module.
import { setSource } from '../border/load.js';
import { setTyped } from '../api/typed-code.js';
import * as typed from './typed.js';
// @ts-expect-error: the bundler gives a compiled module
import wasm from './core.wasm?module';
// @ts-expect-error: made by the build
import { makeBindings } from '../../pkg/all/bindings.js';

setSource(() => ({ wasm: wasm as WebAssembly.Module, makeBindings }));
setTyped(() => typed);

export * from '../api/exports.js';
