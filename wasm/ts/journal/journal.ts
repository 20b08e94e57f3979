// The interface of journals: the same names and promises as Rust's trait `Journal`.
import type { JournalItem } from '../api/journal.js';
import type { LlmError } from '../base/errors.js';
import type { ChatResponse, Settled } from '../base/types.js';

/** One item of a batch, as a journal hands it out. */
export interface Item {
  /** The item's number in the input, from 1. In a file, it is the line number. */
  readonly place: number;
  /** The item's name, which is unique in the input; OpenAI's `custom_id`. */
  readonly id: string;
  /** A value for the journal's own use. The worker returns it unchanged with the result. */
  readonly tag?: unknown;
  /** The request. An error if the input could not be read; the item is then recorded as failed, and nothing is sent. */
  readonly request: JournalItem | LlmError;
}

/** The result of an item. */
export interface Outcome {
  /** The item's `place`. */
  readonly place: number;
  /** The item's `id`. */
  readonly id: string;
  /** The item's `tag`. */
  readonly tag?: unknown;
  /** The answer, or why there is none. */
  readonly result: Settled<ChatResponse>;
  /** Milliseconds since the worker started the item, including the wait for the client's queue and limits, and all attempts. */
  readonly tookMs: number;
}

/** How a journal handled a result: it was recorded, or the item already had a result, which was kept. */
export type Recorded = 'first' | 'already';

/** The progress of a run, over all its workers and all its restarts. */
export interface Counts {
  /** All items, if their number is known. */
  readonly total?: number;
  /** Items that have an answer. */
  readonly done: number;
  /** Items that have an error. */
  readonly failed: number;
  /** Prompt tokens of the items that have an answer. */
  readonly inputTokens: number;
  /** Output tokens of the items that have an answer. */
  readonly outputTokens: number;
}

/** The right to work on some items. */
export interface Lease {
  /** The journal's own number or name for the leased items. */
  readonly chunk: number | string;
  /** Grows each time that the chunk is leased again. It tells an earlier lease from that of the worker that took over. */
  readonly fence: number;
  /** How long the lease lasts without a renewal, in milliseconds from the call of `claim`. Default: until it is released. */
  readonly lastsMs?: number;
}

/** The result of a claim. */
export type Claim =
  /** A lease of these items. There is at least one item. */
  | { readonly type: 'items'; readonly lease: Lease; readonly items: readonly Item[] }
  /** Nothing now, because other workers hold the remaining items or the run is paused. Claim again after this time. */
  | { readonly type: 'later'; readonly afterMs: number }
  /** No items are left, or the run was cancelled. */
  | { readonly type: 'end' };

/** The result of a renewal. After `lost` the worker starts no more items of the lease. */
export type Renewal = 'held' | 'lost';

/**
 * Keeps a batch's items and their results. `processJournal(client, journal)` works with any journal.
 *
 * What holds for every journal:
 *
 * - **At least once.** An item whose result was not recorded is handed out again after a crash, or when the lease of a
 *   worker that disappeared has expired. Only items that were in flight can be sent twice.
 * - **One result.** The first result that is recorded for an item stays. For a later result, the journal returns
 *   `already` and changes nothing.
 * - **No item is lost.** An item that was handed out is either recorded or handed out again.
 *
 * An error of any method ends the run of the worker that called it. Everything recorded stays, and the run can be
 * resumed. A journal on a network must therefore retry temporary errors itself.
 */
export interface Journal {
  /**
   * Takes a lease of items that are in no lease and have no result. `want` is how many items the worker can send now, at
   * least 1. It is a hint: a journal chooses the size of the chunk. The worker claims again only after it has started all
   * items of the chunk. If the run ended before the claim, the worker releases the lease.
   */
  claim(want: number): Promise<Claim>;

  /**
   * Records the result of an item, and resolves when the record outlives this process: when a `kill -9` can no longer undo
   * it. The worker counts an item as in flight until then. Workers call this concurrently, so a journal can write several
   * results at once. The result is accepted even if the lease has expired, unless another worker recorded one first,
   * because the answer was paid for.
   */
  record(lease: Lease, outcome: Outcome): Promise<Recorded>;

  /**
   * Extends a lease by `lastsMs`, counted from the call of this method. The worker calls it after every third of that
   * time. After `lost`, or after `lastsMs` without a renewal, the worker starts no more items of the lease; items in flight
   * finish and are recorded. A journal whose leases do not expire needs no such method.
   */
  renew?(lease: Lease): Promise<Renewal>;

  /**
   * Gives back a lease and its remaining items, so that other workers need not wait until it expires. Called by a worker
   * that stops before the end. Releasing a lease that is not held is not an error.
   */
  release(lease: Lease): Promise<void>;

  /** Resolves when everything recorded before survives a power loss. Without this method, `record` promises that already. */
  sync?(): Promise<void>;

  /** How far the run is, over all its workers and all its lives. Its cost must not grow with the run. */
  progress(): Promise<Counts>;
}
