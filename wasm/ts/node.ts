// For hosts with Node's modules, which inflate at once what a page has to unpack.
// @ts-expect-error: no types of Node's here
import { brotliDecompressSync } from 'node:zlib';
import { setSource } from './load.js';
// @ts-expect-error: made by the build
import { inlined } from '../pkg/inline-node.js';

setSource(() => brotliDecompressSync(Uint8Array.from(atob(inlined as string), (letter) => letter.charCodeAt(0))) as Uint8Array);

export * from './all.js';
