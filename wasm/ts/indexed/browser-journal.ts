// `browserJournal` and, outside of Node, `jsonLines`.
import type { JsonLines } from '../api/journal.js';
import { known } from '../api/helpers.js';
import { LlmError } from '../base/errors.js';
import { blobSource } from '../journal/blob.js';
import { check } from '../journal/check.js';
import { digester } from '../journal/digest.js';
import { Done } from '../journal/done.js';
import { failed, refused } from '../journal/errors.js';
import type { Input } from '../journal/input.js';
import { Kept, type JournalPlace, type OpenKept } from '../journal/kept.js';
import { LineInput, type JsonLinesOptions } from '../journal/line-input.js';
import { compare, read, written, type Identity } from '../journal/settings.js';
import { Supply } from '../journal/supply.js';
import { readTag } from '../journal/tag.js';
import { RESULTS, RUN, answered, completed, deleteDatabase, openDatabase, rows, storageError } from './database.js';
import { IndexedJournal } from './journal.js';
import { lockTab } from './tab-lock.js';

/** Options of a journal in the browser. */
export interface BrowserJournalOptions {
  /** Resumes even if the settings of the run differ. Default false. */
  force?: boolean;
  /** Runs the items that have an error again; their errors are deleted. Default false. */
  retryErrors?: boolean;
}

/** A place for the results of a batch in the browser's storage. */
export interface BrowserJournal extends JournalPlace {
  /** The recorded results as lines of OpenAI's Batch format: the answers, and the errors. Rejects if a run has it open. */
  toJsonLines(): Promise<{ answers: Blob; errors: Blob }>;
  /** Deletes the results. Rejects if a run has it open. */
  delete(): Promise<void>;
}

/**
 * A place for the results of a batch in the browser's storage (IndexedDB), under this name. The batch survives a reload and
 * a crash of the page: the same call resumes it. Only one tab or worker can run it at a time. The page must be served over
 * https, or from localhost.
 *
 * ```js page
 * const journal = browserJournal('summaries');
 * const results = await client.processBatch(prompts, { journal });
 * await journal.delete(); // when the results are no longer needed
 * ```
 */
export function browserJournal(name: string, options: BrowserJournalOptions = {}): BrowserJournal {
  const { force = false, retryErrors = false, ...unknown } = known(options);
  if (typeof name !== 'string' || name === '') throw refused('a journal in the browser needs a name');
  for (const option in unknown) throw refused(`unknown option ${option}`);
  return new Indexed(name, (input, identity) => locked(name, (unlock) => open(name, force, retryErrors, input, identity, unlock)));
}

class Indexed extends Kept implements BrowserJournal {
  readonly #name: string;

  constructor(name: string, open: OpenKept) {
    super(open);
    this.#name = name;
  }

  async toJsonLines(): Promise<{ answers: Blob; errors: Blob }> {
    const lines: { answers: string[]; errors: string[] } = { answers: [], errors: [] };
    await locked(this.#name, async (unlock) => {
      const database = await openDatabase(this.#name);
      for await (const { line, isAnswer } of rows(database)) lines[isAnswer ? 'answers' : 'errors'].push(line);
      database.close();
      unlock();
    });
    const type = 'application/x-ndjson';
    return { answers: new Blob(lines.answers, { type }), errors: new Blob(lines.errors, { type }) };
  }

  async delete(): Promise<void> {
    await locked(this.#name, async (unlock) => {
      await deleteDatabase(this.#name);
      unlock();
    });
  }
}

/** Runs `work` under the journal's lock. If it fails, the lock is released. */
async function locked<T>(name: string, work: (unlock: () => void) => Promise<T>): Promise<T> {
  if (typeof indexedDB === 'undefined') throw refused('this host has no IndexedDB: use fileJournal in Node, or journalFrom');
  const unlock = await lockTab(name);
  try {
    return await work(unlock);
  } catch (error) {
    unlock();
    throw error instanceof LlmError ? error : storageError(name, 'opened', error);
  }
}

async function open(name: string, force: boolean, retryErrors: boolean, input: Input, identity: Identity, unlock: () => void): Promise<IndexedJournal> {
  const database = await openDatabase(name);
  try {
    const text = await answered(database.transaction(RUN).objectStore(RUN).get(RUN)) as string | undefined;
    const before = text === undefined ? undefined : read(text);
    if (before && !force) compare(identity, before);
    if (text !== undefined && !before && !force) throw refused(`the journal ${name} was begun by another version: choose another name, or force the run`, 'another_run');
    const done = new Done();
    const wrong: number[] = [];
    for await (const { line, place, isAnswer } of rows(database)) {
      const tag = readTag(line);
      if (!tag) throw failed(`the journal ${name} has a result that chatcore did not write: item ${place}`);
      if (!isAnswer && retryErrors) wrong.push(place);
      else done.add(tag, isAnswer);
    }
    done.total = (await check(input, done, await digester())).items;
    const transaction = database.transaction([RUN, RESULTS], 'readwrite', { durability: 'strict' });
    transaction.objectStore(RUN).put(written(identity), RUN);
    for (const place of wrong) transaction.objectStore(RESULTS).delete(place);
    await completed(transaction);
    return new IndexedJournal(name, database, new Supply(input, done), done, unlock);
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * The lines of a Blob or a File as the items of a batch: OpenAI's Batch requests, short forms of them (`{"prompt": …}`,
 * `{"messages": …}`), or prompts as text; plain or packed by gzip. A line sends only what is in it: the defaults of
 * `processBatch` are not added. In Node, Deno and Bun a path can be given, too.
 *
 * ```js page
 * const results = await client.processBatch(jsonLines(input.files[0]), { journal: browserJournal('night') });
 * ```
 */
export function jsonLines(input: string | URL | Blob, options: JsonLinesOptions = {}): JsonLines {
  if (typeof input === 'string' || input instanceof URL) throw refused('paths need Node, Deno or Bun: give a Blob or a File');
  return new LineInput(blobSource(input), options);
}
