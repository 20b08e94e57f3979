/// <reference lib="esnext.disposable" preserve="true" />
import { LlmError, closed } from './errors.js';
import { atLeastOne, gatherWithLimit, timer, toError } from './helpers.js';
import type { Settled } from './types.js';

/** Options of a BatchProcessor. */
export interface BatchProcessorOptions {
  /** How many requests make a batch. Default 10. */
  batchSize?: number;
  /** How long the first request of a batch waits for others, in milliseconds. Default 1,000. */
  timeoutMs?: number;
  /** How many batches run at once. Default 1. */
  maxConcurrentBatches?: number;
}

interface Waiting<I, O> { item: I; resolve: (value: O) => void; reject: (error: Error) => void }

/** Gathers single requests into batches. `process` gives one result for each item, in order. */
export class BatchProcessor<I, O> {
  readonly #process: (items: I[]) => Promise<readonly (O | Error)[]>;
  readonly #size: number;
  readonly #timeout: number;
  readonly #limit: number;
  #waiting: Waiting<I, O>[] = [];
  #clear: (() => void) | undefined;
  #running = new Set<Promise<void>>();
  #ready: Waiting<I, O>[][] = [];
  #closed = false;

  constructor(process: (items: I[]) => Promise<readonly (O | Error)[]>, options: BatchProcessorOptions = {}) {
    this.#process = process;
    this.#size = atLeastOne('batchSize', options.batchSize ?? 10);
    this.#timeout = options.timeoutMs ?? 1000;
    this.#limit = atLeastOne('maxConcurrentBatches', options.maxConcurrentBatches ?? 1);
  }

  /** Processes all items in batches now; results in input order, errors in their place. */
  async processBatch(items: readonly I[]): Promise<Settled<O, Error>[]> {
    const batches: I[][] = [];
    for (let at = 0; at < items.length; at += this.#size) batches.push(items.slice(at, at + this.#size));
    const results = await gatherWithLimit(batches.map((batch) => () => this.#run(batch)), this.#limit);
    return results.flatMap((result, index) => result.ok
      ? result.value
      : (batches[index] ?? []).map(() => ({ ok: false as const, error: result.error })));
  }

  /** Adds one request to the next batch. */
  addRequest(item: I): Promise<O> {
    if (this.#closed) return Promise.reject(closed('batch processor'));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (this.#waiting.length >= this.#size) this.#cut();
      else this.#clear ??= timer(this.#timeout, () => this.#cut());
    });
  }

  /** Sends what waits, and resolves when all of it is done. */
  async flush(): Promise<void> {
    this.#cut();
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  /** Takes no more requests, and finishes those it has. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.flush();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #cut(): void {
    this.#clear?.();
    this.#clear = undefined;
    if (this.#waiting.length > 0) this.#ready.push(this.#waiting.splice(0));
    this.#start();
  }

  #start(): void {
    while (this.#running.size < this.#limit) {
      const batch = this.#ready.shift();
      if (!batch) return;
      const running: Promise<void> = this.#settle(batch).then(() => {
        this.#running.delete(running);
        this.#start();
      });
      this.#running.add(running);
    }
  }

  async #settle(batch: Waiting<I, O>[]): Promise<void> {
    try {
      const results = await this.#run(batch.map(({ item }) => item));
      for (const [index, { resolve, reject }] of batch.entries()) {
        const result = results[index];
        if (result?.ok) resolve(result.value);
        else reject(result?.error ?? new LlmError('the batch gave no result', { code: 'internal' }));
      }
    } catch (error) {
      for (const { reject } of batch) reject(toError(error));
    }
  }

  async #run(items: I[]): Promise<Settled<O, Error>[]> {
    const results = await this.#process(items);
    if (results.length !== items.length) {
      throw new LlmError(`the function gave ${results.length} results for ${items.length} items`, { code: 'internal' });
    }
    return results.map((result) => result instanceof Error ? { ok: false, error: result } : { ok: true, value: result });
  }
}
