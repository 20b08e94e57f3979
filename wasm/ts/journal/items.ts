// The items that were given to `processBatch`, as an input.
import { pause } from '../base/pause.js';
import { LlmError } from '../base/errors.js';
import type { JournalItem, JournalItems, JsonLines } from '../api/journal.js';
import { digester, type Digest } from './digest.js';
import { invalid, refused, said } from './errors.js';
import type { Input, InputLine } from './input.js';
import { LineInput } from './line-input.js';
import { contentOf } from './request.js';

/** @internal The items that were given to `processBatch`. */
export async function inputOf(items: JournalItems): Promise<Input> {
  if (typeof items !== 'object' || items === null) throw invalid('the items of a batch are not an array or another iterable', 'invalid_items');
  const digest = await digester();
  if (items instanceof LineInput) return items.with(digest);
  if ((items as Partial<JsonLines>).isJsonLines) throw refused('the lines are of another copy of chatcore/journal: load it only once');
  if (Symbol.iterator in items) return new ItemInput(Array.from(items), digest);
  const all: JournalItem[] = [];
  for await (const item of items as AsyncIterable<JournalItem>) all.push(item);
  return new ItemInput(all, digest);
}

/** How many items are read before other work of the host may run. */
const BLOCK = 500;

class ItemInput implements Input {
  readonly name = 'the list of items';
  readonly unit = 'item';
  readonly refusesBadLines = false;
  // The defaults of `processBatch` for prompts and conversations, which natively no run has.
  readonly identity = { defaults: 'processBatch' };
  readonly #items: readonly JournalItem[];
  readonly #digest: Digest;

  constructor(items: readonly JournalItem[], digest: Digest) {
    this.#items = items;
    this.#digest = digest;
  }

  async *blocks(): AsyncGenerator<readonly InputLine[]> {
    for (let at = 0; at < this.#items.length; at += BLOCK) {
      if (at > 0) await pause();
      yield this.#items.slice(at, at + BLOCK).map((item, index) => new ItemLine(item, at + index + 1, this.#digest));
    }
  }
}

class ItemLine implements InputLine {
  readonly place: number;
  readonly #item: JournalItem;
  readonly #digest: Digest;
  readonly #content: { name?: string | undefined; text: string };
  readonly #flaw: LlmError | undefined;

  constructor(item: JournalItem, place: number, digest: Digest) {
    this.place = place;
    this.#item = item;
    this.#digest = digest;
    try {
      this.#content = contentOf(item);
    } catch (error) {
      this.#content = { text: '' };
      this.#flaw = invalid(`item ${place} cannot be run: ${error instanceof LlmError ? error.message : `it cannot be written as JSON: ${said(error)}`}`);
    }
  }

  get bytes(): number {
    return this.#content.text.length;
  }

  digest(): bigint {
    return this.#digest(this.#content.text);
  }

  name(): string | undefined {
    if (this.#flaw) throw this.#flaw;
    return this.#content.name;
  }

  checkedName(): string | undefined {
    return this.name();
  }

  request(): JournalItem {
    if (this.#flaw) throw this.#flaw;
    return this.#item;
  }
}
