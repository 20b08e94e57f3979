// `chatcore/whole`, and `require('chatcore')` outside of Node: all dialects in one file, for hosts that cannot import a
// chunk later (service workers, Jest without modules).
import { makeBindings } from './bindings-all.js';
import { load } from './core-all.js';
import { setSource } from '../border/load.js';
import { setTyped } from '../api/typed-code.js';
import * as typed from './typed.js';

setSource(() => ({ wasm: load(), makeBindings }));
setTyped(() => typed);

export * from '../api/exports.js';
