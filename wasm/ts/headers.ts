// The caller's headers. They are put over those of the core here, and never enter it.
import { badRequest, type LlmError } from './errors.js';
import { namesCredential } from './secrets.js';
import { CLIENT_HEADERS, CONNECTION_HEADERS, PROVIDERS } from './tables.js';

type Fetch = typeof globalThis.fetch;

/** @internal Names in small letters, and values. */
export type Headers = Readonly<Record<string, string>>;

// These belong to the connection.
const CONNECTION: ReadonlySet<string> = new Set(CONNECTION_HEADERS);
// These belong to the client: the key, the body's type and what a dialect sets.
const CLIENT: ReadonlySet<string> = new Set([...CLIENT_HEADERS, ...Object.values(PROVIDERS).flatMap(({ headers }) => headers)]);

const NAME = /^[\w!#$%&'*+.^`|~-]+$/;
// What a header's value may hold, once it is trimmed.
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** @internal Checks headers. Errors name a header, but not its value, which may be a secret. */
export function plain(given: object, fail: (message: string) => LlmError): Headers {
  const headers = new Map<string, string>();
  for (const [label, value] of Object.entries(given) as [string, unknown][]) {
    if (value === undefined) continue;
    if (!NAME.test(label) || typeof value !== 'string' || !VALUE.test(value.trim())) {
      throw fail(`the header ${JSON.stringify(label)} cannot be sent: its name or its value is none of a header's`);
    }
    const name = label.toLowerCase();
    if (CONNECTION.has(name)) throw fail(`the header ${name} cannot be set: it belongs to the connection`);
    headers.set(name, value.trim());
  }
  return Object.fromEntries(headers);
}

/** @internal Checks the headers of one call. `isOpen`: what is sent could be read on the way. */
export function ofCall(given: object, isOpen: boolean): Headers {
  const headers = plain(given, badRequest);
  for (const name in headers) {
    if (CLIENT.has(name)) throw badRequest(`the header ${name} cannot be set for one call; the client has it for all`);
    if (isOpen && namesCredential(name)) {
      throw badRequest(`the header ${name} would be sent unencrypted: use https, or set allowHttp: true, if you trust the network`);
    }
  }
  return headers;
}

/** @internal A function like `fetch` for the core, which adds the headers of the client, and those of the call. */
export function adding(fetch: Fetch, ofClient: Headers) {
  const none = Object.keys(ofClient).length === 0;
  return (url: string, init: RequestInit, ofCall?: Headers): Promise<Response> => fetch(url, none && !ofCall ? init
    : { ...init, headers: { ...init.headers as Headers, ...ofClient, ...ofCall } });
}
