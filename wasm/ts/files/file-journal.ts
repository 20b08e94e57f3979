// `fileJournal` and, in Node, `jsonLines`.
// @ts-expect-error: no types of Node's here
import { fileURLToPath as pathOf } from 'node:url';
// @ts-expect-error: no types of Node's here
import * as compression from 'node:zlib';
// @ts-expect-error: no types of Node's here
import { Readable, pipeline as connect } from 'node:stream';
import type { JsonLines } from '../api/journal.js';
import { count, known } from '../api/helpers.js';
import { refused } from '../journal/errors.js';
import { Kept, type JournalPlace } from '../journal/kept.js';
import { LineInput, type ByteSource, type JsonLinesOptions } from '../journal/line-input.js';
import { blobSource } from '../journal/blob.js';
import type { FileJournalOptions } from './options.js';
import { openFiles } from './open.js';
import { fs, readStream } from './node.js';

const fileURLToPath = pathOf as (url: string | URL) => string;
type Bytes = AsyncIterable<Uint8Array>;
const zlib = compression as { createGunzip(): Bytes; createZstdDecompress?(): Bytes };
const from = (Readable as { from(bytes: Bytes): unknown }).from;
const pipeline = connect as (from: unknown, to: unknown, done: (error?: unknown) => void) => void;

const pathFor = (path: string | URL) => (typeof path === 'string' ? path : fileURLToPath(path));

/** `out.errors.jsonl` for `out.jsonl`. */
function errorsPath(output: string): string {
  const [, folder, stem, extension = ''] = /^(.*[\\/])?([^\\/]+?)(\.[^.\\/]*)?$/.exec(output) ?? [undefined, '', output];
  return `${folder ?? ''}${stem}.errors${extension}`;
}

/**
 * A place for the results of a batch in files of OpenAI's Batch format. The file of answers is the journal: the same call
 * resumes the run, regardless of what ended it. The program `chatcore` reads and writes the same files. Only in Node, Deno
 * and Bun.
 *
 * ```js
 * const results = await client.processBatch(prompts, { journal: fileJournal('out.jsonl') });
 * ```
 */
export function fileJournal(output: string | URL, options: FileJournalOptions = {}): JournalPlace {
  const path = pathFor(output);
  const { errors = errorsPath(path), force = false, retryErrors = false, sync = {}, ...unknown } = known(options);
  for (const name in unknown) throw refused(`unknown option ${name}`);
  const { lines = 1000, intervalMs = 100 } = known(sync);
  if (!(intervalMs >= 0 && intervalMs < Infinity)) throw new RangeError(`sync.intervalMs is ${intervalMs}; it must be a number of milliseconds, at least 0`);
  const settings = { output: path, errors, force, retryErrors, every: { lines: count('sync.lines', lines), intervalMs } };
  return new Kept((input, identity) => openFiles(settings, input, input.path, identity));
}

/**
 * The lines of a file as the items of a batch: OpenAI's Batch requests, short forms of them (`{"prompt": …}`,
 * `{"messages": …}`), or prompts as text; plain or packed by gzip or zstd (zstd needs Node 22.15). A line sends only what is
 * in it: the defaults of `processBatch` are not added. A Blob can be given instead of a path.
 *
 * ```js
 * const results = await client.processBatch(jsonLines('in.jsonl'), { journal: fileJournal('out.jsonl') });
 * ```
 */
export function jsonLines(input: string | URL | Blob, options: JsonLinesOptions = {}): JsonLines {
  return new LineInput(typeof input === 'string' || input instanceof URL ? fileSource(pathFor(input)) : blobSource(input), options);
}

const fileSource = (path: string): ByteSource => ({ name: path, path, open: () => read(path) });

async function* read(path: string): AsyncGenerator<Uint8Array> {
  if (!(await fs.stat(path)).isFile()) throw refused(`${path} is not a file, but the lines are read twice: write them to a file first`);
  const bytes = readStream(path, { highWaterMark: 1 << 18 })[Symbol.asyncIterator]();
  const first = await bytes.next();
  if (first.done) return;
  const whole = async function* () {
    yield first.value;
    yield* { [Symbol.asyncIterator]: () => bytes };
  };
  yield* unpacked(path, first.value, whole());
}

function unpacked(path: string, [a, b, c, d]: Uint8Array, bytes: Bytes): Bytes {
  const isZstd = a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd;
  if (!(a === 0x1f && b === 0x8b) && !isZstd) return bytes;
  const unpack = isZstd ? zlib.createZstdDecompress?.() : zlib.createGunzip();
  if (!unpack) throw refused(`${path} is packed by zstd, which this version of Node cannot read: unpack it, or use Node 22.15`);
  // An error of the file is thrown by the reader of `unpack`.
  pipeline(from(bytes), unpack, () => {});
  return unpack;
}
