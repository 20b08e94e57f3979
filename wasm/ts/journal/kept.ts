// `processBatch` with a journal: opens it, runs what is left, and returns the results of all items.
import { abortError } from '../base/errors.js';
import { whenAborted } from '../base/abort.js';
import type { BatchClient, BatchJournal, JournalItems, JournalOptions } from '../api/journal.js';
import type { ChatResponse, Settled } from '../base/types.js';
import type { Input } from './input.js';
import { inputOf } from './items.js';
import type { Journal, Outcome } from './journal.js';
import { JournalRun } from './run.js';
import type { Identity } from './settings.js';

/** A journal that is open: it has the items of one batch, and can be read. */
export interface OpenJournal extends Journal {
  /** The results that are recorded, those of earlier runs too, in any order. */
  outcomes(): AsyncIterable<Outcome>;
  /** Closes the journal, so that another run can open it. Resolves when everything recorded survives a power loss. */
  close(): Promise<void>;
}

/** Where the results of a batch are kept. */
export interface JournalPlace extends BatchJournal {
  /**
   * Opens the journal for these items, for `processJournal`, which yields results as they are recorded and does not hold
   * them in memory. Rejects with an LlmError if the items or the settings of the client are not those of the run that the
   * journal has, if another process or page has it open, or if two items have the same name. Nothing is sent.
   */
  open(client: BatchClient, items: JournalItems): Promise<OpenJournal>;
}

/** @internal Opens a journal for these items. */
export type OpenKept = (input: Input, identity: Identity) => Promise<OpenJournal>;

/** What a client says about its settings. */
interface Identified { runIdentity?(): Promise<Identity> }

async function openFor(open: OpenKept, client: BatchClient, input: Input): Promise<OpenJournal> {
  return open(input, { ...await (client as Identified).runIdentity?.(), ...input.identity });
}

/** @internal */
export class Kept implements JournalPlace {
  readonly #open: OpenKept;

  constructor(open: OpenKept) {
    this.#open = open;
  }

  async open(client: BatchClient, items: JournalItems): Promise<OpenJournal> {
    return openFor(this.#open, client, await inputOf(items));
  }

  async processBatch(client: BatchClient, items: JournalItems, options: JournalOptions): Promise<Settled<ChatResponse>[]> {
    const { concurrency, onProgress, signal, stopSignal } = options;
    const input = await inputOf(items);
    const journal = await openFor(this.#open, client, input);
    const results = new Map<number, Settled<ChatResponse>>();
    try {
      for await (const { place, result } of journal.outcomes()) if (!results.has(place)) results.set(place, result);
      const run = new JournalRun(client, journal, { concurrency, onProgress, signal });
      const forget = whenAborted(stopSignal, () => run.stop());
      if (stopSignal?.aborted) run.stop();
      try {
        for await (const { outcome, recorded } of run) if (recorded === 'first') results.set(outcome.place, outcome.result);
      } catch (error) {
        // The finished items keep their results, as without a journal.
        if (!signal?.aborted) throw error;
      } finally {
        forget();
      }
    } finally {
      await journal.close();
    }
    if (signal?.aborted || stopSignal?.aborted) await fill(results, input, signal?.aborted ? signal : stopSignal);
    return [...results.keys()].sort((one, other) => one - other).map((place) => results.get(place)!);
  }
}

/** Adds an error for each item without a result. */
async function fill(results: Map<number, Settled<ChatResponse>>, input: Input, signal: AbortSignal | undefined): Promise<void> {
  for await (const lines of input.blocks()) {
    for (const { place } of lines) if (!results.has(place)) results.set(place, { ok: false, error: abortError(signal) });
  }
}
