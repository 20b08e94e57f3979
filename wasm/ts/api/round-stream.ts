// Yields results as they finish, in constant memory.
import { abortError } from '../base/errors.js';
import { iterate } from './iterate.js';
import { Round, lengthOf, type Running, type Work } from './round.js';
import type { Settled } from '../base/types.js';

/** A result of `processStream`, with the index of its item. */
export type BatchResult<O> = Settled<O, Error> & { readonly place: number };

/** @internal Takes an item only when it can run. Holds at most `maxWorkers` items and results together. */
export function runStream<I, O>(
  work: Work<I, O>, items: Iterable<I> | AsyncIterable<I>, maxWorkers: number,
): AsyncGenerator<BatchResult<O>, void, undefined> {
  const stream = new RoundStream(work, items, maxWorkers);
  return iterate(() => stream.next(), () => stream.leave());
}

class RoundStream<I, O> {
  readonly #round: Round<I, O>;
  readonly #source: Iterator<I> | AsyncIterator<I>;
  readonly #maxWorkers: number;
  readonly #running = new Set<Running<O>>();
  readonly #results: BatchResult<O>[] = [];
  #place = 0;
  /** Whether the next item is awaited. */
  #isTaking = false;
  /** Whether there are no more items. */
  #isOver = false;
  #failure: { error: unknown } | undefined;
  readonly #wakers: (() => void)[] = [];

  constructor(work: Work<I, O>, items: Iterable<I> | AsyncIterable<I>, maxWorkers: number) {
    this.#round = new Round(work, lengthOf(items));
    this.#source = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
    this.#maxWorkers = maxWorkers;
  }

  async next(): Promise<BatchResult<O> | undefined> {
    for (;;) {
      this.#take();
      const result = this.#results.shift();
      if (result) return result;
      if (this.#isOver && this.#running.size === 0) {
        if (this.#failure) throw this.#failure.error;
        return undefined;
      }
      await new Promise<void>((resolve) => { this.#wakers.push(resolve); });
    }
  }

  /** Called when the caller wants no more results. */
  leave(): void {
    const isLeft = !this.#isOver;
    this.#isOver = true;
    for (const running of this.#running) running.stop(abortError(undefined));
    // An error of the source is ignored, because no caller is left to handle it.
    if (isLeft) void Promise.resolve().then(() => this.#source.return?.()).catch(() => {});
    this.#wake();
  }

  #take(): void {
    while (!this.#isOver && !this.#isTaking && this.#running.size + this.#results.length < this.#maxWorkers) {
      try {
        const next = this.#source.next();
        if (!('then' in next)) {
          this.#took(next);
          continue;
        }
        this.#isTaking = true;
        next.then((next) => this.#took(next), (error: unknown) => this.#fail(error)).then(() => this.#wake());
      } catch (error) {
        this.#fail(error);
      }
    }
  }

  #took(next: IteratorResult<I>): void {
    this.#isTaking = false;
    if (this.#isOver) return;
    if (next.done) {
      this.#isOver = true;
      this.#round.setTotal(this.#place);
      return;
    }
    const place = this.#place;
    this.#place += 1;
    const running = this.#round.start(next.value);
    this.#running.add(running);
    void running.result.then((result) => {
      this.#running.delete(running);
      this.#round.ended(result);
      this.#results.push({ ...result, place });
      this.#wake();
    });
  }

  #fail(error: unknown): void {
    this.#isOver = true;
    this.#failure = { error };
  }

  #wake(): void {
    for (const wake of this.#wakers.splice(0)) wake();
  }
}
