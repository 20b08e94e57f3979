// The error of an answer that does not fit its schema.
import { declared, StreamError } from './errors.js';
import type { SchemaIssue } from './schema.js';
import type { ChatResponse } from './types.js';

/** The answer does not fit its schema: it is no JSON, another JSON, or cut off. Its text is `partialText`. */
export class MismatchError extends StreamError {
  /** The path of the fault, such as `items[2].price`; `.` is the whole value. */
  declare readonly path: string;
  /** What is wrong there. It may quote the answer, and is not printed with the error. */
  declare readonly reason: string;
  /** The JSON of the answer, or the part of it that could be read; null if there is none. Not printed with the error. */
  declare readonly value: unknown;
  /** The whole answer. Not printed with the error. */
  declare readonly response: ChatResponse;
  /** All faults that a validator found. Not printed with the error. */
  declare readonly issues: readonly SchemaIssue[] | undefined;
  /** @internal Whether the model cannot correct it. */
  declare readonly isFinal: boolean;
}
declared({ MismatchError });
