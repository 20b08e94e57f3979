import { whenAborted } from './abort.js';
import { abortError, fromRejection, fromView, StreamError, type ErrorView } from './errors.js';
import type { RawCall } from './glue.js';
import type { Core } from './load.js';
import { response, usage, type ResponseView, type UsageView } from './response.js';
import type { ChatEvent, ChatResponse } from './types.js';

type Item =
  | Exclude<ChatEvent, { type: 'usage' }>
  | { type: 'usage'; usage: UsageView }
  | { type: 'response'; response: ResponseView }
  | ({ type: 'error' } & ErrorView);

/**
 * An answer as an async iterable of events. It ends after the event `finish`, or throws one error.
 * Nothing is sent until it is read. Leaving a `for await` loop early aborts it.
 */
export class ChatStream implements AsyncIterable<ChatEvent> {
  readonly #open: () => Promise<{ core: Core; call: RawCall }>;
  readonly #signal: AbortSignal | undefined;
  #forget = () => {};
  #opened: { core: Core; call: RawCall } | undefined;
  #ready: ChatEvent[] = [];
  #text = '';
  #final: ChatResponse | undefined;
  #error: Error | undefined;
  #started = false;
  #over = false;
  #busy: Promise<void> | undefined;

  /** @internal */
  constructor(open: () => Promise<{ core: Core; call: RawCall }>, signal: AbortSignal | undefined) {
    this.#open = open;
    this.#signal = signal;
  }

  /** The events. There is one sequence: two loops share it. */
  async *[Symbol.asyncIterator](): AsyncGenerator<ChatEvent, void, undefined> {
    try {
      for (let event = await this.#next(); event; event = await this.#next()) yield event;
    } finally {
      if (!this.#over) this.#stop(abortError(undefined, this.#text));
    }
  }

  /** The pieces of text; other events are passed over. */
  async *text(): AsyncGenerator<string, void, undefined> {
    for await (const event of this) if (event.type === 'text') yield event.text;
  }

  /** Reads to the end, and gives the whole answer, what was read before included. */
  async final(): Promise<ChatResponse> {
    while (await this.#next());
    if (this.#final) return this.#final;
    throw this.#error ?? new StreamError('the stream ended without an answer', { code: 'truncated' });
  }

  /** Ends the stream and closes its connection; whoever reads gets an AbortError. */
  abort(reason?: unknown): void {
    if (this.#over) return;
    const error = abortError(undefined, this.#text);
    if (reason !== undefined) Object.defineProperty(error, 'cause', { value: reason, configurable: true, writable: true });
    this.#stop(error);
  }

  /** The events as lines of JSON, for the body of a `Response`. */
  toReadableStream(): ReadableStream<Uint8Array> {
    const encoder = new TextEncoder();
    return new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        try {
          const event = await this.#next();
          if (event) controller.enqueue(encoder.encode(JSON.stringify(event) + '\n'));
          else controller.close();
        } catch (error) {
          controller.error(error);
        }
      },
      cancel: (reason) => this.abort(reason),
    }, { highWaterMark: 0 });
  }

  async #next(): Promise<ChatEvent | undefined> {
    for (;;) {
      // What had come before an error is handed over first.
      const event = this.#ready.shift();
      if (event) return event;
      if (this.#error) throw this.#error;
      if (this.#over) return undefined;
      await (this.#busy ??= this.#read().finally(() => { this.#busy = undefined; }));
    }
  }

  async #read(): Promise<void> {
    try {
      if (!this.#started) {
        this.#started = true;
        if (this.#signal?.aborted) return this.#stop(abortError(this.#signal));
        this.#forget = whenAborted(this.#signal, () => this.#stop(abortError(this.#signal, this.#text)));
      }
      if (!this.#opened) {
        const opened = await this.#open();
        if (this.#over) return opened.core.quietly(() => opened.call.free());
        this.#opened = opened;
      }
      const { core, call } = this.#opened;
      const { text, cause } = await core.wait(() => call.next());
      if (this.#over) return;
      if (!text) return this.#stop(undefined);
      for (const item of JSON.parse(text) as Item[]) this.#take(item, cause);
    } catch (error) {
      this.#stop(fromRejection(error));
    }
  }

  #take(item: Item, cause?: unknown): void {
    switch (item.type) {
      case 'error': return this.#stop(fromView(item, this.#text, cause));
      case 'response': this.#final = response(item.response); return this.#stop(undefined);
      case 'usage': this.#ready.push({ type: 'usage', usage: usage(item.usage) }); return;
      case 'text': this.#text += item.text;
    }
    this.#ready.push(item);
  }

  #stop(error: Error | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#error = error;
    this.#forget();
    const opened = this.#opened;
    this.#opened = undefined;
    // Freeing drops the stream of the core, which closes its connection.
    opened?.core.quietly(() => opened.call.free());
  }
}
