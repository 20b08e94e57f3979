// Checks the input before anything is sent: counts its items, checks that their names are unique, and compares it with the
// existing results.
import { LlmError } from '../base/errors.js';
import type { Digest } from './digest.js';
import { BLOCK, sum, type Done } from './done.js';
import { invalid, refused } from './errors.js';
import { ownName, type Input } from './input.js';

/** How many unreadable lines are told. */
const TOLD = 5;

/** @internal What the check found. */
export interface Checked {
  readonly items: number;
  /** The errors of the first few items that cannot be run. */
  readonly firstBad: readonly LlmError[];
}

/** @internal Reads the whole input. Throws an LlmError if it is refused. */
export async function check(input: Input, done: Done, digest: Digest): Promise<Checked> {
  const names = new Names();
  const block = new Block(input, done);
  const firstBad: LlmError[] = [];
  let [items, bad, last, haveNames] = [0, 0, 0, false];
  for await (const lines of input.blocks()) {
    for (const line of lines) {
      items += 1;
      last = line.place;
      block.goOn(last, last);
      const isKnown = done.has(last);
      if (isKnown) block.sum = BigInt.asUintN(64, block.sum + sum(last, line.digest()));
      try {
        const name = line.checkedName(isKnown);
        haveNames ||= name !== undefined;
        names.add(digest(name ?? ownName(last)));
      } catch (error) {
        if (!(error instanceof LlmError)) throw error;
        bad += 1;
        if (firstBad.length < TOLD) firstBad.push(error);
      }
    }
  }
  // Checked before the sums, because a damaged result may have any line number.
  if (done.last > last) throw anotherInput(input, `it ends at ${input.unit} ${last}, and ${input.unit} ${done.last} has a result`);
  block.goOn(Infinity, last);
  // If no item has a name of its own, all names are default names, which are unique.
  if (haveNames) await refuseEqual(input, names.repeated(), digest);
  if (bad > 0 && input.refusesBadLines) {
    throw invalid(`${firstBad[0]!.message}${bad > 1 ? ` (${bad} such lines in all)` : ''}; nothing was sent`, firstBad[0]!.providerCode);
  }
  return { items, firstBad };
}

const anotherInput = ({ name }: Input, how: string) => refused(
  `${name} is not the input that the results were made from: ${how}; restore the input, or choose another output`, 'another_input');

/** The block of items that is being read. */
class Block {
  readonly #input: Input;
  readonly #done: Done;
  #number = 0;
  sum = 0n;

  constructor(input: Input, done: Done) {
    this.#input = input;
    this.#done = done;
  }

  /** Moves on to the block of `place`, and compares the sums of the blocks before it. The input was read up to `read`. */
  goOn(place: number, read: number): void {
    const to = Math.floor(place / BLOCK);
    if (to === this.#number) return;
    const end = Math.min(to, Math.floor(this.#done.last / BLOCK) + 1);
    for (; this.#number < end; this.#number += 1) {
      if (this.sum !== this.#done.sumOf(this.#number)) throw anotherInput(this.#input, this.#change(read));
      this.sum = 0n;
    }
    this.#number = Math.max(this.#number, to);
  }

  #change(read: number): string {
    const { unit } = this.#input;
    const first = Math.max(1, this.#number * BLOCK);
    const last = Math.min((this.#number + 1) * BLOCK - 1, read);
    const errors = this.#done.hasErrors(this.#number)
      ? `, where some ${unit}s have an error, which counts as a result; if only such ${unit}s changed, run them again with retryErrors` : '';
    return `it changed between ${unit} ${first} and ${unit} ${last}${errors}`;
  }
}

/** The digests of all names. */
class Names {
  #digests = new BigUint64Array(1024);
  #length = 0;

  add(digest: bigint): void {
    if (this.#length === this.#digests.length) {
      const more = new BigUint64Array(2 * this.#length);
      more.set(this.#digests);
      this.#digests = more;
    }
    this.#digests[this.#length] = digest;
    this.#length += 1;
  }

  /** The digests that occur more than once. Different names may have equal digests. */
  repeated(): Set<bigint> {
    const sorted = this.#digests.subarray(0, this.#length).sort();
    const found = new Set<bigint>();
    for (let at = 1; at < sorted.length; at += 1) if (sorted[at] === sorted[at - 1]) found.add(sorted[at]!);
    return found;
  }
}

/** Refuses names that are really equal. */
async function refuseEqual(input: Input, digests: Set<bigint>, digest: Digest): Promise<void> {
  if (digests.size === 0) return;
  const places = new Map<string, number>();
  let found: { name: string; one: number; other: number } | undefined;
  let more = 0;
  for await (const lines of input.blocks()) {
    for (const line of lines) {
      let name: string;
      try {
        name = line.name() ?? ownName(line.place);
      } catch {
        continue;
      }
      if (!digests.has(digest(name))) continue;
      const one = places.get(name);
      if (one === undefined) places.set(name, line.place);
      else if (found) more += 1;
      else found = { name, one, other: line.place };
    }
  }
  if (!found) return;
  const { unit } = input;
  throw invalid(`${input.name} has the custom_id ${JSON.stringify(found.name)} on ${unit} ${found.one} and on ${unit} ${found.other}`
    + `${more > 0 ? `, and ${more} more are repeated` : ''}: results are matched by custom_id, so give each ${unit} its own`, 'duplicate_custom_id');
}
