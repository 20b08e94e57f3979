// The events of a stream, on their way from their source to the loops over the stream.
import { iterate } from './iterate.js';

/** @internal The events that were read and not yet delivered, and how the stream ended. */
export class EventQueue<E> {
  readonly #read: () => Promise<void>;
  readonly #leave: () => void;
  readonly #deliver: (event: E) => void;
  #ready: E[] = [];
  #error: unknown;
  #isOver = false;
  #isStopped = false;
  #isLooped = false;
  #reading: Promise<void> | undefined;

  /**
   * `read` waits for the source, then calls `push` or `end`. `leave` is called when a loop over the stream is left early, and
   * `deliver` with each event that leaves the queue.
   */
  constructor(read: () => Promise<void>, leave: () => void, deliver: (event: E) => void = () => {}) {
    this.#read = read;
    this.#leave = leave;
    this.#deliver = deliver;
  }

  get isOver(): boolean { return this.#isOver; }

  get error(): unknown { return this.#error; }

  push(event: E): void {
    this.#ready.push(event);
  }

  /** The stream has ended. An error is thrown after the events that came before it. */
  end(error?: unknown): void {
    this.#isOver = true;
    this.#error = error;
  }

  /** From now on, loops over the stream end without its error. */
  stop(): void {
    this.#isStopped = true;
  }

  /** The next event; undefined at the end. */
  async next(): Promise<E | undefined> {
    for (;;) {
      const event = this.#shift();
      if (event) return event;
      if (this.#error && !this.#isStopped) throw this.#error;
      if (this.#isOver) return undefined;
      await this.#more();
    }
  }

  /** Reads to the end. A loop over the stream keeps its events; without one, nobody wants them. */
  async drain(): Promise<void> {
    for (;;) {
      if (!this.#isLooped) while (this.#shift());
      if (this.#isOver) return;
      await this.#more();
    }
  }

  /** A loop over the stream: over its events, or over what `next` makes of them. */
  loop(): AsyncGenerator<E, void, undefined>;
  loop<T>(next: () => Promise<T | undefined>): AsyncGenerator<T, void, undefined>;
  loop(next: () => Promise<unknown> = () => this.next()): AsyncGenerator<unknown, void, undefined> {
    this.#isLooped = true;
    return iterate(next, this.#leave);
  }

  #shift(): E | undefined {
    const event = this.#ready.shift();
    if (event) this.#deliver(event);
    return event;
  }

  #more(): Promise<void> {
    return this.#reading ??= this.#read().finally(() => { this.#reading = undefined; });
  }
}
