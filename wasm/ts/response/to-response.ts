// A stream as the response of a server's route.
import { isObject, said } from '../api/kinds.js';
import { invalidInput } from '../base/errors.js';
import { Body } from './body.js';
import type { Streamed } from './frames.js';
import type { ResponseOptions } from './options.js';

const OPTIONS: readonly string[] = ['format', 'status', 'headers', 'onFinal', 'onError', 'heartbeatMs'] satisfies (keyof ResponseOptions)[];

/** @internal The response, and its body, which ends its call. */
export interface Prepared<A> { response: Promise<Response>; body: Body<A> }

/** The head of a response that succeeds. A mistake in it is thrown before anything is sent. */
function headOf({ format, status, headers: own }: ResponseOptions<never>): { status: number; headers: Headers } {
  const headers = new Headers({
    'content-type': format === 'text' ? 'text/plain; charset=utf-8' : 'text/event-stream; charset=utf-8',
    // Compression and nginx would hold the events back.
    'cache-control': 'no-cache, no-transform', 'x-accel-buffering': 'no',
  });
  const fields = own && Symbol.iterator in own ? [...own] : Object.entries(own ?? {});
  for (const [name] of fields) headers.delete(name);
  // Several cookies are several fields.
  for (const [name, value] of fields) headers.append(name, value);
  return { status: status ?? 200, headers };
}

/** Throws for an option that would only fail after the call has begun. */
function check(maker: string, options: ResponseOptions<never>): void {
  const { format, status, heartbeatMs } = options;
  for (const name in options) {
    if (!OPTIONS.includes(name)) throw invalidInput(`${maker}: unknown option ${name}; it may have ${OPTIONS.join(', ')}`);
  }
  if (format != null && format !== 'events' && format !== 'text') throw invalidInput(`${maker}: format must be events or text`);
  if (status != null && !(Number.isInteger(status) && status >= 200 && status < 600 && ![204, 205, 304].includes(status))) {
    throw invalidInput(`${maker}: status is ${said(status)}; it must be one of a response with a body, such as 201`);
  }
  if (heartbeatMs != null && !(typeof heartbeatMs === 'number' && heartbeatMs > 0)) {
    throw invalidInput(`${maker}: heartbeatMs is ${said(heartbeatMs)}; it must be more than 0, or Infinity for none`);
  }
}

/** @internal */
export function prepared<A>(maker: string, stream: Streamed<A>, options: ResponseOptions<A>): Prepared<A> {
  if (!isObject(stream) || typeof stream[Symbol.asyncIterator] !== 'function' || typeof stream.final !== 'function') {
    throw invalidInput(`${maker} got ${said(stream)} that is no stream; give that of client.askStream(…) or streamTools(…), without await`);
  }
  check(maker, options);
  const head = headOf(options);
  const body = new Body(stream, options);
  const make = async () => {
    try {
      await body.begin();
    } catch (error) {
      const { status, error: sent } = await body.failed(error);
      const headers: Record<string, string> = { 'cache-control': 'no-store' };
      if (sent.retryAfterMs !== undefined) headers['retry-after'] = String(Math.ceil(sent.retryAfterMs / 1000));
      return Response.json({ error: sent }, { status, headers });
    }
    return new Response(body.readable(), head);
  };
  return { response: make(), body };
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
