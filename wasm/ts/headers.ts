// The caller's headers. They are put over those of the core here, and never enter it.
import { badRequest, type LlmError } from './errors.js';

type Fetch = typeof globalThis.fetch;

/** @internal Names in small letters, and values. */
export type Headers = Readonly<Record<string, string>>;

// These belong to the connection.
const CONNECTION: ReadonlySet<string> = new Set(('connection content-length expect host keep-alive proxy-connection te trailer '
  + 'transfer-encoding upgrade').split(' '));
// These belong to the client: the key, the body's type and the version.
const CLIENT: ReadonlySet<string> = new Set(('authorization content-encoding content-type proxy-authorization x-api-key '
  + 'anthropic-version anthropic-dangerous-direct-browser-access').split(' '));

const NAME = /^[\w!#$%&'*+.^`|~-]+$/;
// What a header's value may hold, once it is trimmed.
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** @internal Checks headers. Errors name a header, but not its value, which may be a secret. */
export function plain(given: object, fail: (message: string) => LlmError): Headers {
  const headers: Record<string, string> = {};
  for (const [label, value] of Object.entries(given) as [string, unknown][]) {
    if (value === undefined) continue;
    if (!NAME.test(label) || typeof value !== 'string' || !VALUE.test(value.trim())) {
      throw fail(`the header ${JSON.stringify(label)} cannot be sent: its name or its value is none of a header's`);
    }
    const name = label.toLowerCase();
    if (CONNECTION.has(name)) throw fail(`the header ${name} cannot be set: it belongs to the connection`);
    headers[name] = value.trim();
  }
  return headers;
}

/** @internal Checks the headers of one call. */
export function ofCall(given: object): Headers {
  const headers = plain(given, badRequest);
  for (const name in headers) {
    if (CLIENT.has(name)) throw badRequest(`the header ${name} cannot be set for one call; the client has it for all`);
  }
  return headers;
}

/** @internal A function like `fetch` for the core, which adds the headers of the client, and those of the call. */
export function adding(fetch: Fetch, ofClient: Headers) {
  const none = Object.keys(ofClient).length === 0;
  return (url: string, init: RequestInit, ofCall?: Headers): Promise<Response> => fetch(url, none && !ofCall ? init
    : { ...init, headers: { ...init.headers as Headers, ...ofClient, ...ofCall } });
}
