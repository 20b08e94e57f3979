// A journal in the browser's IndexedDB.
import type { Done } from '../journal/done.js';
import { failed } from '../journal/errors.js';
import type { Claim, Counts, Lease, Outcome, Recorded } from '../journal/journal.js';
import type { OpenJournal } from '../journal/kept.js';
import { readLine } from '../journal/read-line.js';
import { resultLine } from '../journal/result-line.js';
import type { Supply } from '../journal/supply.js';
import { tagOf } from '../journal/tag.js';
import { RESULTS, RUN, completed, rows, storageError, type Row } from './database.js';

/** @internal */
export class IndexedJournal implements OpenJournal {
  readonly #name: string;
  readonly #database: IDBDatabase;
  readonly #supply: Supply;
  readonly #done: Done;
  readonly #unlock: () => void;
  /** Results that the next transaction stores, and its end. */
  #group: { rows: Row[]; stored: Promise<void> } | undefined;
  /** The end of the last transaction. */
  #last: Promise<void> = Promise.resolve();
  #failure: { error: unknown } | undefined;
  #isClosed = false;

  constructor(name: string, database: IDBDatabase, supply: Supply, done: Done, unlock: () => void) {
    this.#name = name;
    this.#database = database;
    this.#supply = supply;
    this.#done = done;
    this.#unlock = unlock;
    // The browser closes a database if the user deletes the site's data.
    database.onclose = () => this.#fail(failed(`the browser has closed the journal ${name}: its data may be deleted`));
    // Another tab wants to delete it.
    database.onversionchange = () => database.close();
  }

  async claim(): Promise<Claim> {
    // No items are handed out after a result could not be stored.
    this.#check();
    return this.#supply.claim();
  }

  async record(lease: Lease, outcome: Outcome): Promise<Recorded> {
    this.#check();
    const isAnswer = outcome.result.ok;
    if (!this.#done.add(tagOf(outcome), isAnswer)) return 'already';
    this.#supply.ended(lease);
    await this.#store({ place: outcome.place, line: resultLine(outcome), isAnswer });
    return 'first';
  }

  /** Results that come in the same turn, or while the last transaction runs, are stored in one transaction. */
  #store(row: Row): Promise<void> {
    if (this.#group) {
      this.#group.rows.push(row);
      return this.#group.stored;
    }
    const group: Row[] = [row];
    const stored = this.#last.then(() => {
      this.#group = undefined;
      return this.#write(group, 'relaxed');
    });
    this.#group = { rows: group, stored };
    this.#last = stored.catch(() => {});
    return stored;
  }

  async #write(group: readonly Row[], durability: IDBTransactionDurability): Promise<void> {
    try {
      this.#check();
      const transaction = this.#database.transaction(group.length > 0 ? RESULTS : RUN, 'readwrite', { durability });
      for (const row of group) transaction.objectStore(RESULTS).add(row);
      await completed(transaction);
    } catch (error) {
      throw this.#fail(storageError(this.#name, 'written', error));
    }
  }

  async release(lease: Lease): Promise<void> {
    this.#supply.release(lease);
  }

  /** A transaction with strict durability flushes those before it, too. */
  async sync(): Promise<void> {
    this.#check();
    await this.#last;
    await this.#write([], 'strict');
  }

  async progress(): Promise<Counts> {
    return this.#done.counts();
  }

  async *outcomes(): AsyncGenerator<Outcome, void, undefined> {
    await this.#last;
    for await (const { line } of rows(this.#database)) {
      const outcome = readLine(line);
      if (outcome) yield outcome;
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#supply.close();
    try {
      if (!this.#failure) await this.sync();
    } finally {
      this.#isClosed = true;
      this.#database.close();
      this.#unlock();
    }
  }

  async [Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')](): Promise<void> {
    await this.close();
  }

  #check(): void {
    if (this.#failure) throw this.#failure.error;
    if (this.#isClosed) throw failed('the journal is closed');
  }

  #fail(error: unknown): unknown {
    this.#failure ??= { error };
    return this.#failure.error;
  }
}
