// Errors of journals. `providerCode` says the reason in one word, the same as natively.
import { InvalidInputError, LlmError } from '../base/errors.js';

/** @internal A journal cannot be opened. */
export const refused = (message: string, providerCode?: string, cause?: unknown) => new LlmError(message, { code: 'config', providerCode, cause });

/** @internal A journal could not be read or written. */
export const failed = (message: string, cause?: unknown, providerCode?: string) => new LlmError(message, { code: 'journal', providerCode, cause });

/** @internal An item or the input is wrong. */
export const invalid = (message: string, providerCode = 'invalid_line') => new InvalidInputError(message, { code: 'invalid_input', providerCode });

/** @internal The text of what was thrown. */
export const said = (error: unknown) => (error instanceof Error ? error.message : String(error));
