// The modules are separate files beside this one. A bundler that supports `new URL(…, import.meta.url)` copies them to its
// output. Where it does not, a module comes from a chunk that has it inside, so that every bundler works without
// configuration. A client loads the module that it needs.
// @ts-expect-error: made by the build
import { makeBindings } from '../../pkg/chat/bindings.js';
import { fromFileOrChunk } from '../border/asset.js';
import { chunk } from '../border/chunk.js';
import { setSources } from '../border/load.js';
import { setTyped } from '../api/typed-code.js';

const all = () => fromFileOrChunk(() => new URL('./core.wasm', import.meta.url), async () => (await chunk(() => import('./core-all.js'))).load());
setSources({
  chat: async () => ({
    wasm: await fromFileOrChunk(() => new URL('./core-chat.wasm', import.meta.url), async () => (await chunk(() => import('./core-chat.js'))).load()),
    makeBindings,
  }),
  all: async () => {
    const [wasm, bindings] = await Promise.all([all(), chunk(() => import('./bindings-all.js'))]);
    return { wasm, makeBindings: bindings.makeBindings };
  },
});
setTyped(() => chunk(() => import('./typed.js')));

export * from '../api/exports.js';
