import { whenAborted } from '../base/abort.js';
import { LlmError, TimeoutError, abortError } from '../base/errors.js';
import { GATHER_LIMIT } from '../base/tables.js';
import type { Settled } from '../base/types.js';

const LONGEST_TIMER = 2 ** 31 - 1;

/** @internal A timer that may be longer than 24.8 days; the returned function clears it. */
export function timer(milliseconds: number, then: () => void): () => void {
  let id: ReturnType<typeof setTimeout>;
  const next = (left: number) => {
    id = setTimeout(() => (left > LONGEST_TIMER ? next(left - LONGEST_TIMER) : then()), Math.min(left, LONGEST_TIMER));
  };
  next(milliseconds);
  return () => {
    try {
      clearTimeout(id);
    } catch { /* a timer of another request, on workerd */ }
  };
}

/** @internal Checks a number of things that run at once; 0 counts as 1. */
export function count(name: string, value: number): number {
  if (!(Number.isSafeInteger(value) && value >= 0)) throw new RangeError(`${name} is ${value}; it must be a whole number of at least 0`);
  return Math.max(1, value);
}

/** @internal The options without those that are not set. */
export const known = <T extends object>(options: T): T =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value != null)) as T;

/** @internal */
export function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new LlmError(String(reason), { code: 'internal', cause: reason });
}

/**
 * Runs `task`. After `timeoutMs` milliseconds it rejects with a TimeoutError, and aborts the signal that the task got.
 */
export async function runWithTimeout<T>(task: (signal: AbortSignal) => T | Promise<T>, timeoutMs: number): Promise<T> {
  if (!(timeoutMs >= 0)) throw new RangeError(`timeoutMs is ${timeoutMs}; it must be a number of milliseconds, at least 0`);
  const controller = new AbortController();
  let clear = () => {};
  const limit = new Promise<never>((_, reject) => {
    clear = timer(timeoutMs, () => {
      const error = new TimeoutError(`timed out after ${timeoutMs} ms`, { code: 'timeout', phase: 'overall', retryable: false });
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

/**
 * Runs the tasks, at most `limit` at once (0 counts as 1). The results are in the order of the tasks, including errors.
 * A task is taken from the iterable only when it can run. Rejects with a RangeError if the limit is no whole number.
 */
export async function gatherWithLimit<T>(tasks: Iterable<() => T | Promise<T>>, limit: number = GATHER_LIMIT): Promise<Settled<T, Error>[]> {
  const most = count('limit', limit);
  const results: Settled<T, Error>[] = [];
  const iterator = tasks[Symbol.iterator]();
  let isOver = false;
  const work = async () => {
    while (!isOver) {
      const next = iterator.next();
      if (next.done) {
        isOver = true;
        return;
      }
      const index = results.length;
      // Reserves the place of this task's result.
      results.length += 1;
      results[index] = await settled(next.value);
    }
  };
  const workers: Promise<void>[] = [];
  while (workers.length < most && !isOver) workers.push(work());
  await Promise.all(workers);
  return results;
}

/** @internal Runs a task, and returns its value or its error. */
export async function settled<T>(task: () => T | Promise<T>): Promise<Settled<T, Error>> {
  try {
    return { ok: true, value: await task() };
  } catch (error) {
    return { ok: false, error: toError(error) };
  }
}
