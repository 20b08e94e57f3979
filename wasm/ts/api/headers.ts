// The caller's headers. They replace the core's headers here, and never enter the core.
import type { CallContext } from '../border/call-context.js';
import { invalidInput, type LlmError } from '../base/errors.js';
import { namesCredential } from './secrets.js';
import { CLIENT_HEADERS, CONNECTION_HEADERS, PROVIDERS } from '../base/tables.js';

type Fetch = typeof globalThis.fetch;

/** @internal Header values by names in lower case. */
export type Headers = Readonly<Record<string, string>>;

// These headers belong to the connection.
const CONNECTION: ReadonlySet<string> = new Set(CONNECTION_HEADERS);

const NAME = /^[\w!#$%&'*+.^`|~-]+$/;
// The characters that a trimmed value may have.
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** @internal Checks headers: an object, or pairs as in `Headers` and `Map`. Errors name a header, but not its value, which may be a secret. */
export function plain(given: object, fail: (message: string) => LlmError): Headers {
  const headers = new Map<string, string>();
  const pairs = Symbol.iterator in given ? given as Iterable<unknown> : Object.entries(given).filter(([, value]) => value !== undefined);
  for (const pair of pairs) {
    const [label, value] = Array.isArray(pair) ? pair as readonly unknown[] : [];
    if (typeof label !== 'string' || !NAME.test(label) || typeof value !== 'string' || !VALUE.test(value.trim())) {
      throw fail(`the header ${JSON.stringify(label)} cannot be sent: its name or value is not valid in a header`);
    }
    const name = label.toLowerCase();
    if (CONNECTION.has(name)) throw fail(`the header ${name} cannot be set: it belongs to the connection`);
    headers.set(name, value.trim());
  }
  return Object.fromEntries(headers);
}

/** @internal The rules for the headers of one call. */
export interface HeaderRules {
  /** The headers that only the client sets: the key, the body's type, and the dialect's headers that the client did not replace. */
  reserved: ReadonlySet<string>;
  /** Whether requests could be read on the way. */
  isOpen: boolean;
}

/** @internal The rules for the calls of a client of this provider, with the client's own headers. */
export function headerRules(provider: string, ofClient: Headers, isOpen: boolean): HeaderRules {
  const known: Readonly<Record<string, { headers: readonly string[] } | undefined>> = PROVIDERS;
  const ofDialect = (known[provider]?.headers ?? []).filter((name) => !Object.hasOwn(ofClient, name));
  return { reserved: new Set([...CLIENT_HEADERS, ...ofDialect]), isOpen };
}

/** @internal Checks the headers of one call. */
export function ofCall(given: object, { reserved, isOpen }: HeaderRules): Headers {
  const headers = plain(given, invalidInput);
  for (const name in headers) {
    if (reserved.has(name)) throw invalidInput(`the header ${name} cannot be set for one call; the client sets it for all calls`);
    if (isOpen && namesCredential(name)) {
      throw invalidInput(`the header ${name} would be sent unencrypted: use https, or set allowHttp: true, if you trust the network`);
    }
  }
  return headers;
}

/** @internal A function like `fetch` for the core, which adds the headers of the client and of the call. */
export function adding(fetch: Fetch, ofClient: Headers) {
  const none = Object.keys(ofClient).length === 0;
  return (url: string, init: RequestInit, context?: CallContext): Promise<Response> => fetch(url, none && !context?.headers ? init
    : { ...init, headers: { ...init.headers as Headers, ...ofClient, ...context?.headers } });
}
