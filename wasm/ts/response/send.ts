// A stream as the response of a server that has Node's responses.
import type { Streamed } from './frames.js';
import type { ResponseOptions } from './options.js';
import { prepared } from './to-response.js';

/** What is used of a response of Node's `http`. That of Express is one, too. */
export interface NodeResponse {
  readonly destroyed: boolean;
  /** Only that of HTTP/2 has one, and no `destroyed`. */
  readonly stream?: { readonly destroyed: boolean } | undefined;
  writeHead(status: number, headers: Record<string, string | string[]>): unknown;
  write(piece: Uint8Array): boolean;
  end(): unknown;
  destroy(error?: Error): unknown;
  on(event: 'close' | 'drain', listener: () => void): unknown;
  off(event: 'close' | 'drain', listener: () => void): unknown;
}

/**
 * Sends a stream as the response of Node's `http` or `http2`, Express or Koa (`ctx.res`), as `toResponse` makes it. Resolves when the
 * response has ended. If the page goes away, the call is aborted. Rejects with what `onError` throws.
 *
 * ```js
 * import { createServer } from 'node:http';
 * import { LlmClient } from 'chatcore';
 * import { sendResponse } from 'chatcore/response';
 *
 * const client = new LlmClient({ mock: true });
 * const server = createServer((req, res) => sendResponse(res, client.askStream('Why is the sky blue?')));
 * ```
 */
export async function sendResponse<A>(res: NodeResponse, stream: Streamed<A>, options: ResponseOptions<A> = {}): Promise<void> {
  const { response, body: sent } = prepared('sendResponse', stream, options);
  let wake = () => {};
  let isGone = res.destroyed || res.stream?.destroyed === true;
  let leaving: Promise<void> | undefined;
  const gone = () => {
    isGone = true;
    wake();
    // Also while the answer has not begun.
    leaving ??= sent.leave().catch(() => {});
  };
  const drained = () => wake();
  res.on('close', gone);
  res.on('drain', drained);
  if (isGone) gone();
  try {
    const { status, headers, body } = await response;
    const cookies = headers.getSetCookie();
    if (!isGone) res.writeHead(status, { ...Object.fromEntries(headers), ...cookies.length > 0 && { 'set-cookie': cookies } });
    const reader = body!.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done || isGone) break;
      if (!res.write(value)) await new Promise<void>((resolve) => { wake = resolve; if (isGone) resolve(); });
    }
    if (!isGone) res.end();
  } catch (error) {
    // A text that has begun cannot say more.
    res.destroy();
    await sent.broke(error);
  } finally {
    res.off('close', gone);
    res.off('drain', drained);
  }
  await leaving;
  if (sent.thrown) throw sent.thrown.error;
}
