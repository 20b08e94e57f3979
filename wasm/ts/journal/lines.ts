// Splits bytes into lines, in constant memory.

/** @internal The longest line, in bytes; providers accept less. */
export const LONGEST_LINE = 64 << 20;

/** @internal A line that is not blank, without its line end and the white space around it. */
export interface RawLine {
  /** The line number, from 1. */
  readonly number: number;
  readonly bytes: Uint8Array;
  /** Whether the line was longer than LONGEST_LINE; `bytes` is then its beginning. */
  readonly isCut: boolean;
}

const NEWLINE = 10;

/** ASCII white space. */
const isSpace = (byte: number | undefined) => byte === 32 || byte === 9 || byte === NEWLINE || byte === 12 || byte === 13;

function trimmed(bytes: Uint8Array): Uint8Array {
  let [from, to] = [0, bytes.length];
  while (from < to && isSpace(bytes[from])) from += 1;
  while (to > from && isSpace(bytes[to - 1])) to -= 1;
  return bytes.subarray(from, to);
}

/** @internal The lines of each chunk. */
export async function* lines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<RawLine[]> {
  const rest = new Rest();
  let number = 0;
  const line = (bytes: Uint8Array): RawLine[] => {
    number += 1;
    const hasMark = number === 1 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
    const text = trimmed(hasMark ? bytes.subarray(3) : bytes);
    return text.length > 0 ? [{ number, bytes: text, isCut: rest.isCut }] : [];
  };
  for await (const chunk of chunks) {
    const block: RawLine[] = [];
    let at = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, at)) {
      const piece = chunk.subarray(at, end);
      block.push(...line(rest.isEmpty ? piece : rest.with(piece)));
      rest.clear();
      at = end + 1;
    }
    if (at < chunk.length) rest.add(chunk.subarray(at));
    if (block.length > 0) yield block;
  }
  if (!rest.isEmpty) {
    const last = line(rest.with(new Uint8Array()));
    if (last.length > 0) yield last;
  }
}

/** The beginning of a line whose end has not come. */
class Rest {
  #pieces: Uint8Array[] = [];
  #length = 0;
  isCut = false;

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  add(piece: Uint8Array): void {
    const room = LONGEST_LINE - this.#length;
    this.isCut ||= piece.length > room;
    const kept = piece.subarray(0, room);
    this.#pieces.push(kept);
    this.#length += kept.length;
  }

  /** The whole line, with its last piece. */
  with(last: Uint8Array): Uint8Array {
    this.add(last);
    const whole = new Uint8Array(this.#length);
    let at = 0;
    for (const piece of this.#pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  }

  clear(): void {
    this.#pieces = [];
    this.#length = 0;
    this.isCut = false;
  }
}
