// The items of a batch, which may be read several times.
import type { JournalItem } from '../api/journal.js';

/** @internal One item of an input. What it needs is computed on demand. */
export interface InputLine {
  /** The item's number, from 1. */
  readonly place: number;
  /** How much memory the item takes, about. */
  readonly bytes: number;
  /** The digest of the item's content. */
  digest(): bigint;
  /** The item's own name. Throws an LlmError if the item cannot be read. */
  name(): string | undefined;
  /** The same, but throws for a misspelt field, too. If the item was checked in an earlier run, only its name is read. */
  checkedName(isKnown: boolean): string | undefined;
  /** The request. Throws an LlmError. */
  request(): JournalItem;
}

/** @internal */
export interface Input {
  /** Its name in messages. */
  readonly name: string;
  /** The path of its file, if it has one. */
  readonly path?: string | undefined;
  /** What an item is called in messages. */
  readonly unit: 'line' | 'item';
  /** Whether a line that is no request refuses the whole input. */
  readonly refusesBadLines: boolean;
  /** Settings of the input that a resumed run must have in common. */
  readonly identity: Readonly<Record<string, string>>;
  /** Reads the items, some at a time. */
  blocks(): AsyncIterable<readonly InputLine[]>;
}

/** @internal The default name of an item. */
export const ownName = (place: number) => `request-${place}`;
