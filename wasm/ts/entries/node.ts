// For Node, which inflates brotli at once, and has a shorter way to a server than
// `fetch`. Deno and Bun take this entry too, and have neither Node's HTTP nor its cost.
// @ts-expect-error: no types of Node's here
import { brotliDecompressSync } from 'node:zlib';
import { setFetch } from '../border/fetch.js';
import { setHostSecrets } from '../api/guard.js';
import { setSource } from '../border/load.js';
import { proxySecrets, viaHttp } from '../node/fetch.js';
// @ts-expect-error: made by the build
import { makeBindings } from '../../pkg/fast/bindings.js';

/** The build puts it before the code. */
declare const CHATCORE_WASM: string;

setSource(() => ({ wasm: brotliDecompressSync(Uint8Array.from(atob(CHATCORE_WASM), (letter) => letter.charCodeAt(0))) as Uint8Array, makeBindings }));
setFetch(viaHttp);
setHostSecrets(proxySecrets);

export * from '../api/exports.js';
