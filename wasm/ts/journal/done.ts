// Keeps track of the lines of the input that have a result: a bitmap and a checksum for each block of lines.
import type { Counts } from './journal.js';
import type { Tag } from './tag.js';

/** @internal How many lines share a checksum. */
export const BLOCK = 1024;

interface Block { readonly bits: Uint32Array; sum: bigint; hasErrors: boolean }

/** @internal A line's part of its block's checksum. It depends on the line's position, so that swapped lines change the sum. */
export const sum = (place: number, digest: bigint) => BigInt.asUintN(64, digest * BigInt(2 * (place % BLOCK) + 1));

/** @internal The lines of the input that have a result. Blocks without a result take no memory. */
export class Done {
  readonly #blocks = new Map<number, Block>();
  total: number | undefined;
  #done = 0;
  #failed = 0;
  #inputTokens = 0;
  #outputTokens = 0;
  /** The last line that has a result; 0 if there is none. */
  last = 0;

  /** Records that a line has a result. Returns whether it is the line's first one. */
  add({ place, digest, inputTokens, outputTokens }: Tag, isAnswer: boolean): boolean {
    const number = Math.floor(place / BLOCK);
    let block = this.#blocks.get(number);
    if (!block) this.#blocks.set(number, block = { bits: new Uint32Array(BLOCK / 32), sum: 0n, hasErrors: false });
    const [word, bit] = position(place);
    if (block.bits[word]! & bit) return false;
    block.bits[word]! |= bit;
    block.sum = BigInt.asUintN(64, block.sum + sum(place, digest));
    block.hasErrors ||= !isAnswer;
    this.last = Math.max(this.last, place);
    if (isAnswer) this.#done += 1;
    else this.#failed += 1;
    this.#inputTokens += inputTokens;
    this.#outputTokens += outputTokens;
    return true;
  }

  /** Whether a line has a result. */
  has(place: number): boolean {
    const [word, bit] = position(place);
    return ((this.#blocks.get(Math.floor(place / BLOCK))?.bits[word] ?? 0) & bit) !== 0;
  }

  /** The checksum of a block. */
  sumOf(block: number): bigint {
    return this.#blocks.get(block)?.sum ?? 0n;
  }

  /** Whether any line of a block has an error as its result. */
  hasErrors(block: number): boolean {
    return this.#blocks.get(block)?.hasErrors ?? false;
  }

  counts(): Counts {
    return {
      ...this.total !== undefined && { total: this.total },
      done: this.#done, failed: this.#failed, inputTokens: this.#inputTokens, outputTokens: this.#outputTokens,
    };
  }
}

const position = (place: number): [word: number, bit: number] => [(place % BLOCK) >>> 5, 1 << (place % 32)];
