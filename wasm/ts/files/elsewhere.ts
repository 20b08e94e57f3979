// `fileJournal` where there are no files.
import { refused } from '../journal/errors.js';
import type { JournalPlace } from '../journal/kept.js';
import type { FileJournalOptions } from './options.js';

/** Throws, because files need Node, Deno or Bun. In a page, use `browserJournal`. */
export function fileJournal(output: string | URL, _options?: FileJournalOptions): JournalPlace {
  throw refused(`${String(output)} cannot be written: fileJournal needs Node, Deno or Bun; in a page, use browserJournal`);
}
