// Hands out the remaining items in chunks, which are read from the input on demand.
import { LlmError } from '../base/errors.js';
import type { Done } from './done.js';
import { failed } from './errors.js';
import { ownName, type Input, type InputLine } from './input.js';
import type { Claim, Item, Lease } from './journal.js';

/** The maximum size of a chunk, in items and in bytes: small enough to hold in memory. */
const CHUNK_ITEMS = 256;
const CHUNK_BYTES = 4 << 20;

/** The items of a lease, and how many of them have no result yet. */
interface Range { readonly first: number; readonly last: number; left: number }

/** @internal Hands out the items that have no result. */
export class Supply {
  readonly #input: Input;
  readonly #done: Done;
  #reader: AsyncIterator<readonly InputLine[]> | undefined;
  #block: readonly InputLine[] = [];
  #at = 0;
  readonly #leases = new Map<number, Range>();
  #nextChunk = 0;
  /** Whether items without a result were skipped because they were leased, or were released. Another pass reads them. */
  #isLeftBehind = false;
  #isClosed = false;
  /** Claims are answered one after another. */
  #last: Promise<unknown> = Promise.resolve();
  #wake = () => {};

  constructor(input: Input, done: Done) {
    this.#input = input;
    this.#done = done;
  }

  /** The next chunk. At the end of the input this waits until all leases have ended, because released items are handed out again. */
  claim(): Promise<Claim> {
    const claim = this.#last.then(() => this.#claim());
    this.#last = claim.catch(() => {});
    return claim;
  }

  async #claim(): Promise<Claim> {
    for (;;) {
      if (this.#isClosed) return { type: 'end' };
      const items = await this.#read();
      if (this.#isClosed) return { type: 'end' };
      if (items.length > 0) return this.#lease(items);
      if (this.#leases.size > 0) {
        await new Promise<void>((resolve) => { this.#wake = resolve; });
      } else if (!this.#isLeftBehind) {
        return this.#end();
      }
      if (this.#isLeftBehind && this.#leases.size === 0) {
        this.#isLeftBehind = false;
        this.#reader = undefined;
      }
    }
  }

  /** At the end of the input every item must have a result. */
  #end(): Claim {
    const { total = 0, done, failed: wrong } = this.#done.counts();
    const missing = total - done - wrong;
    if (missing <= 0) return { type: 'end' };
    throw failed(`${this.#input.name} has become shorter since it was checked: ${missing} of its items are missing; give the whole input, then resume`,
      undefined, 'another_input');
  }

  async #read(): Promise<Item[]> {
    const items: Item[] = [];
    let bytes = 0;
    while (items.length < CHUNK_ITEMS && bytes < CHUNK_BYTES) {
      if (this.#at === this.#block.length) {
        this.#reader ??= this.#input.blocks()[Symbol.asyncIterator]();
        const next = await this.#reader.next();
        if (next.done) break;
        this.#block = next.value;
        this.#at = 0;
        continue;
      }
      const line = this.#block[this.#at]!;
      this.#at += 1;
      if (this.#isWanted(line.place)) {
        items.push(itemOf(line));
        bytes += line.bytes;
      }
    }
    return items;
  }

  #isWanted(place: number): boolean {
    if (this.#done.has(place)) return false;
    for (const { first, last } of this.#leases.values()) {
      if (first <= place && place <= last) {
        this.#isLeftBehind = true;
        return false;
      }
    }
    return true;
  }

  #lease(items: Item[]): Claim {
    const chunk = this.#nextChunk;
    this.#nextChunk += 1;
    this.#leases.set(chunk, { first: items[0]!.place, last: items.at(-1)!.place, left: items.length });
    return { type: 'items', lease: { chunk, fence: 0 }, items };
  }

  /** Called when an item of a lease was recorded. */
  ended({ chunk }: Lease): void {
    const range = this.#leases.get(chunk as number);
    if (!range) return;
    range.left -= 1;
    if (range.left === 0) {
      this.#leases.delete(chunk as number);
      this.#wake();
    }
  }

  /** Releases a lease with its remaining items. */
  release({ chunk }: Lease): void {
    if (!this.#leases.delete(chunk as number)) return;
    this.#isLeftBehind = true;
    this.#wake();
  }

  /** Hands out nothing more. */
  close(): void {
    this.#isClosed = true;
    this.#wake();
    const reader = this.#reader;
    this.#reader = undefined;
    // An error of the input is ignored, because nobody waits for an item any more.
    void Promise.resolve(reader?.return?.()).catch(() => {});
  }
}

/** @internal */
export function itemOf(line: InputLine): Item {
  let id = ownName(line.place);
  const tag = line.digest();
  try {
    id = line.name() ?? id;
    return { place: line.place, id, tag, request: line.request() };
  } catch (error) {
    if (!(error instanceof LlmError)) throw error;
    return { place: line.place, id, tag, request: error };
  }
}
