// Scans a file of results: which items have a result, and where the file is damaged. The same rules as Rust's
// `journal/files/scan.rs`.
import { refused } from '../journal/errors.js';
import type { Done } from '../journal/done.js';
import { LONGEST_TAG, isBegun, readTag, type Tag } from '../journal/tag.js';
import { refusedFile } from './disk.js';
import { fs, unlessMissing, type FileHandle } from './node.js';

const [NEWLINE, RETURN, BRACE, SPACE] = [10, 13, 0x7d, 32];

/** How many bytes are read at once. */
const BUFFER = 1 << 20;

/** The longest line of results. */
const LONGEST = 1 << 29;

/** @internal The result of scanning a file of results. */
export interface Scanned {
  /** The length of the file up to the end of its last whole line. */
  length: number;
  /**
   * Where damaged lines before `length` are. They arise if a power loss happens after later pages of the file reached the
   * disk, but before earlier ones did.
   */
  damaged: (readonly [from: number, to: number])[];
}

/**
 * @internal
 * Records every result of a file in `done`. Only two things count as damage: zeros, which a power loss leaves in place of
 * unwritten pages, and a last line without a line end that begins like the journal's lines. Any other line that is not a
 * result is an error, because the file may belong to another program.
 */
export async function scan(path: string, isAnswer: boolean, done: Done): Promise<Scanned> {
  let file: FileHandle | undefined;
  try {
    file = await unlessMissing(fs.open(path, 'r'));
    if (!file) return { length: 0, damaged: [] };
    const foreign = await scanFile(file, isAnswer, done);
    if (typeof foreign !== 'number') return foreign;
    throw refused(`line ${foreign} of ${path} is not as chatcore writes results: choose another file, or, if a program has rewritten it, `
      + 'restore it as it was', 'foreign_output');
  } catch (error) {
    throw error instanceof Error && 'providerCode' in error ? error : refusedFile(path, 'read', error);
  } finally {
    await file?.close();
  }
}

/** Returns the number of a line that the journal cannot have written, if there is one. */
async function scanFile(file: FileHandle, isAnswer: boolean, done: Done): Promise<Scanned | number> {
  let buffer = new Uint8Array(BUFFER);
  const scanned: Scanned = { length: 0, damaged: [] };
  // The buffer's offset in the file, the number of its first line, and whether it has zeros.
  let [filled, offset, number, hasZeros] = [0, 0, 1, false];
  for (;;) {
    const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, null);
    if (bytesRead === 0) {
      if (!mayBeCut(buffer.subarray(0, filled))) return number;
      scanned.damaged = scanned.damaged.filter(([from]) => from < scanned.length);
      return scanned;
    }
    const there = buffer.subarray(0, filled + bytesRead);
    hasZeros ||= there.indexOf(0, filled) >= 0;
    let at = 0;
    for (let end = there.indexOf(NEWLINE, filled); end >= 0; end = there.indexOf(NEWLINE, at)) {
      const line = readLine(there.subarray(at, end), hasZeros);
      if (line === undefined) return number;
      if (line === 'damaged') {
        scanned.damaged.push([offset + at, offset + end + 1]);
      } else {
        if (line !== 'blank') done.add(line, isAnswer);
        scanned.length = offset + end + 1;
      }
      number += 1;
      at = end + 1;
    }
    buffer.copyWithin(0, at, there.length);
    filled = there.length - at;
    offset += at;
    hasZeros &&= buffer.subarray(0, filled).indexOf(0) >= 0;
    if (filled === buffer.length) {
      if (filled >= LONGEST) return number;
      const more = new Uint8Array(2 * filled);
      more.set(buffer);
      buffer = more;
    }
  }
}

const ascii = new TextDecoder('latin1');

/** Reads a line without its line end; undefined if the journal cannot have written it. */
function readLine(bytes: Uint8Array, mayHaveZeros: boolean): Tag | 'blank' | 'damaged' | undefined {
  // An editor or a file transfer may have changed the line ends.
  const line = bytes.at(-1) === RETURN ? bytes.subarray(0, -1) : bytes;
  if (mayHaveZeros && line.includes(0)) return isDamaged(line) ? 'damaged' : undefined;
  const tag = line.at(-1) === BRACE ? readTag(ascii.decode(line.subarray(0, LONGEST_TAG))) : undefined;
  return tag ?? (isBlank(line) ? 'blank' : undefined);
}

const isBlank = (line: Uint8Array) => line.every((byte) => byte === SPACE || (byte >= 9 && byte <= RETURN && byte !== 11));

/**
 * Whether a line with zeros is the remains of a line of the journal: it begins like the journal's lines, and has no
 * control characters, because JSON escapes them.
 */
function isDamaged(line: Uint8Array): boolean {
  const zero = line.indexOf(0);
  return zero >= 0 && begins(line.subarray(0, zero)) && line.subarray(zero).every((byte) => byte === 0 || byte >= SPACE);
}

const begins = (bytes: Uint8Array) => isBegun(ascii.decode(bytes.subarray(0, LONGEST_TAG)));

/** Whether the bytes after the last line end may be a line that was cut. */
const mayBeCut = (rest: Uint8Array) => (begins(rest) && !rest.includes(0)) || isDamaged(rest) || isBlank(rest);

/** @internal Replaces a file by a copy without its damaged lines, in one step. Afterwards `scanned` describes the copy. */
export async function mend(path: string, scanned: Scanned, rename: (from: string, to: string) => Promise<void>): Promise<void> {
  const file = await fs.open(path, 'r');
  const copy = await fs.open(`${path}.mended`, 'w');
  let [at, length] = [0, 0];
  try {
    for (const [from, to] of [...scanned.damaged, [scanned.length, scanned.length] as const]) {
      length += from - at;
      const buffer = new Uint8Array(BUFFER);
      while (at < from) {
        const { bytesRead } = await file.read(buffer, 0, Math.min(BUFFER, from - at), at);
        if (bytesRead === 0) throw new Error('the file has become shorter while it was read');
        await copy.appendFile(buffer.subarray(0, bytesRead));
        at += bytesRead;
      }
      at = to;
    }
    await copy.sync();
  } finally {
    await file.close();
    await copy.close();
  }
  await rename(`${path}.mended`, path);
  scanned.length = length;
  scanned.damaged = [];
}
