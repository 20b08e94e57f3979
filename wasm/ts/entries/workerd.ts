// For Cloudflare's workerd. It compiles the module itself, and there each connection belongs to one incoming request.
import { setHomes } from '../border/home.js';
import { setSource } from '../border/load.js';
import { setTyped } from '../api/typed-code.js';
import * as typed from './typed.js';
import { setServer } from '../api/environment.js';
import { requestHome } from '../border/workerd-home.js';
// @ts-expect-error: workerd gives a compiled module
import wasm from './core.wasm';
// @ts-expect-error: made by the build
import { makeBindings } from '../../pkg/all/bindings.js';

setSource(() => ({ wasm: wasm as WebAssembly.Module, makeBindings }));
setHomes(requestHome);
setServer();
setTyped(() => typed);

export * from '../api/exports.js';
