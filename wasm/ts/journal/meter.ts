// The progress of a run over all its lives.
import type { Counts, Outcome } from './journal.js';
import { tokensOf } from '../api/round.js';
import type { Progress } from '../base/types.js';

/** @internal */
export class Meter {
  readonly #began = performance.now();
  readonly #onProgress: ((progress: Progress) => void) | undefined;
  /** What earlier lives of the run had recorded. */
  #before: Counts = { done: 0, failed: 0, inputTokens: 0, outputTokens: 0 };
  #done = 0;
  #failed = 0;
  #tokens = 0;

  constructor(onProgress: ((progress: Progress) => void) | undefined) {
    this.#onProgress = onProgress;
  }

  /** Sets what earlier lives had recorded: the counts of the journal, before this run records anything. */
  setBefore(counts: Counts): void {
    this.#before = counts;
  }

  /** Called when a result was recorded. */
  recorded({ result }: Outcome, inFlight: number): void {
    if (result.ok) {
      this.#done += 1;
      this.#tokens += tokensOf(result.value);
    } else {
      this.#failed += 1;
    }
    try {
      this.#onProgress?.(this.#progress(inFlight));
    } catch (error) {
      // An error in a callback must not end the run.
      console.error(error);
    }
  }

  #progress(inFlight: number): Progress {
    const { total, done, failed, inputTokens, outputTokens } = this.#before;
    const own = this.#done + this.#failed;
    const finished = done + failed + own;
    const elapsedMs = performance.now() - this.#began;
    const progress: Progress = {
      done: done + this.#done, failed: failed + this.#failed, finished, inFlight, tokens: inputTokens + outputTokens + this.#tokens, elapsedMs,
    };
    if (total !== undefined) {
      progress.total = total;
      progress.remainingMs = elapsedMs * Math.max(0, total - finished) / own;
    }
    return progress;
  }
}
