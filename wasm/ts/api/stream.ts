import { whenAborted } from '../base/abort.js';
import type { Core, Told } from '../border/core.js';
import { abortError, fromRejection, fromView, StreamError, type LlmError } from '../base/errors.js';
import { eventOf, type Item } from '../border/event.js';
import type { RawCall } from '../border/bindings.js';
import type { Home } from '../border/home.js';
import { EventQueue } from './event-queue.js';
import { response } from '../border/response.js';
import { afterOthers } from '../base/pause.js';
import { Encoder } from '../base/text.js';
import type { DeepPartial } from '../base/schema.js';
import type { ChatEvent, ChatResponse, TypedResponse } from '../base/types.js';
import { typedCode } from './typed-code.js';
import type { Values } from '../typed/ask.js';
import type { Wanted } from '../typed/wanted.js';

/** @internal A call that has begun, with the promise of its first events. */
export interface Opened { core: Core; home: Home; call: RawCall; first: Promise<Told> | undefined; ended(): void }

/** Counts streams down that were garbage-collected. */
const dropped = typeof FinalizationRegistry === 'function'
  ? new FinalizationRegistry<() => void>((drop) => drop()) : undefined;

/** What is done once a stream was garbage-collected. The function is not made in `opened`, where it would hold the call. */
const dropping = (core: Core, ended: () => void) => () => {
  core.streams -= 1;
  // After the core's own object was freed, which is garbage-collected, too.
  afterOthers(ended);
};

/** @internal Starts to read a call; `ended` is called when it has ended. */
export function opened(core: Core, home: Home, call: RawCall, ended: () => void): Opened {
  core.streams += 1;
  dropped?.register(call, dropping(core, ended), call);
  return { core, home, call, first: core.wait(() => call.next(), home.number), ended };
}

/**
 * An answer as an async iterable of events. It ends after the event `finish`, or throws one error. Nothing is sent until
 * it is read. Leaving a `for await` loop early aborts the call.
 */
