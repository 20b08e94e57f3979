// Redacts secrets in errors and response headers. The core redacts the secrets that it knows. This file redacts the
// others: the caller's headers, keys that a function returned, passwords of proxies.
import { AbortError, ClosedError, type LlmError } from '../base/errors.js';
import { running, type ModuleName } from '../border/load.js';

/** How many keys that a function returned are remembered. */
const KEYS = 100;

let ofHost: () => readonly string[] = () => [];

/** @internal Called by an entry that sends other secrets, such as a proxy's password. */
export function setHostSecrets(secrets: () => readonly string[]): void {
  ofHost = secrets;
}

function hostSecrets(): readonly string[] {
  try {
    return ofHost();
  } catch {
    // The host does not allow its environment to be read.
    return [];
  }
}

type Redact = (secrets: readonly string[], texts: readonly string[]) => readonly string[];

/** @internal The secrets of one client. */
export class Guard {
  readonly #secrets: readonly string[];
  readonly #keys = new Set<string>();
  readonly #redact: Redact;

  /** `module` is the module that the client uses. */
  constructor(secrets: readonly string[], module: ModuleName) {
    this.#secrets = secrets;
    this.#redact = (all, texts) => redact(module, all, texts);
  }

  /** Remembers a key that a function returned. */
  note(key: string): void {
    this.#keys.delete(key);
    this.#keys.add(key);
    if (this.#keys.size > KEYS) for (const oldest of this.#keys) { this.#keys.delete(oldest); break; }
  }

  /** Redacts all secrets, and those of one call, in the values of headers. */
  cleanHeaders(headers: Readonly<Record<string, string>>, ofCall: readonly string[]): Record<string, string> {
    const names = Object.keys(headers);
    const secrets = this.#all(ofCall);
    const values = secrets.length > 0 ? this.#redact(secrets, Object.values(headers)) : Object.values(headers);
    return Object.fromEntries(names.map((name, n) => [name, values[n]!]));
  }

  #all(ofCall: readonly string[]): string[] {
    return [...this.#secrets, ...this.#keys, ...ofCall, ...hostSecrets()];
  }

  /** Redacts all secrets, and those of one call, in an error and its causes. */
  clean<E extends LlmError>(error: E, ofCall: readonly string[]): E {
    if (error instanceof AbortError || error instanceof ClosedError) return error;
    const secrets = this.#all(ofCall);
    if (secrets.length === 0) return error;
    const fields = ['message', 'providerCode', 'param', 'requestId', 'body'] as const;
    const held = fields.filter((name) => typeof error[name] === 'string');
    this.#redact(secrets, held.map((name) => error[name] as string)).forEach((text, n) => {
      const name = held[n]!;
      if (text === error[name]) return;
      Object.defineProperty(error, name, { value: text, enumerable: name !== 'message', configurable: true, writable: true });
    });
    const cause = cleanCause((texts) => this.#redact(secrets, texts), error.cause, 0);
    if (cause !== error.cause) Object.defineProperty(error, 'cause', { value: cause, configurable: true, writable: true });
    return error;
  }
}

/** The cause of an error, or a redacted copy of it if it shows a secret. */
function cleanCause(clean: (texts: readonly string[]) => readonly string[], cause: unknown, depth: number): unknown {
  if (!(cause instanceof Error) || depth > 4) return cause;
  const { message, stack = '' } = cause;
  const [cleanMessage, cleanStack] = clean([message, stack]);
  const inner = cleanCause(clean, cause.cause, depth + 1);
  if (cleanMessage === message && cleanStack === stack && inner === cause.cause) return cause;
  const copy = Object.create(Object.getPrototypeOf(cause) as object, Object.getOwnPropertyDescriptors(cause)) as Error;
  for (const [name, value] of [['message', cleanMessage], ['stack', cleanStack], ['cause', inner]] as const) {
    if (value !== undefined) Object.defineProperty(copy, name, { value, configurable: true, writable: true });
  }
  return copy;
}

function redact(module: ModuleName, secrets: readonly string[], texts: readonly string[]): readonly string[] {
  let core: ReturnType<typeof running>;
  try {
    core = running(module);
  } catch { /* none can be made */ }
  if (!core) return texts;
  const { bindings } = core;
  return JSON.parse(core.enter(() => bindings.redact(JSON.stringify(secrets), JSON.stringify(texts)))) as string[];
}
