// `chatcore/asset`: like the default entry, but its modules can only be files beside this one.
// @ts-expect-error: made by the build
import { makeBindings } from '../../pkg/chat/bindings.js';
import { chunk } from '../border/chunk.js';
import { setSources } from '../border/load.js';
import { setTyped } from '../api/typed-code.js';

setSources({
  chat: async () => ({ wasm: await fetch(new URL('./core-chat.wasm', import.meta.url)), makeBindings }),
  all: async () => {
    const [wasm, bindings] = await Promise.all([fetch(new URL('./core.wasm', import.meta.url)), chunk(() => import('./bindings-all.js'))]);
    return { wasm, makeBindings: bindings.makeBindings };
  },
});
setTyped(() => chunk(() => import('./typed.js')));

export * from '../api/exports.js';
