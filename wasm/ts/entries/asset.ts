// `chatcore/asset`: like the default entry, but its modules can only be files beside this one.
// @ts-expect-error: made by the build
import { makeBindings } from '../../pkg/chat/bindings.js';
import { chunk } from '../border/chunk.js';
import { setSources } from '../border/load.js';
import { setTyped } from '../api/typed-code.js';

/** The build defines it. */
declare const CHAT_BUILD: string;

setSources({
  chat: async () => ({ wasm: await fetch(new URL('./core-chat.wasm', import.meta.url)), makeBindings, build: CHAT_BUILD }),
  all: async () => {
    const [wasm, bindings] = await Promise.all([fetch(new URL('./core.wasm', import.meta.url)), chunk(() => import('./bindings-all.js'))]);
    return { wasm, ...bindings };
  },
});
setTyped(() => chunk(() => import('./typed.js')));

export * from '../api/exports.js';
