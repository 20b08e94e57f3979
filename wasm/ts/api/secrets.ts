// Which headers and parameters hold a secret, as far as their names say.
import { CREDENTIAL_WORDS, PUBLIC_NAMES } from '../base/tables.js';

const PUBLIC: ReadonlySet<string> = new Set(PUBLIC_NAMES);

/** @internal Whether a header or a parameter of this name holds a credential. */
export const namesCredential = (name: string) =>
  mayHoldSecret(name) && CREDENTIAL_WORDS.some((part) => name.toLowerCase().includes(part));

/** @internal Whether the value of a header of this name is taken out of what a server says. */
export const mayHoldSecret = (name: string) => !PUBLIC.has(name.toLowerCase());

/** @internal The values among these headers that are taken out of what a server says. */
export const secretsOf = (headers: Readonly<Record<string, string>> | undefined) =>
  Object.entries(headers ?? {}).filter(([name]) => mayHoldSecret(name)).map(([, value]) => value);
