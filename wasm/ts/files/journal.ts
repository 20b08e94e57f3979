// A journal in files: the output is the journal. The same files as Rust's `journal/files`, so that either can resume the
// other's runs.
//
//  out.jsonl          a line for each answer, in the order in which they come
//  out.errors.jsonl   a line for each error
//  out.jsonl.run      what a run must have in common with the one that it resumes
//  out.jsonl.lock     one process at a time
import { LlmError } from '../base/errors.js';
import type { Done } from '../journal/done.js';
import { failed, said } from '../journal/errors.js';
import type { Claim, Counts, Lease, Outcome, Recorded } from '../journal/journal.js';
import type { OpenJournal } from '../journal/kept.js';
import { lines } from '../journal/lines.js';
import { readLine } from '../journal/read-line.js';
import { resultLine } from '../journal/result-line.js';
import type { Supply } from '../journal/supply.js';
import { tagOf } from '../journal/tag.js';
import { fs, readStream, unlessMissing } from './node.js';
import type { Writer } from './writer.js';

/** @internal The outputs of a writer. */
export const [ANSWERS, ERRORS] = [0, 1];

/** @internal */
export class FilesJournal implements OpenJournal {
  readonly #supply: Supply;
  readonly #writer: Writer;
  readonly #done: Done;
  readonly #paths: readonly string[];
  readonly #unlock: () => void;
  #isClosed = false;

  constructor(supply: Supply, writer: Writer, done: Done, paths: readonly string[], unlock: () => void) {
    this.#supply = supply;
    this.#writer = writer;
    this.#done = done;
    this.#paths = paths;
    this.#unlock = unlock;
  }

  async claim(): Promise<Claim> {
    // No items are handed out after a write has failed, because their results could not be written.
    this.#writer.check();
    return this.#supply.claim();
  }

  async record(lease: Lease, outcome: Outcome): Promise<Recorded> {
    if (this.#isClosed) throw failed('the journal is closed');
    this.#writer.check();
    if (!this.#done.add(tagOf(outcome), outcome.result.ok)) return 'already';
    this.#supply.ended(lease);
    await this.#writer.write(outcome.result.ok ? ANSWERS : ERRORS, resultLine(outcome));
    return 'first';
  }

  async release(lease: Lease): Promise<void> {
    this.#supply.release(lease);
  }

  sync(): Promise<void> {
    return this.#writer.sync();
  }

  async progress(): Promise<Counts> {
    return this.#done.counts();
  }

  async *outcomes(): AsyncGenerator<Outcome, void, undefined> {
    await this.#writer.sync();
    const decoder = new TextDecoder();
    for (const path of this.#paths) {
      if (!await unlessMissing(fs.stat(path))) continue;
      try {
        for await (const block of lines(readStream(path, { highWaterMark: 1 << 18 }))) {
          for (const { bytes } of block) {
            const outcome = readLine(decoder.decode(bytes));
            if (outcome) yield outcome;
          }
        }
      } catch (error) {
        throw error instanceof LlmError ? error : failed(`${path} cannot be read: ${said(error)}`, error);
      }
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#supply.close();
    try {
      await this.#writer.close();
    } finally {
      this.#unlock();
    }
  }

  async [Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')](): Promise<void> {
    await this.close();
  }
}
