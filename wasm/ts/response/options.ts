// What the server sets of a response.
import type { HeadersLike } from '../api/options.js';

/** Options of `toResponse` and `sendResponse`. */
export interface ResponseOptions<A = unknown> {
  /**
   * `events` (the default) are server-sent events, which `readResponse` reads in a page: every event of the stream, the whole
   * answer without the system prompt, and errors. `text` is the text alone; after it has begun, an error can only break the connection.
   */
  format?: 'events' | 'text';
  /** The status of a response that succeeds; 200 by default. */
  status?: number;
  /** More headers of the response. One of several `set-cookie` is a cookie each. */
  headers?: HeadersLike;
  /**
   * Gets the whole answer before the response ends, for example to store it. The response waits for its promise; if it
   * fails, so does the response. If the page is gone before the answer is whole, `onError` is called instead.
   */
  onFinal?: (answer: A) => unknown;
  /**
   * Gets the error of a call that fails, for a log; an AbortError with `partialText` if the page is gone. A text that it returns,
   * or its promise, is the message in the page. By default that names the kind of the error only, because the provider's words may name
   * an account.
   */
  onError?: (error: unknown) => string | void | Promise<string | void>;
  /**
   * After how many milliseconds without an event a comment is sent, so that proxies keep the connection; 15,000 by default.
   * `Infinity` is never. A response in the format `text` has no place for a comment.
   */
  heartbeatMs?: number;
}
