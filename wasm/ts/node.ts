// For Node, which inflates at once what a page has to unpack, and has a shorter way to a server than
// `fetch`. Deno and Bun take this entry too, and have neither Node's HTTP nor its cost.
// @ts-expect-error: no types of Node's here
import { brotliDecompressSync } from 'node:zlib';
import { setFetch } from './fetch.js';
import { setSource } from './load.js';
import { httpFetch } from './node-http.js';
// @ts-expect-error: made by the build
import { inlined } from '../pkg/inline-node.js';

setSource(() => brotliDecompressSync(Uint8Array.from(atob(inlined as string), (letter) => letter.charCodeAt(0))) as Uint8Array);

const host = globalThis as typeof globalThis & { process?: { versions?: Record<string, string> }; Deno?: unknown };
const isNode = Boolean(host.process?.versions?.node) && !host.process?.versions?.bun && !host.Deno;
// Reading it does not load it.
const { fetch } = host;
const DISPATCHER = Symbol.for('undici.globalDispatcher.1');

/** Whether `fetch` would do something else: it was replaced, or goes through a proxy or a mock of undici's. */
function isFetchSet(): boolean {
  const dispatcher = (host as unknown as Record<symbol, object | undefined>)[DISPATCHER];
  return host.fetch !== fetch || (dispatcher !== undefined && dispatcher.constructor.name !== 'Agent');
}

if (isNode) setFetch((url, init) => (isFetchSet() ? host.fetch(url, init) : httpFetch(url, init)));

export * from './all.js';
