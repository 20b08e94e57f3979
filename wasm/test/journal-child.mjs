// Runs a batch in files, and may be killed: node journal-child.mjs BASE INPUT OUTPUT.
import { fileJournal, jsonLines } from '../dist/journal-node.js';
import { LlmClient } from '../dist/node.js';
import { options } from './batches.mjs';

const [base, input, output] = process.argv.slice(2);
const client = new LlmClient(options(base));
await client.processBatch(jsonLines(input), { concurrency: 8, journal: fileJournal(output) });
