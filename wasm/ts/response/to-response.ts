// A stream as the response of a server's route.
import { isObject, said } from '../api/kinds.js';
import { invalidInput } from '../base/errors.js';
import { Body } from './body.js';
import type { Streamed } from './frames.js';
import type { ResponseOptions } from './options.js';

const OPTIONS: readonly string[] = ['format', 'status', 'headers', 'onFinal', 'onError', 'heartbeatMs'] satisfies (keyof ResponseOptions)[];

/** @internal The response, and a function that ends its call. */
export interface Prepared { response: Promise<Response>; leave: () => Promise<void> }

/** @internal */
export function prepared<A>(maker: string, stream: Streamed<A>, options: ResponseOptions<A>): Prepared {
  if (!isObject(stream) || typeof stream[Symbol.asyncIterator] !== 'function' || typeof stream.final !== 'function') {
    throw invalidInput(`${maker} got ${said(stream)} that is no stream; give that of client.askStream(…) or streamTools(…), without await`);
  }
  for (const name in options) {
    if (!OPTIONS.includes(name)) throw invalidInput(`${maker}: unknown option ${name}; it may have ${OPTIONS.join(', ')}`);
  }
  const body = new Body(stream, options);
  const make = async () => {
    try {
      await body.begin();
    } catch (error) {
      const { status, error: sent } = body.failed(error);
      const headers: Record<string, string> = { 'cache-control': 'no-store' };
      if (sent.retryAfterMs !== undefined) headers['retry-after'] = String(Math.ceil(sent.retryAfterMs / 1000));
      return Response.json({ error: sent }, { status, headers });
    }
    const headers = new Headers({
      'content-type': options.format === 'text' ? 'text/plain; charset=utf-8' : 'text/event-stream; charset=utf-8',
      // Compression and nginx would hold the events back.
      'cache-control': 'no-cache, no-transform', 'x-accel-buffering': 'no',
    });
    const { headers: own } = options;
    for (const [name, value] of own && Symbol.iterator in own ? own : Object.entries(own ?? {})) headers.set(name, value);
    return new Response(body.readable(), { status: options.status ?? 200, headers });
  };
  return { response: make(), leave: () => body.leave() };
}

/**
 * Makes the response of a route from a stream, for servers that take a `Response`: Next.js, Hono, Fastify, Deno, Bun, Workers.
 * It resolves when the answer begins. A call that fails before is a response with a fitting status (429, 502, 503, 504) and
 * JSON, `{ error: { code, message, retryable } }`. If the page goes away, the call is aborted.
 *
 * ```js
 * import { LlmClient } from 'chatcore';
 * import { toResponse } from 'chatcore/response';
 *
 * const client = new LlmClient({ mock: true });
 * export async function POST(request) {
 *   const { messages } = await request.json();
 *   return toResponse(client.askStream(messages, { signal: request.signal }));
 * }
 * ```
 */
export async function toResponse<A>(stream: Streamed<A>, options: ResponseOptions<A> = {}): Promise<Response> {
  return prepared('toResponse', stream, options).response;
}
