// IndexedDB with promises.
import { failed, said } from '../journal/errors.js';

/** @internal The stores of a journal's database: the settings of the run, and a line for each result. */
export const [RUN, RESULTS] = ['run', 'results'];

/** @internal A result: the item's number, its line in OpenAI's Batch format, and whether it is an answer. */
export interface Row { readonly place: number; readonly line: string; readonly isAnswer: boolean }

const ADVICE: Readonly<Record<string, string>> = {
  QuotaExceededError: 'the storage of this site is full: free some, then resume',
  VersionError: 'the journal was written by a newer version of chatcore',
  InvalidStateError: 'the browser does not let this page store data, for example in a private window',
  SecurityError: 'the browser does not let this page store data',
};

/** @internal The error of an operation on a journal. */
export function storageError(name: string, what: string, error: unknown): Error {
  const advice = ADVICE[error instanceof DOMException ? error.name : ''] ?? 'results recorded before are kept; resume later';
  return failed(`the journal ${name} could not be ${what}: ${said(error)}; ${advice}`, error);
}

/** @internal */
export const answered = <T>(request: IDBRequest<T>): Promise<T> => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

/** @internal Resolves when the transaction is stored. */
export const completed = (transaction: IDBTransaction): Promise<void> => new Promise((resolve, reject) => {
  transaction.oncomplete = () => resolve();
  transaction.onabort = () => reject(transaction.error ?? new Error('it was aborted'));
});

/** The name of a journal's database. */
const databaseOf = (name: string) => `chatcore journal ${name}`;

/** @internal */
export function openDatabase(name: string): Promise<IDBDatabase> {
  const request = indexedDB.open(databaseOf(name), 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore(RUN);
    request.result.createObjectStore(RESULTS, { keyPath: 'place' });
  };
  return answered(request);
}

/** @internal */
export async function deleteDatabase(name: string): Promise<void> {
  await answered(indexedDB.deleteDatabase(databaseOf(name)));
}

/** How many rows are read at once. */
const ROWS = 1000;

/** @internal All results in the order of their items. */
export async function* rows(database: IDBDatabase): AsyncGenerator<Row, void, undefined> {
  let after = 0;
  for (;;) {
    const store = database.transaction(RESULTS).objectStore(RESULTS);
    const some = await answered(store.getAll(IDBKeyRange.lowerBound(after, true), ROWS)) as Row[];
    yield* some;
    const last = some.at(-1);
    if (!last) return;
    after = last.place;
  }
}
