// The modules are separate files beside this one. A bundler that supports `new URL(…, import.meta.url)` copies them to its
// output. Where it does not, a module comes from a chunk that has it inside, so that every bundler works without
// configuration. A client loads the module that it needs.
// @ts-expect-error: made by the build
import { makeBindings } from '../../pkg/chat/bindings.js';
import { fromFileOrChunk } from '../border/asset.js';
import { chunk } from '../border/chunk.js';
import { setSources } from '../border/load.js';
import { setTyped } from '../api/typed-code.js';

/** The build defines them. */
declare const CHAT_BUILD: string, ALL_BUILD: string;

const all = () => fromFileOrChunk(ALL_BUILD, () => new URL('./core.wasm', import.meta.url), async () => (await chunk(() => import('./core-all.js'))).load());
setSources({
  chat: async () => ({
    wasm: await fromFileOrChunk(CHAT_BUILD, () => new URL('./core-chat.wasm', import.meta.url), async () => (await chunk(() => import('./core-chat.js'))).load()),
    makeBindings,
    build: CHAT_BUILD,
  }),
  all: async () => {
    const [wasm, bindings] = await Promise.all([all(), chunk(() => import('./bindings-all.js'))]);
    return { wasm, ...bindings };
  },
});
setTyped(() => chunk(() => import('./typed.js')));

export * from '../api/exports.js';
