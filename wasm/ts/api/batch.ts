/// <reference lib="esnext.disposable" preserve="true" />
import { whenAborted } from '../base/abort.js';
import type { LlmClient } from './client.js';
import { abortError, closed, invalidInput } from '../base/errors.js';
import { checkProcessor } from './check.js';
import { count, gatherWithLimit, known, timer } from './helpers.js';
import { Round, runAll, tokensOf, type Running, type Work } from './round.js';
import { runStream, type BatchResult } from './round-stream.js';
import type { BatchItem, BatchProcessorOptions } from './options.js';
import { BATCH } from '../base/tables.js';
import type { ChatResponse, Settled } from '../base/types.js';

/** What `close` does with the added requests: it finishes them, or rejects them with a ClosedError. */
export type Closing = 'finish' | 'cancel';

/** A request that was added and has no result yet. */
interface Request<I> {
  readonly item: I;
  isGone: boolean;
  /** Removes the request, whether it is collected, ready or running. */
  leave(error: Error): void;
  running?: Running<unknown>;
  settle(result: Settled<unknown, Error>): void;
}

/**
 * Runs many items through one function: chats, or anything else.
 *
 * - `processBatch`: all items, results in their order;
 * - `processStream`: any number of items, results as they finish;
 * - `addRequest`: one item at a time from many places, collected into batches in the background.
 *
 * A failed item does not stop the others. The behavior is that of Rust's `BatchProcessor`, with an aborted signal in
 * place of a dropped future.
 *
 * ```js
 * const batch = BatchProcessor.chats(client, { maxWorkers: 20, onProgress: ({ finished, total }) => show(finished, total) });
 * for (const answer of await batch.processBatch(['one', 'two', 'three'])) {
 *   console.log(answer.ok ? String(answer.value) : answer.error.message);
 * }
 * ```
 */
export class BatchProcessor<I, O> {
  /** @internal The build shortens the names of classes. */
  static readonly name = 'BatchProcessor';
  readonly #work: Work<I, O>;
  readonly #batchSize: number;
  readonly #maxWorkers: number;
  readonly #timeoutMs: number;
  readonly #maxConcurrentBatches: number;
  /** All added requests that have no result yet. */
  readonly #open = new Set<Request<I>>();
  #collecting: Request<I>[] = [];
  #clear = () => {};
  readonly #ready: { requests: Request<I>[]; finish(): void }[] = [];
  #running = 0;
  readonly #unfinished = new Set<Promise<void>>();
  #isClosed = false;

  /**
   * Runs `work` on each item. The signal is aborted when nobody waits for the item any more. Throws a RangeError if a
   * number among the options is invalid, and an InvalidInputError for an unknown option.
   */
  constructor(work: (item: I, signal: AbortSignal) => O | Promise<O>, options?: BatchProcessorOptions<O>) {
    const own = options ?? {};
    checkProcessor(own, (why) => invalidInput(why));
    const { batchSize, maxWorkers, timeoutMs, maxConcurrentBatches, onProgress, countTokens } = { ...BATCH, ...known(own) };
    if (typeof work !== 'function') throw new TypeError('a BatchProcessor takes a function, which runs one item');
    if (!(timeoutMs >= 0)) throw new RangeError(`timeoutMs is ${timeoutMs}; it must be a number of milliseconds, at least 0`);
    this.#work = { run: work, onProgress, countTokens };
    this.#batchSize = count('batchSize', batchSize);
    this.#maxWorkers = count('maxWorkers', maxWorkers);
    this.#timeoutMs = timeoutMs;
    this.#maxConcurrentBatches = count('maxConcurrentBatches', maxConcurrentBatches);
  }

  /**
   * Sends each item as a chat, as `client.processBatch` does: an item waits in the client's queue as long as necessary.
   * The client's `workers` still limit the requests in flight. `countTokens` defaults to the answers' usage.
   */
  static chats(client: LlmClient, options: BatchProcessorOptions<ChatResponse> = {}): BatchProcessor<BatchItem, ChatResponse> {
    const ask = async (item: BatchItem, signal: AbortSignal) => {
      const [result] = await client.processBatch([item], { signal });
      if (result!.ok) return result!.value;
      throw result!.error;
    };
    return new BatchProcessor(ask, { countTokens: tokensOf, ...options });
  }

