import { setHomes } from './home.js';
import { setSource } from './load.js';
import { setServer } from './environment.js';
import { requestHome } from './workerd-home.js';
// @ts-expect-error: workerd gives a compiled module
import module from './core.wasm';

setSource(() => module as WebAssembly.Module);
setHomes(requestHome);
setServer();

export * from './all.js';
