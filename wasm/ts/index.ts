import { setSource } from './load.js';
// @ts-expect-error: made by the build
import { inlined } from '../pkg/inline.js';

setSource(() => {
  const packed = Uint8Array.from(atob(inlined as string), (letter) => letter.charCodeAt(0));
  const body = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return new Response(body);
});

export * from './all.js';