  /**
   * Runs all items, `maxWorkers` at once, and returns their results in the items' order. Items without a result when
   * the signal is aborted become errors.
   */
  processBatch(items: Iterable<I>, { signal }: { signal?: AbortSignal } = {}): Promise<Settled<O, Error>[]> {
    return runAll(this.#work, items, this.#maxWorkers, signal);
  }

  /**
   * Runs the items of an iterable, `maxWorkers` at once, and yields each result as it finishes. Takes an item from the
   * iterable only when the item can run. Leaving the loop aborts the running items.
   */
  processStream(items: Iterable<I> | AsyncIterable<I>): AsyncGenerator<BatchResult<O>, void, undefined> {
    return runStream(this.#work, items, this.#maxWorkers);
  }

  /**
   * Adds one item to the batch that is being collected, and returns its result. The batch begins in the background when
   * it is full, when its first item has waited for `timeoutMs`, or at a `flush()`. Aborting the signal removes the item;
   * if it already runs, the signal that its function got is aborted. Rejects with the error that the function throws, or
   * with a ClosedError after `close()`.
   */
  addRequest(item: I, { signal }: { signal?: AbortSignal } = {}): Promise<O> {
    if (this.#isClosed) return Promise.reject(closed('batch processor'));
    if (signal?.aborted) return Promise.reject(abortError(signal));
    return new Promise((resolve, reject) => {
      const request: Request<I> = {
        item, isGone: false,
        leave: (error) => {
          request.isGone = true;
          request.settle({ ok: false, error });
          request.running?.stop(error);
        },
        settle: (result) => {
          forget();
          this.#open.delete(request);
          if (result.ok) resolve(result.value as O);
          else reject(result.error);
        },
      };
      const forget = whenAborted(signal, () => request.leave(abortError(signal)));
      this.#open.add(request);
      this.#collect(request);
    });
  }

  /** Begins the batch that is being collected, even if it is not full. Resolves when it and all earlier batches are done. */
  async flush(): Promise<void> {
    this.#cut();
    await Promise.all(this.#unfinished);
  }

  /**
   * Accepts no more requests. Resolves when the added requests are finished or, with `cancel`, rejected. `processBatch`
   * and `processStream` are not affected: their callers abort them.
   */
  async close(closing: Closing = 'finish'): Promise<void> {
    this.#isClosed = true;
    if (closing === 'cancel') for (const request of [...this.#open]) request.leave(closed('batch processor'));
    await this.flush();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #collect(request: Request<I>): void {
    // Removed requests do not count. They are filtered out only when the batch seems full.
    if (this.#collecting.length + 1 >= this.#batchSize) this.#collecting = this.#collecting.filter(({ isGone }) => !isGone);
    if (this.#collecting.length === 0) {
      this.#clear();
      this.#clear = this.#timeoutMs > 0 ? timer(this.#timeoutMs, () => this.#cut()) : soon(() => this.#cut());
    }
    this.#collecting.push(request);
    if (this.#collecting.length >= this.#batchSize) this.#cut();
  }

  /** Turns the collected requests into a batch that is ready to run. */
  #cut(): void {
    this.#clear();
    const requests = this.#collecting.filter(({ isGone }) => !isGone);
    this.#collecting = [];
    if (requests.length > 0) {
      const finished = new Promise<void>((finish) => { this.#ready.push({ requests, finish }); });
      this.#unfinished.add(finished);
      void finished.then(() => this.#unfinished.delete(finished));
    }
    this.#startReady();
  }

  #startReady(): void {
    while (this.#running < this.#maxConcurrentBatches) {
      const batch = this.#ready.shift();
      if (!batch) return;
      this.#running += 1;
      // Deferred, because the caller does not have its promise yet.
      void Promise.resolve().then(() => this.#runBatch(batch.requests)).then(() => {
        this.#running -= 1;
        batch.finish();
        this.#startReady();
      });
    }
  }

  async #runBatch(requests: Request<I>[]): Promise<void> {
    const round = new Round(this.#work, requests.length);
    await gatherWithLimit(requests.map((request) => () => runRequest(round, request)), this.#maxWorkers);
  }
}

/** A timer of zero milliseconds. The host's own would wait for a millisecond. */
function soon(then: () => void): () => void {
  let isCleared = false;
  void Promise.resolve().then(() => { if (!isCleared) then(); });
  return () => { isCleared = true; };
}

async function runRequest<I, O>(round: Round<I, O>, request: Request<I>): Promise<void> {
  if (request.isGone) return round.left();
  const running = round.start(request.item);
  request.running = running;
  const result = await running.result;
  if (request.isGone) return round.gone();
  round.ended(result);
  request.settle(result);
}
