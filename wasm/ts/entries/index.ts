// The module for chat completions stands in the entry itself, as gzip in base64, so that every tool takes it without
// configuration. The one for all dialects is a chunk of its own, which comes when a client needs it.
// @ts-expect-error: made by the build
import { makeBindings } from '../../pkg/chat/bindings.js';
import { inflateText } from '../border/inflate.js';
import { setSources } from '../border/load.js';

/** The build puts it before the code. */
declare const CHATCORE_WASM: string;

setSources({
  chat: async () => ({ wasm: await inflateText(CHATCORE_WASM), makeBindings }),
  all: async () => (await import('./core-all.js')).load(),
});

export * from '../api/exports.js';
