// Reads in a page what `toResponse` or `sendResponse` sent.
import { isObject, said } from '../api/kinds.js';
import { abortError, invalidInput, LlmError, StreamError, ConnectionError } from '../base/errors.js';
import { EventQueue } from '../api/event-queue.js';
import type { ChatEvent, ChatResponse } from '../base/types.js';
import { answerOf, textOf } from './frames.js';
import { fromStatus, fromTold, isTold, type ToldError } from './told.js';

/** The longest line, in characters: as many as the core reads bytes of an answer. */
const MAX_LINE = 256 << 20;

/**
 * The events of a server's route as an async iterable, with the methods of a stream of a client. It ends after the last
 * event, or throws one error. Leaving a `for await` loop early closes the connection.
 */
export class ResponseStream<E extends { readonly type: string } = ChatEvent, A = ChatResponse> implements AsyncIterable<E> {
  readonly #response: Promise<Response>;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  readonly #decoder = new TextDecoder();
  /** What came after the last whole line, in pieces, because joining them at each piece would take quadratic time. */
  #rest: string[] = [];
  #restLength = 0;
  readonly #events = new EventQueue<E>(() => (this.#reader ? this.#read() : Promise.race([this.#read(), this.#ended])), () => this.stop());
  #text = '';
  #answer: A | undefined;
  #wake = () => {};
  /** Resolves at the end, because the response may still be awaited then. */
  readonly #ended = new Promise<void>((resolve) => { this.#wake = resolve; });

  /** @internal */
  constructor(response: Response | Promise<Response>) {
    this.#response = Promise.resolve(response);
    // Reading the stream reports a rejection. Without this handler, one before the first read would be unhandled.
    this.#response.catch(() => {});
  }

  /** Iterates over the events. There is one sequence, so two loops share its events. */
  [Symbol.asyncIterator](): AsyncGenerator<E, void, undefined> {
    return this.#events.loop();
  }

  /** Iterates over the pieces of text, and skips other events. */
  text(): AsyncGenerator<string, void, undefined> {
    const next = async () => {
      for (;;) {
        const event = await this.#events.next();
        if (!event) return undefined;
        const text = textOf(event);
        if (text) return text;
      }
    };
    return this.#events.loop(next);
  }

