import { whenAborted } from './abort.js';
import { LlmError, TimeoutError, abortError } from './errors.js';
import type { Settled } from './types.js';

const LONGEST_TIMER = 2 ** 31 - 1;

/** @internal A timer that may be longer than 24.8 days; the returned function clears it. */
export function timer(milliseconds: number, then: () => void): () => void {
  let id: ReturnType<typeof setTimeout>;
  const next = (left: number) => {
    id = setTimeout(() => (left > LONGEST_TIMER ? next(left - LONGEST_TIMER) : then()), Math.min(left, LONGEST_TIMER));
  };
  next(milliseconds);
  return () => clearTimeout(id);
}

/** @internal A number of things that are to run: at least one. */
export function atLeastOne(name: string, value: number): number {
  if (!(value >= 1)) throw new RangeError(`${name} is ${value}; it must be at least 1`);
  return Math.floor(value);
}

/** @internal */
export function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new LlmError(String(reason), { code: 'internal', cause: reason });
}

/**
 * Runs `task`, and rejects with a TimeoutError after `timeoutMs`. The signal given to the task is
 * aborted then.
 */
export async function runWithTimeout<T>(task: (signal: AbortSignal) => Promise<T>, timeoutMs: number): Promise<T> {
  const controller = new AbortController();
  let clear = () => {};
  const limit = new Promise<never>((_, reject) => {
    clear = timer(timeoutMs, () => {
      const error = new TimeoutError(`it took longer than ${timeoutMs} ms`, { code: 'timeout', phase: 'overall', retryable: false });
      reject(error);
      controller.abort(error);
    });
  });
  try {
    return await Promise.race([task(controller.signal), limit]);
  } finally {
    clear();
  }
}

/** Runs the tasks, at most `limit` at once; the results are in the order of the tasks, errors too. */
export async function gatherWithLimit<T>(tasks: Iterable<() => T | Promise<T>>, limit = 10): Promise<Settled<T, Error>[]> {
  atLeastOne('the limit', limit);
  const list = [...tasks];
  const results = new Array<Settled<T, Error>>(list.length);
  let next = 0;
  const worker = async () => {
    while (next < list.length) {
      const index = next++;
      const task = list[index];
      if (!task) continue;
      try {
        results[index] = { ok: true, value: await task() };
      } catch (error) {
        results[index] = { ok: false, error: toError(error) };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, list.length) }, worker));
  return results;
}

/** At most `calls` in each `period` milliseconds, and at most `burst` of them at once. */
export class RateLimiter {
  readonly #gap: number;
  readonly #burst: number;
  // The theoretical arrival time of the generic cell rate algorithm.
  #next = -Infinity;

  constructor(calls: number, period: number, burst = calls) {
    if (!(calls > 0) || !(period > 0) || !(burst >= 1)) {
      throw new RangeError('calls and period must be above 0, and burst at least 1');
    }
    this.#gap = period / calls;
    this.#burst = burst;
  }

  /** Waits for its turn; turns come in the order of the calls. A turn that is aborted is lost. */
  async acquire(signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) throw abortError(signal);
    const now = performance.now();
    const start = Math.max(now, this.#next);
    this.#next = start + this.#gap;
    const wait = start - now - this.#gap * (this.#burst - 1);
    if (wait <= 0) return;
    await new Promise<void>((resolve, reject) => {
      const forget = whenAborted(signal, () => { clear(); forget(); reject(abortError(signal)); });
      const clear = timer(Math.ceil(wait), () => { forget(); resolve(); });
    });
  }
}
