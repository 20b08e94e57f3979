// The body of a response: the events of a stream as they come, and what follows the last one.
import { Encoder } from '../base/text.js';
import { told } from './told.js';
import { forPage, frame, HEARTBEAT, textOf, type Streamed } from './frames.js';
import type { ResponseOptions } from './options.js';

/** @internal The events of a stream, one of which may be waited for already. */
export class Body<A> {
  readonly #stream: Streamed<A>;
  readonly #options: ResponseOptions<A>;
  readonly #events: AsyncIterator<{ readonly type: string }>;
  #next: Promise<IteratorResult<{ readonly type: string }>> | undefined;
  #hasEnded = false;
  #ending: Promise<A> | undefined;
  #failure: Promise<ReturnType<typeof told>> | undefined;
  /** What `onError` threw. */
  thrown: { readonly error: unknown } | undefined;

  constructor(stream: Streamed<A>, options: ResponseOptions<A>) {
    this.#stream = stream;
    this.#options = options;
    this.#events = stream[Symbol.asyncIterator]();
  }

  /** Waits for the next event, but not longer than for a heartbeat; then it is undefined. */
  async #soon(): Promise<IteratorResult<{ readonly type: string }> | undefined> {
    this.#next ??= this.#events.next();
    const heartbeatMs = this.#options.heartbeatMs ?? 15_000;
    // A timer of the host has 31 bits of milliseconds.
    if (heartbeatMs >= 2 ** 31) return this.#next;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<undefined>((resolve) => { timer = setTimeout(resolve, heartbeatMs, undefined); });
    try {
      return await Promise.race([this.#next, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Waits until the answer begins. Throws the error of a call that fails before. */
  async begin(): Promise<void> {
    await this.#soon();
  }

  /** Tells the server of an error, once, and returns what the page is told. Throws what `onError` throws. */
  failed(error: unknown): Promise<ReturnType<typeof told>> {
    this.#hasEnded = true;
    return this.#failure ??= this.#tell(error);
  }

  async #tell(error: unknown): Promise<ReturnType<typeof told>> {
    const sent = told(error);
    try {
      const message = await this.#options.onError?.(error);
      if (typeof message === 'string') sent.error.message = message;
    } catch (thrown) {
      this.thrown = { error: thrown };
      throw thrown;
    }
    return sent;
  }

  /** Ends the call, because its response cannot be sent. */
  async broke(error: unknown): Promise<void> {
    this.#abort(error);
    await this.failed(error).catch(() => { /* it is in `thrown` */ });
  }

  #abort(reason: unknown): void {
    this.#next?.catch(() => {});
    this.#stream.abort(reason);
  }

  /** The answer, once `onFinal` has it. The page may leave meanwhile, so that it is asked for a second time. */
  #ended(): Promise<A> {
    return this.#ending ??= (async () => {
      const answer = await this.#stream.final();
      this.#hasEnded = true;
      await this.#options.onFinal?.(answer);
      return answer;
    })();
  }

  /** The next piece of the body, and whether it is the last one. */
  async #piece(): Promise<{ piece: string; isLast: boolean }> {
    const isText = this.#options.format === 'text';
    const event = await this.#soon();
    if (!event) return { piece: isText ? '' : HEARTBEAT, isLast: false };
    this.#next = undefined;
    if (!event.done) return { piece: isText ? textOf(event.value) : frame(event.value), isLast: false };
    const answer = await this.#ended();
    return { piece: isText ? '' : frame({ type: 'answer', answer: forPage(answer) }), isLast: true };
  }

  async #pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    let piece = '';
    let isLast = false;
    try {
      // An empty piece would end the stream of some readers.
      while (!piece && !isLast) ({ piece, isLast } = await this.#piece());
    } catch (error) {
      // An event that is no JSON, such as one with a bigint, ends a call that would go on.
      this.#abort(error);
      const { error: sent } = await this.failed(error);
      // A text has no place for an error, so that the connection breaks.
      if (this.#options.format === 'text') return controller.error(error);
      piece = frame({ type: 'error', error: sent });
      isLast = true;
    }
    if (piece) controller.enqueue(new Encoder().encode(piece));
    if (isLast) controller.close();
  }

  /** Ends the call, because nobody reads its answer any more. An answer that is whole is kept. */
  async leave(reason?: unknown): Promise<void> {
    if (this.#hasEnded) return;
    this.#abort(reason);
    try {
      await this.#ended();
    } catch (error) {
      await this.failed(error);
    }
  }

  readable(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>({
      pull: (controller) => this.#pull(controller), cancel: (reason) => this.leave(reason),
    }, { highWaterMark: 0 });
  }
}
