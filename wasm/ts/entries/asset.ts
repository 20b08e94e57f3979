// `chatcore/asset`: the modules are separate files beside this one, which servers compress and browsers cache as
// compiled code. Bundlers that support `new URL(…, import.meta.url)` copy the files to their output. A client loads the
// module that it needs.
// @ts-expect-error: made by the build
import { makeBindings as makeAll } from '../../pkg/all/bindings.js';
// @ts-expect-error: made by the build
import { makeBindings as makeChat } from '../../pkg/chat/bindings.js';
import { chunk } from '../border/chunk.js';
import { setSources } from '../border/load.js';
import { setTyped } from '../api/typed-code.js';

setSources({
  chat: async () => ({ wasm: await fetch(new URL('./core-chat.wasm', import.meta.url)), makeBindings: makeChat }),
  all: async () => ({ wasm: await fetch(new URL('./core.wasm', import.meta.url)), makeBindings: makeAll }),
});
setTyped(() => chunk(() => import('./typed.js')));

export * from '../api/exports.js';
