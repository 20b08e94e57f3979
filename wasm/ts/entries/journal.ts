// `chatcore/journal` outside of Node: a journal in the browser's storage, and the parts that work everywhere.
export { browserJournal, jsonLines, type BrowserJournal, type BrowserJournalOptions } from '../indexed/browser-journal.js';
export { fileJournal } from '../files/elsewhere.js';
export type { FileJournalOptions } from '../files/options.js';
export * from '../journal/exports.js';
