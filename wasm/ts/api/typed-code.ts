// The code for typed answers. Most programs do not need it, so a page loads it with the first schema.
import { LlmError } from '../base/errors.js';
import type { ask, prepare, Values } from '../typed/ask.js';
import type { Wanted } from '../typed/wanted.js';

/** @internal */
export interface TypedCode {
  readonly ask: typeof ask;
  readonly prepare: typeof prepare;
  readonly Values: typeof Values;
  readonly Wanted: Pick<typeof Wanted, 'of'>;
}

let load: (() => TypedCode | Promise<TypedCode>) | undefined;

/** @internal Called by each entry: where the code comes from. */
export function setTyped(from: () => TypedCode | Promise<TypedCode>): void {
  load = from;
}

/** @internal */
export async function typedCode(): Promise<TypedCode> {
  try {
    return await load!();
  } catch (error) {
    throw new LlmError('the code for schemas could not be loaded; is typed.js of the package beside its entry?', { code: 'config', cause: error });
  }
}
