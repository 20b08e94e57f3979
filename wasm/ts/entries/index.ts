// The module for chat completions stands in the entry itself, as gzip in base64, so that every tool takes it without
// configuration. The one for all dialects is a chunk of its own, which comes when a client needs it.
// First, so that compressors have it apart from the code.
// @ts-expect-error: made by the build
import { inlined } from '../../pkg/chat/inline.js';
// @ts-expect-error: made by the build
import { makeBindings } from '../../pkg/chat/bindings.js';
import { inflateText } from '../border/inflate.js';
import { setSources } from '../border/load.js';

setSources({
  chat: async () => ({ wasm: await inflateText(inlined), makeBindings }),
  all: async () => (await import('./core-all.js')).load(),
});

export * from '../api/exports.js';
