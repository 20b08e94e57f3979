// `chatcore/asset`: the modules are files of their own beside this one, which servers compress and browsers cache as
// compiled code. Tools that know `new URL(…, import.meta.url)` copy them to the build. A client loads the one that it
// needs.
// @ts-expect-error: made by the build
import { makeBindings as makeAll } from '../../pkg/all/bindings.js';
// @ts-expect-error: made by the build
import { makeBindings as makeChat } from '../../pkg/chat/bindings.js';
import { setSources } from '../border/load.js';

setSources({
  chat: async () => ({ wasm: await fetch(new URL('./core-chat.wasm', import.meta.url)), makeBindings: makeChat }),
  all: async () => ({ wasm: await fetch(new URL('./core.wasm', import.meta.url)), makeBindings: makeAll }),
});

export * from '../api/exports.js';
