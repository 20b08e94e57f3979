// Journals that a user writes.
import type { Input } from './input.js';
import type { Item } from './journal.js';
import { Kept, type JournalPlace, type OpenJournal } from './kept.js';
import type { Identity } from './settings.js';
import { itemOf } from './supply.js';

/** What a journal is opened for. */
export interface JournalBatch {
  /** The items, in their order; can be iterated several times. The `tag` of each is a digest of its content, as a bigint. */
  readonly items: AsyncIterable<Item>;
  /** The dialect, base URL and model, and a digest of the key. A run with another identity should not be resumed. */
  readonly identity: Identity;
}

/**
 * A place for results of your own, for `processBatch`: `open` is called once for each batch.
 *
 * ```js no_run
 * const journal = journalFrom(async ({ items, identity }) => new RowsJournal(database, items, identity));
 * const results = await client.processBatch(prompts, { journal });
 * ```
 *
 * A journal that has its items already, such as one in a database that several workers share, needs no such place:
 * give it to `processJournal`.
 */
export function journalFrom(open: (batch: JournalBatch) => Promise<OpenJournal>): JournalPlace {
  return new Kept((input, identity) => open({ items: { [Symbol.asyncIterator]: () => itemsOf(input) }, identity }));
}

async function* itemsOf(input: Input): AsyncGenerator<Item, void, undefined> {
  for await (const lines of input.blocks()) for (const line of lines) yield itemOf(line);
}
