// `chatcore/journal` under the condition `node`: journals in files, and the parts that work everywhere.
export { fileJournal, jsonLines } from '../files/file-journal.js';
export type { FileJournalOptions } from '../files/options.js';
export { browserJournal, type BrowserJournal, type BrowserJournalOptions } from '../indexed/browser-journal.js';
export * from '../journal/exports.js';
