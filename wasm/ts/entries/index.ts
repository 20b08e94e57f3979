// The module for chats is embedded in this entry, as gzip in base64, so that every bundler accepts it
// without configuration. The module with everything is a separate chunk, loaded when a client needs it.
// @ts-expect-error: made by the build
import { makeBindings } from '../../pkg/chat/bindings.js';
import { chunk } from '../border/chunk.js';
import { inflateText } from '../border/inflate.js';
import { setSources } from '../border/load.js';
import { setTyped } from '../api/typed-code.js';

/** The build defines it at the top of the file. */
declare const CHATCORE_WASM: string;

setSources({
  chat: async () => ({ wasm: await inflateText(CHATCORE_WASM), makeBindings }),
  all: async () => (await chunk(() => import('./core-all.js'))).load(),
});
setTyped(() => chunk(() => import('./typed.js')));

export * from '../api/exports.js';
