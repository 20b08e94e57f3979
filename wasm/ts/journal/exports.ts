// The public exports of `chatcore/journal` that every host has.
export { journalFrom, type JournalBatch } from './own.js';
export { JournalRun, processJournal, type Finished, type JournalRunOptions } from './run.js';
export type { Claim, Counts, Item, Journal, Lease, Outcome, Recorded, Renewal } from './journal.js';
export type { JournalPlace, OpenJournal } from './kept.js';
export type { JsonLinesOptions } from './line-input.js';
export type { Identity } from './settings.js';
export type { BatchClient, BatchJournal, BatchRequest, JournalItem, JournalItems, JournalOptions, JsonLines } from '../api/journal.js';
