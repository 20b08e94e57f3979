// One running batch: runs its items, and counts its progress.
import { whenAborted } from '../base/abort.js';
import { abortError } from '../base/errors.js';
import { gatherWithLimit, settled } from './helpers.js';
import type { ChatResponse, Progress, Settled } from '../base/types.js';

/** @internal What to do with each item, and the callbacks after it. */
export interface Work<I, O> {
  run(item: I, signal: AbortSignal): O | Promise<O>;
  countTokens?: ((output: O) => number) | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** @internal A running item. */
export interface Running<O> {
  readonly result: Promise<Settled<O, Error>>;
  /** Stops the item: its result is this error at once, and its signal is aborted. */
  stop(error: Error): void;
}

/** @internal */
export class Round<I, O> {
  readonly #work: Work<I, O>;
  readonly #began = performance.now();
  #total: number | undefined;
  #done = 0;
  #failed = 0;
  #inFlight = 0;
  #tokens = 0;

  constructor(work: Work<I, O>, total: number | undefined) {
    this.#work = work;
    this.#total = total;
  }

  /** Sets the number of items, once it is known. */
  setTotal(total: number): void {
    this.#total = total;
  }

  /** Called when an item was removed before it ran. */
  left(): void {
    if (this.#total !== undefined) this.#total -= 1;
  }

  /** Begins an item. */
  start(item: I): Running<O> {
    this.#inFlight += 1;
    const controller = new AbortController();
    const result = settled(() => this.#work.run(item, controller.signal));
    let stop = (_: Error) => {};
    const stopped = new Promise<Settled<O, Error>>((resolve) => {
      stop = (error) => {
        resolve({ ok: false, error });
        controller.abort(error);
      };
    });
    return { result: Promise.race([result, stopped]), stop };
  }

  /** Runs an item to its end, or until the signal is aborted. */
  async run(item: I, signal: AbortSignal | undefined): Promise<Settled<O, Error>> {
    let result: Settled<O, Error>;
    if (signal?.aborted) {
      this.#inFlight += 1;
      result = { ok: false, error: abortError(signal) };
    } else {
      const running = this.start(item);
      const forget = whenAborted(signal, () => running.stop(abortError(signal)));
      result = await running.result;
      forget();
    }
    this.ended(result);
    return result;
  }

  /** Called when a running item was removed. */
  gone(): void {
    this.#inFlight -= 1;
    this.left();
  }

  /** Called when an item has its result. */
  ended(result: Settled<O, Error>): void {
    this.#inFlight -= 1;
    const { countTokens, onProgress } = this.#work;
    try {
      if (result.ok) {
        this.#done += 1;
        this.#tokens += countTokens?.(result.value) ?? 0;
      } else {
        this.#failed += 1;
      }
      onProgress?.(this.#progress());
    } catch (error) {
      // An error in a callback must not lose an item's result.
      console.error(error);
    }
  }

  #progress(): Progress {
    const finished = this.#done + this.#failed;
    const elapsedMs = performance.now() - this.#began;
    const progress: Progress = {
      done: this.#done, failed: this.#failed, finished, inFlight: this.#inFlight, tokens: this.#tokens, elapsedMs,
    };
    if (this.#total !== undefined) {
      progress.total = this.#total;
      progress.remainingMs = elapsedMs * Math.max(0, this.#total - finished) / finished;
    }
    return progress;
  }
}

/** @internal Runs all items, `maxWorkers` at once. The results are in input order. */
export async function runAll<I, O>(
  work: Work<I, O>, items: Iterable<I>, maxWorkers: number, signal?: AbortSignal,
): Promise<Settled<O, Error>[]> {
  const round = new Round(work, lengthOf(items));
  function* tasks() {
    let total = 0;
    for (const item of items) {
      total += 1;
      yield () => round.run(item, signal);
    }
    round.setTotal(total);
  }
  const results = await gatherWithLimit(tasks(), maxWorkers);
  return results.map((result) => (result.ok ? result.value : result));
}

/** @internal The tokens that a chat cost. */
export const tokensOf = ({ usage }: ChatResponse) => (usage ? usage.inputTokens + usage.outputTokens : 0);

/** @internal The number of items, if it can be known in advance. */
export const lengthOf = (items: object) => (Array.isArray(items) ? items.length : undefined);
