import { hostFetch as send } from '../border/fetch.js';
import type { FetchLike } from './options.js';

/**
 * Sends a request as a client without the option `fetch` does: in Node over `node:http`, elsewhere by the host's `fetch`. In
 * Node its response has a `status`, `headers` and a `body`, but not the methods of a `Response`. A
 * `fetch` of your own can call it, for example to log every attempt of every call:
 *
 * ```js
 * import { hostFetch, LlmClient } from 'chatcore';
 *
 * const client = new LlmClient({
 *   provider: 'openai',
 *   fetch: async (url, init) => {
 *     const began = performance.now();
 *     const response = await hostFetch(url, init);
 *     console.log(url, response.status, `${Math.round(performance.now() - began)} ms`);
 *     return response;
 *   },
 * });
 * ```
 */
export const hostFetch = send as unknown as FetchLike;