export class ChatStream implements AsyncIterable<ChatEvent> {
  /** @internal The build shortens the names of classes. */
  static readonly name = 'ChatStream';
  readonly #open: (lost: () => void) => Promise<Opened>;
  readonly #signal: AbortSignal | undefined;
  readonly #finish: <E extends LlmError>(error: E) => E;
  readonly #headers: () => Readonly<Record<string, string>> | undefined;
  #forget = () => {};
  #interrupt = () => {};
  #opened: Opened | undefined;
  readonly #events = new EventQueue<ChatEvent>(() => this.#read(), () => this.#leave(), (event) => {
    if (event.type === 'text') this.#told += event.text.length;
  });
  #text = '';
  /** How much of the text was delivered. */
  #told = 0;
  #final: ChatResponse | undefined;
  #started = false;
  readonly #wanted: (() => Promise<Wanted>) | undefined;
  #typed: Promise<ChatResponse> | undefined;

  /** @internal */
  constructor(
    open: (lost: () => void) => Promise<Opened>, signal: AbortSignal | undefined, finish: <E extends LlmError>(error: E) => E,
    headers: () => Readonly<Record<string, string>> | undefined, wanted?: () => Promise<Wanted>,
  ) {
    this.#open = open;
    this.#signal = signal;
    this.#finish = finish;
    this.#headers = headers;
    this.#wanted = wanted;
  }

  /** Iterates over the events. There is one sequence, so two loops share its events. */
  [Symbol.asyncIterator](): AsyncGenerator<ChatEvent, void, undefined> {
    return this.#events.loop();
  }

  /** The response's headers, with names in lower case; null until they have come. */
  get headers(): Readonly<Record<string, string>> | null {
    return this.#headers() ?? null;
  }

  /** Iterates over the pieces of text, and skips other events. */
  text(): AsyncGenerator<string, void, undefined> {
    const next = async () => {
      let event: ChatEvent | undefined;
      do event = await this.#events.next(); while (event && event.type !== 'text');
      return event?.type === 'text' ? event.text : undefined;
    };
    return this.#events.loop(next);
  }

  /**
   * Iterates over the JSON of the answer as it grows: strings grow piece by piece, and a number, `true`, `false` or
   * `null` appears once it is complete. A value is not changed later; the next one shares what is complete with it. Text
   * around the JSON is skipped.
   */
  partial(): AsyncGenerator<unknown, void, undefined> {
    let values: Values | undefined;
    const next = async () => {
      for (;;) {
        const event = await this.#events.next();
        if (!values) {
          const { Values } = await typedCode();
          values = new Values(await this.#wanted?.());
          // What was read before counts, too.
          values.feed(this.#text.slice(0, this.#told - (event?.type === 'text' ? event.text.length : 0)));
        }
        const value = event?.type === 'text' ? values.feed(event.text) : event ? undefined : values.take();
        if (value !== undefined || !event) return value;
      }
    };
    return this.#events.loop(next);
  }

  /** Reads to the end, and returns the whole answer, including what was read before. A loop over the stream keeps its events. */
  async final(): Promise<ChatResponse> {
    await this.#events.drain();
    if (this.#final) return this.#typed ??= this.#valued(this.#final);
    throw this.#events.error ?? new StreamError('the stream ended without an answer', { code: 'truncated' });
  }

  /** Ends the stream and closes its connection. A pending read rejects with an AbortError. */
  abort(reason?: unknown): void {
    if (this.#events.isOver) return;
    const error = abortError(undefined, this.#text);
    if (reason !== undefined) Object.defineProperty(error, 'cause', { value: reason, configurable: true, writable: true });
    this.#stop(error);
  }

  /**
   * Ends the stream as leaving its loop does, from anywhere, such as a stop button: loops over it end without an error after
   * what has come, and its connection is closed. `final()` rejects with an AbortError.
   *
   * ```js page
   * button.onclick = () => stream.stop();
   * for await (const text of stream.text()) output.append(text);
   * ```
   */
  stop(): void {
    if (this.#events.isOver) return;
    this.#events.stop();
    this.#leave();
  }

  /** The events as lines of JSON, for the body of a `Response`. */
  toReadableStream(): ReadableStream<Uint8Array> {
    const encoder = new Encoder();
    return new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        try {
          const event = await this.#events.next();
          if (event) controller.enqueue(encoder.encode(JSON.stringify(event) + '\n'));
          else controller.close();
        } catch (error) {
          controller.error(error);
        }
      },
      cancel: (reason) => this.abort(reason),
    }, { highWaterMark: 0 });
  }

  async #valued(answer: ChatResponse): Promise<ChatResponse> {
    if (!this.#wanted) return answer;
    try {
      return Object.assign(answer, { value: await (await this.#wanted()).read(answer) });
    } catch (error) {
      throw this.#finish(fromRejection(error));
    }
  }

  #leave(): void {
    if (!this.#events.isOver) this.#stop(abortError(undefined, this.#text));
  }

  async #read(): Promise<void> {
    try {
      if (!this.#started) {
        this.#started = true;
        if (this.#signal?.aborted) return this.#stop(abortError(this.#signal));
        this.#forget = whenAborted(this.#signal, () => this.#stop(abortError(this.#signal, this.#text)));
      }
      if (!this.#opened) {
        // The module may still be loading, which must not delay an abort.
        const opening = this.#open(() => this.#leave());
        const opened = await Promise.race([opening, new Promise<undefined>((end) => { this.#interrupt = () => end(undefined); })]);
        if (!opened || this.#events.isOver) {
          opening.then(discard, () => {});
          return;
        }
        this.#opened = opened;
      }
      const { core, home, call, first } = this.#opened;
      this.#opened.first = undefined;
      const { text, cause } = await (first ?? core.wait(() => call.next(), home.number));
      if (this.#events.isOver) return;
      if (!text) return this.#stop(undefined);
      for (const item of JSON.parse(text) as Item[]) this.#take(item, cause);
    } catch (error) {
      this.#stop(fromRejection(error));
    }
  }

  #take(item: Item, cause?: unknown): void {
    switch (item.type) {
      case 'error': return this.#stop(fromView(item, this.#text, cause));
      case 'response': this.#final = response(item.response, () => this.#headers() ?? {}); return this.#stop(undefined);
      case 'text': this.#text += item.text;
    }
    this.#events.push(eventOf(item));
  }

  #stop(error: LlmError | undefined): void {
    if (this.#events.isOver) return;
    this.#events.end(error && this.#finish(error));
    this.#interrupt();
    this.#forget();
    const opened = this.#opened;
    this.#opened = undefined;
    if (opened) close(opened);
  }
}

/** A stream of a typed answer. `In` is the type of the value before the validator changes it, `Out` the type after it. */
export interface TypedStream<In, Out> extends ChatStream {
  /** Iterates over the value as it grows. It is not validated. */
  partial(): AsyncGenerator<DeepPartial<In>, void, undefined>;
  /** Reads to the end, and returns the whole answer with its validated value. Rejects with a MismatchError if it does not fit. */
  final(): Promise<TypedResponse<Out>>;
}

/** Closes a call that was opened after its stream had ended. */
function discard(opened: Opened): void {
  opened.first?.catch(() => {});
  close(opened);
}

/** Frees the call. That drops the core's stream, which closes its connection unless the answer is complete. */
function close({ core, home, call, ended }: Opened): void {
  core.streams -= 1;
  dropped?.unregister(call);
  core.quietly(() => call.free(), home.number);
  core.leave(home);
  ended();
}
