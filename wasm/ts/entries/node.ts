// For Node, which inflates brotli synchronously, and for which `node:http` is faster than `fetch`. Deno and Bun load
// this entry too, but send by their own `fetch`.
// @ts-expect-error: no types of Node's here
import { Buffer } from 'node:buffer';
// @ts-expect-error: no types of Node's here
import { brotliDecompressSync } from 'node:zlib';
import { setFetch } from '../border/fetch.js';
import { setHostSecrets } from '../api/guard.js';
import { setSource } from '../border/load.js';
import { setTyped } from '../api/typed-code.js';
import * as typed from './typed.js';
import { proxySecrets, viaHttp } from '../node/fetch.js';
// @ts-expect-error: made by the build
import { makeBindings } from '../../pkg/fast/bindings.js';

/** The build defines it at the top of the file. */
declare const CHATCORE_WASM: string;

setSource(() => ({ wasm: brotliDecompressSync(Buffer.from(CHATCORE_WASM, 'base64')) as Uint8Array, makeBindings }));
setFetch(viaHttp);
setHostSecrets(proxySecrets);
setTyped(() => typed);

export * from '../api/exports.js';
