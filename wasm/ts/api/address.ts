// Checks a base URL before anything is sent to it. The core has the same rules (core/src/provider/base_url.rs,
// core/src/host.rs); the tests of both read core/cases/keys.json.
import { PROVIDERS } from '../base/tables.js';
import { unquoted } from '../base/unquote.js';

/** @internal A base URL that passed the checks. */
export interface Address {
  /** The URL that the core gets. */
  url: string;
  host: string;
  /** Whether the scheme is `http`, which requires no key. */
  isPlain: boolean;
  /** Whether requests could be read on the way: `http`, and not on loopback. */
  isOpen: boolean;
  /** The query's parameters. */
  parameters: Readonly<Record<string, string>>;
}

/** @internal Why a base URL or a key does not pass: a code, and the text of a message. */
export class Flaw {
  constructor(readonly code: string, readonly why: string) {}
}

const flaw = (code: string, why: string) => new Flaw(code, why);

/** @internal Parses a base URL; in a page it may be relative to `page`. */
export function address(given: string, page?: string): Address | Flaw {
  let url = unquoted(given);
  if (page !== undefined && url && !/^[a-z][a-z\d+.-]*:/i.test(url)) {
    try {
      url = new URL(url, page).href;
    } catch {
      return flaw('no_url', 'is not a URL');
    }
  }
  const [, scheme, rest] = /^(?:(.*?):\/\/)?([^]*)$/.exec(url) as unknown as [string, string | undefined, string];
  const authority = until(rest, /[/?#]/);
  if (authority.includes('@')) return flaw('user_info', 'has a user name or a password in it');
  const after = rest.slice(authority.length);
  if (after.includes('#')) return flaw('fragment', 'has a fragment (#…) in it');
  if (scheme === undefined) {
    return rest.startsWith('/') ? flaw('not_absolute', 'is not absolute') : flaw('no_scheme', 'does not begin with https:// or http://');
  }
  const isPlain = /^http$/i.test(scheme);
  if (!isPlain && !/^https$/i.test(scheme)) return flaw('scheme', 'is neither https nor http');
  const host = hostOf(authority);
  if (host instanceof Flaw) return host;
  if (!/^[\x21-\x7e]*$/.test(after)) return flaw('no_url', 'is not a URL');
  const placeholder = placeholderOf(until(authority, /:/), until(after, /\?/));
  if (placeholder !== undefined) return flaw('placeholder', `has a placeholder in it: replace ${placeholder} with your own value`);
  const query = after.includes('?') ? after.slice(after.indexOf('?') + 1) : '';
  const parameters = Object.fromEntries(query.split('&').filter(Boolean).map((parameter) => {
    const name = until(parameter, /=/);
    return [name, parameter === name ? name : parameter.slice(name.length + 1)];
  }));
  return { url, host, isPlain, isOpen: isPlain && !isLoopback(host), parameters };
}

/** @internal The URL as it may be shown, because a query may hold a key, and a key may be given in place of the URL. */
export function shown(given: string): string {
  const url = until(unquoted(given), /[?#]/);
  return /[./:]/.test(url) ? ` ${JSON.stringify(url)}` : '';
}

const until = (text: string, end: RegExp) => {
  const at = text.search(end);
  return at < 0 ? text : text.slice(0, at);
};

/** The first word in capitals in a host or a path that is also in a URL of the table of providers. */
function placeholderOf(host: string, path: string): string | undefined {
  const ofTable = new Set(Object.values(PROVIDERS).flatMap(({ form }) => (form as string).split(/[.\-/?]/)));
  return [...host.split(/[.-]/), ...path.split('/')].find((word) => /^[A-Z]+$/.test(word) && ofTable.has(word));
}

/** The host of `host` or `host:port`: an address in its usual form, or a name in lower case. */
function hostOf(authority: string): string | Flaw {
  const text = authority.startsWith('[') ? /^\[[^\]]*\]?/.exec(authority)![0] : until(authority, /:/);
  const port = authority.slice(text.length);
  const host = text.startsWith('[') ? ipv6(text) : name(text);
  if (host instanceof Flaw || port === '') return host;
  if (!port.startsWith(':')) return flaw('host_ipv6', 'has no IPv6 address in its brackets');
  const number = /^:\d+$/.test(port) ? Number(port.slice(1)) : 0;
  return number >= 1 && number <= 65_535 ? host : flaw('port', 'has no valid port: a number from 1 to 65535');
}

function ipv6(text: string): string | Flaw {
  try {
    if (!/^\[[\da-f:.]+\]$/i.test(text)) throw new TypeError();
    const { hostname } = new URL(`http://${text}`);
    const [, high, low] = /^\[::ffff:([\da-f]+):([\da-f]+)\]$/.exec(hostname) ?? [];
    if (high === undefined || low === undefined) return hostname;
    // An IPv4 address mapped to IPv6.
    const [a, b] = [parseInt(high, 16), parseInt(low, 16)];
    return [a >> 8, a & 255, b >> 8, b & 255].join('.');
  } catch {
    return flaw('host_ipv6', 'has no IPv6 address in its brackets');
  }
}

function name(text: string): string | Flaw {
  if (text === '') return flaw('no_host', 'has no host');
  const bare = text.replace(/\.$/, '');
  const labels = bare.split('.');
  if (bare.length > 253 || !labels.every((label) => /^[\w-]{1,63}$/.test(label))) {
    return flaw('host_name', 'has a host that is neither a name nor an address; an international name is written in its ASCII form (xn--…)');
  }
  // Parsers disagree on such numbers: some accept octal, hexadecimal, or fewer than four parts.
  if (/^(0x[\da-f]*|\d+)$/i.test(labels.at(-1)!)) {
    const isAddress = text === bare && labels.length === 4 && labels.every((label) => /^(0|[1-9]\d{0,2})$/.test(label) && Number(label) < 256);
    return isAddress ? text : flaw('host_number', 'has a host that ends in a number and is not an address in full, such as 127.0.0.1');
  }
  return text.toLowerCase();
}

const isLoopback = (host: string) => /^((.+\.)?localhost\.?|127(\.\d+){3}|\[::1\])$/.test(host);
