// Runs a batch from a journal: claims items, sends them, records the results.
import { abortError } from '../base/errors.js';
import { whenAborted } from '../base/abort.js';
import { count, timer } from '../api/helpers.js';
import { iterate } from '../api/iterate.js';
import { BATCH } from '../base/tables.js';
import type { Progress } from '../base/types.js';
import type { BatchClient } from '../api/journal.js';
import { Held } from './held.js';
import type { Claim, Item, Journal, Outcome, Recorded } from './journal.js';
import { Meter } from './meter.js';
import { Outage } from './outage.js';
import { send } from './send.js';

/** An item that ended and was recorded. */
export interface Finished {
  /** The item and its result. */
  readonly outcome: Outcome;
  /** Whether this result is the one that the journal keeps. */
  readonly recorded: Recorded;
}

/** Options of a run. */
export interface JournalRunOptions {
  /** How many items run at once. Default 5. The client's `workers` still limit the requests in flight. */
  concurrency?: number;
  /** Called after each item. The progress includes earlier lives of the run, except for its times. */
  onProgress?: (progress: Progress) => void;
  /** Drops the items in flight when it is aborted. They are not recorded, and the loop throws an AbortError. */
  signal?: AbortSignal;
}

/** Codes of errors with which every other item would fail, too. */
const ENDING: ReadonlySet<string> = new Set(['auth', 'quota_exceeded', 'config', 'closed']);

/**
 * - `claiming`
 * - `finishing`: no more claims; the items in flight finish
 * - `closing`: nothing is in flight; leases are released and the journal is synced
 * - `ended`
 */
type Stage = 'claiming' | 'finishing' | 'closing' | 'ended';

/** Runs the items of a journal, and yields each result when it is recorded. See `processJournal`. */
export class JournalRun implements AsyncIterable<Finished> {
  readonly #client: BatchClient;
  readonly #journal: Journal;
  readonly #most: number;
  readonly #meter: Meter;
  readonly #outage = new Outage();
  #stage: Stage = 'claiming';
  #isAsking = false;
  #isFirst = true;
  /** Claimed items that are not started, the next one last. */
  #waiting: [Held, Item][] = [];
  readonly #running = new Set<Promise<void>>();
  /** Aborted when the items in flight are dropped. */
  readonly #dropped = new AbortController();
  readonly #results: Finished[] = [];
  #held: Held[] = [];
  #failure: { error: unknown } | undefined;
  #wakers: (() => void)[] = [];
  #clear = () => {};
  readonly #forget: () => void;
  readonly #iterator: AsyncGenerator<Finished, void, undefined>;

  /** @internal */
  constructor(client: BatchClient, journal: Journal, { concurrency = BATCH.maxWorkers, onProgress, signal }: JournalRunOptions) {
    this.#client = client;
    this.#journal = journal;
    this.#most = count('concurrency', concurrency);
    this.#meter = new Meter(onProgress);
    const abort = () => this.#drop(abortError(signal));
    this.#forget = whenAborted(signal, abort);
    this.#iterator = iterate(() => this.#next(), () => this.#drop(undefined));
    if (signal?.aborted) abort();
  }

  /**
   * Stops claiming items. The items in flight finish and are recorded, then the loop ends; another run can resume the rest.
   * Use it for a deadline or a spending cap.
   */
  stop(): void {
    if (this.#stage === 'claiming') this.#stage = 'finishing';
    this.#waiting = [];
    this.#turn();
  }

  /** How many items are in flight: started and not yet recorded. */
  get inFlight(): number {
    return this.#running.size;
  }

  /** The recorded results. Leaving the loop drops the items in flight and releases the run's leases. */
  [Symbol.asyncIterator](): AsyncGenerator<Finished, void, undefined> {
    return this.#iterator;
  }

  async #next(): Promise<Finished | undefined> {
    for (;;) {
      this.#turn();
      const finished = this.#results.shift();
      if (finished) return finished;
      if (this.#stage === 'ended') {
        const failure = this.#failure;
        this.#failure = undefined;
        if (failure) throw failure.error;
        return undefined;
      }
      await new Promise<void>((resolve) => { this.#wakers.push(resolve); });
    }
  }

  #turn(): void {
    // Results that nobody has read hold a place, so that a slow reader slows the run.
    while (this.#running.size + this.#results.length < this.#most) {
      const next = this.#waiting.pop();
      if (!next) break;
      if (!next[0].isLost) this.#start(...next);
    }
    if (this.#stage === 'finishing' && this.#running.size === 0) this.#close();
    else if (this.#stage === 'claiming' && !this.#isAsking && this.#waiting.length === 0) this.#claim();
    for (const wake of this.#wakers.splice(0)) wake();
  }

  #claim(): void {
    const free = this.#most - this.#running.size - this.#results.length;
    if (free <= 0) return;
    this.#isAsking = true;
    void this.#claimed(free).catch((error: unknown) => {
      // The items in flight are already paid for, so they finish and are recorded if the journal still can.
      this.#failure ??= { error };
      if (this.#stage === 'claiming') this.#stage = 'finishing';
    }).then(() => {
      this.#isAsking = false;
      this.#turn();
    });
  }

  async #claimed(free: number): Promise<void> {
    if (this.#isFirst) {
      this.#isFirst = false;
      // Without its counts, the progress is that of this life only.
      await this.#journal.progress().then((counts) => this.#meter.setBefore(counts), () => {});
    }
    const askedAt = performance.now();
    const claim: Claim = await this.#journal.claim(free);
    if (claim.type === 'items') {
      if (this.#stage !== 'claiming') return void await this.#journal.release(claim.lease);
      const held = new Held(this.#journal, claim.lease, claim.items.length, askedAt);
      this.#held = this.#held.filter(({ left }) => left > 0);
      this.#held.push(held);
      this.#waiting = claim.items.map((item): [Held, Item] => [held, item]).reverse();
    } else if (claim.type === 'later') {
      await new Promise<void>((resolve) => {
        const clear = timer(claim.afterMs, resolve);
        this.#clear = () => { clear(); resolve(); };
      });
    } else if (this.#stage === 'claiming') {
      this.#stage = 'finishing';
    }
  }

  #start(held: Held, item: Item): void {
    let end = () => {};
    const running = new Promise<void>((resolve) => { end = resolve; });
    // In flight from here on, because the client may run code of the user before it returns.
    this.#running.add(running);
    void this.#run(held, item, running).catch((error: unknown) => this.#drop(error)).then(() => {
      this.#running.delete(running);
      end();
      this.#turn();
    });
  }