  /** Reads to the end, and returns the whole answer, including what was read before. A loop over the stream keeps its events. */
  async final(): Promise<A> {
    await this.#events.drain();
    if (this.#answer !== undefined) return this.#answer;
    throw this.#events.error;
  }

  /** Closes the connection, upon which the server aborts the call. Loops over the stream end without an error. */
  stop(): void {
    if (this.#events.isOver) return;
    this.#events.stop();
    this.abort();
  }

  /** The same with an AbortError for a pending read. */
  abort(reason?: unknown): void {
    if (this.#events.isOver) return;
    const error = abortError(undefined, this.#text);
    if (reason !== undefined) Object.defineProperty(error, 'cause', { value: reason, configurable: true, writable: true });
    this.#end(error);
    this.#close(reason);
  }

  /** Closes the connection, also if the response is still to come. */
  #close(reason: unknown): void {
    const cancel = async () => (this.#reader ? this.#reader.cancel(reason) : (await this.#response).body?.cancel(reason));
    cancel().catch(() => {});
  }

  #end(error?: LlmError): void {
    this.#events.end(error);
    this.#wake();
  }

  async #read(): Promise<void> {
    try {
      const reader = this.#reader ?? await this.#open();
      if (this.#events.isOver) return;
      const { done, value } = await reader!.read();
      if (this.#events.isOver) return;
      if (done) return this.#end(new StreamError('the response ended before the answer', { code: 'truncated', partialText: this.#text || undefined }));
      const text = this.#decoder.decode(value, { stream: true });
      const end = text.lastIndexOf('\n');
      const lines = end < 0 ? [] : (this.#rest.join('') + text.slice(0, end)).split('\n');
      if (end >= 0) [this.#rest, this.#restLength] = [[], 0];
      this.#rest.push(text.slice(end + 1));
      this.#restLength += text.length - end - 1;
      if (this.#restLength > MAX_LINE) throw new SyntaxError('a line that is too long');
      for (const line of lines) if (line.startsWith('data:') && !this.#events.isOver) this.#take(JSON.parse(line.slice(5)));
    } catch (error) {
      if (this.#events.isOver) return;
      this.#end(this.#failed(error));
      // Otherwise the server would go on to write what nobody reads.
      this.#close(error);
    }
  }

  async #open(): Promise<ReadableStreamDefaultReader<Uint8Array> | undefined> {
    const response = await this.#response;
    // `abort` closes the body, which must not be locked then.
    if (this.#events.isOver) return undefined;
    if (!isObject(response) || typeof response.status !== 'number') {
      throw invalidInput(`readResponse got ${said(response)} that is no response; give what fetch(…) returns`);
    }
    const { ok, status, headers, body, bodyUsed } = response;
    if (bodyUsed) throw invalidInput('readResponse got a response whose body was already read');
    if (!ok) {
      const error = body && await this.#sent(this.#reader = body.getReader()).catch(() => undefined);
      throw isTold(error) ? fromTold(error, '', status) : fromStatus(status);
    }
    const type = headers.get('content-type') ?? 'nothing';
    if (!body || !type.startsWith('text/event-stream')) {
      throw new StreamError(`the response is ${type}; readResponse reads what toResponse or sendResponse makes in the format events`, { code: 'protocol' });
    }
    return this.#reader = body.getReader();
  }

  /** The error in the body of a response that is no success; of another server's body no more than 64 KiB are read. */
  async #sent(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<unknown> {
    let text = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return (JSON.parse(text) as { error?: unknown } | null)?.error;
      text += this.#decoder.decode(value, { stream: true });
      if (text.length > 65_536) return undefined;
    }
  }

  #take(frame: unknown): void {
    const { type, answer, error } = (frame ?? {}) as { type?: string; answer?: unknown; error?: unknown };
    if (typeof type !== 'string' || (type === 'answer' && !isObject(answer)) || (type === 'error' && !isTold(error))) throw new SyntaxError('no event');
    if (type === 'answer') {
      this.#answer = answerOf(answer as A);
      return this.#end();
    }
    if (type === 'error') return this.#end(fromTold(error as ToldError, this.#text));
    this.#text += textOf(frame as E);
    this.#events.push(frame as E);
  }

  #failed(error: unknown): LlmError {
    if (error instanceof LlmError) return error;
    const partialText = this.#text || undefined;
    const details = { cause: error, partialText } as const;
    // The page's own signal.
    if ((error as Error | null)?.name === 'AbortError' || (error as Error | null)?.name === 'TimeoutError') {
      return Object.defineProperty(abortError(undefined, this.#text), 'cause', { value: error, configurable: true, writable: true });
    }
    if (error instanceof SyntaxError) return new StreamError('a line of the response is no event', { code: 'protocol', ...details });
    return this.#reader ? new StreamError('the connection was lost before the answer ended', { code: 'truncated', retryable: true, ...details })
      : new ConnectionError('no connection to the server could be made', { code: 'connection', retryable: true, ...details });
  }
}

/**
 * Reads the response of a route that `toResponse` or `sendResponse` made. It takes what `fetch` returns, and needs no
 * WebAssembly. A response that is no success, and a connection that is lost, reject the first read.
 *
 * ```js no_run
 * import { readResponse } from 'chatcore/response';
 *
 * const messages = [{ role: 'user', content: 'Why is the sky blue?' }];
 * const stream = readResponse(fetch('/api/chat', { method: 'POST', body: JSON.stringify({ messages }) }));
 * for await (const text of stream.text()) document.body.append(text);
 * console.log((await stream.final()).usage);
 * ```
 *
 * For a loop of tools the types are `readResponse<ToolLoopEvent, ToolLoopAnswer>(…)`, and those of a typed answer
 * `readResponse<ChatEvent, TypedResponse<Recipe>>(…)`.
 */
export function readResponse<E extends { readonly type: string } = ChatEvent, A = ChatResponse>(response: Response | Promise<Response>): ResponseStream<E, A> {
  return new ResponseStream<E, A>(response);
}
