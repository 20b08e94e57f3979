// Tells by their names which headers and parameters hold a secret.
import { CREDENTIAL_WORDS, PUBLIC_NAMES } from '../base/tables.js';

const PUBLIC: ReadonlySet<string> = new Set(PUBLIC_NAMES);

/** @internal Whether a header or a parameter of this name holds a credential. */
export const namesCredential = (name: string) =>
  mayHoldSecret(name) && CREDENTIAL_WORDS.some((part) => name.toLowerCase().includes(part));

/** @internal Whether the value of a header with this name is redacted in a server's response. */
export const mayHoldSecret = (name: string) => !PUBLIC.has(name.toLowerCase());

/** @internal The values of these headers that are redacted in a server's response. */
export const secretsOf = (headers: Readonly<Record<string, string>> | undefined) =>
  Object.entries(headers ?? {}).filter(([name]) => mayHoldSecret(name)).map(([, value]) => value);