  /** Throws if the result could not be recorded. */
  async #run(held: Held, item: Item, running: Promise<void>): Promise<void> {
    const { signal } = this.#dropped;
    const began = performance.now();
    const ask = () => this.#outage.ask(() => this.#running.size, () => send(this.#client, item, signal), signal);
    const result = item.request instanceof Error ? { ok: false as const, error: item.request } : await ask();
    // Dropped: nobody waits for the result.
    if (signal.aborted) return;
    if (!result) {
      this.#failure ??= { error: this.#outage.cause };
      return this.stop();
    }
    if (!result.ok && ENDING.has(result.error.code)) {
      this.#failure ??= { error: result.error };
      return this.stop();
    }
    const outcome: Outcome = { place: item.place, id: item.id, tag: item.tag, result, tookMs: performance.now() - began };
    const recorded = await this.#journal.record(held.lease, outcome);
    held.ended();
    if (signal.aborted) return;
    this.#running.delete(running);
    this.#meter.recorded(outcome, this.#running.size);
    this.#results.push({ outcome, recorded });
  }

  /** Drops the items in flight, and ends the run with this error. */
  #drop(error: unknown): void {
    if (this.#stage === 'closing' || this.#stage === 'ended') return;
    if (error !== undefined) this.#failure ??= { error };
    this.#waiting = [];
    this.#dropped.abort();
    this.#close();
    for (const wake of this.#wakers.splice(0)) wake();
  }

  /** Releases every lease that still has items, then syncs the journal. */
  #close(): void {
    this.#stage = 'closing';
    this.#forget();
    this.#clear();
    void this.#closed().catch((error: unknown) => { this.#failure ??= { error }; }).then(() => {
      this.#stage = 'ended';
      this.#turn();
    });
  }

  async #closed(): Promise<void> {
    // A result that is being recorded is recorded whole.
    await Promise.all(this.#running);
    let failure: { error: unknown } | undefined;
    for (const held of this.#held.splice(0)) {
      held.leave();
      if (held.left > 0) await this.#journal.release(held.lease).catch((error: unknown) => { failure ??= { error }; });
    }
    await this.#journal.sync?.();
    if (failure) throw failure.error;
  }
}

/**
 * Runs the items of a journal of your own through a client, and yields each result when it is recorded. The journal
 * implements `Journal`, and has its own items.
 *
 * ```js
 * const journal = await fileJournal('out.jsonl').open(client, jsonLines('in.jsonl'));
 * const run = processJournal(client, journal, { concurrency: 20 });
 * for await (const { outcome } of run) console.log(outcome.id, outcome.result.ok);
 * await journal.close();
 * ```
 *
 * The loop throws an error of the journal, and an error with which every item would fail, such as a key that is refused
 * (`auth`, `quota_exceeded`, `config`, `closed`; `connection` if nothing connects any more). Such an item is not recorded as
 * failed, so that the run can be resumed. A page that is offline waits until it is online.
 * If the results are not read, no more than `concurrency` items are started.
 */
export function processJournal(client: BatchClient, journal: Journal, options: JournalRunOptions = {}): JournalRun {
  return new JournalRun(client, journal, options);
}
