// The proxy for a URL, by the variables that curl and the native transports read: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY
// and NO_PROXY, also in lower case.
import { codedError } from '../base/errors.js';

/** @internal */
export interface Proxy {
  /** Whether the connection to the proxy itself is encrypted. */
  secure: boolean;
  host: string;
  port: number;
  /** The value of `proxy-authorization`, if the variable names a user. */
  authorization: string | undefined;
}

/** @internal */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * @internal The proxy for `url`; undefined means a direct connection. Throws if a variable names a proxy that cannot be
 * used, because the request must not bypass it.
 */
export function proxyFor(url: URL, env: Environment): Proxy | undefined {
  const set = (name: string): [string, string] | undefined => {
    const found = [name.toLowerCase(), name].find((known) => env[known]?.trim() && !isForged(known, env));
    return found === undefined ? undefined : [found, env[found]!.trim()];
  };
  const named = set(url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY') ?? set('ALL_PROXY');
  if (!named || isDirect(url, set('NO_PROXY')?.[1] ?? '')) return undefined;
  return parsed(...named);
}

/** In a CGI program, the client of the server can set HTTP_PROXY, by a header `proxy`. */
const isForged = (name: string, env: Environment) => name === 'HTTP_PROXY' && env.REQUEST_METHOD !== undefined;

function parsed(variable: string, value: string): Proxy {
  const text = /^[a-z][a-z\d+.-]*:\/\//i.test(value) ? value : `http://${value}`;
  const wrong = (why: string) => codedError(`the variable ${variable} ${why}`, 'CHATCORE_PROXY');
  let url: URL;
  let userInfo: string;
  try {
    url = new URL(text);
    userInfo = [url.username, url.password].map(decodeURIComponent).join(':');
  } catch {
    throw wrong('is no address of a proxy, such as http://proxy.example.com:3128');
  }
  const secure = url.protocol === 'https:';
  if (!secure && url.protocol !== 'http:') {
    throw wrong(`names a proxy that speaks ${url.protocol.slice(0, -1)}: give the client a fetch that goes through it`);
  }
  return {
    secure, host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || (secure ? 443 : 80)),
    authorization: url.username ? `Basic ${btoa(unescape(encodeURIComponent(userInfo)))}` : undefined,
  };
}

/** Whether `url` is this machine or matches NO_PROXY, a list of names, addresses, networks such as 10.0.0.0/8, or `*`. */
function isDirect({ hostname, port, protocol }: URL, list: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  if (/^(.+\.)?localhost$|^127(\.\d+){3}$|^::1$/.test(host)) return true;
  return list.toLowerCase().split(/[\s,]+/).filter(Boolean).some((item) => {
    if (item === '*') return true;
    const network = networkOf(item);
    if (network) return network(host);
    const [, name, only] = /^(.*?)(?::(\d+))?$/.exec(/^[^:]*:[^:]*:/.test(item) ? item.replace(/^\[(.*)\]$/, '$1') : item) as unknown as [string, string, string?];
    if (only !== undefined && only !== (port || (protocol === 'https:' ? '443' : '80'))) return false;
    const bare = name.replace(/^\*?\./, '');
    return host === bare || host.endsWith(`.${bare}`);
  });
}

/** If `item` is an IPv4 network, a function that tells whether an address is in it. */
function networkOf(item: string): ((host: string) => boolean) | undefined {
  const [, address, bits] = /^([\d.]+)\/(\d{1,2})$/.exec(item) ?? [];
  const base = numberOf(address ?? '');
  if (base === undefined) return undefined;
  const size = 2 ** (32 - Number(bits));
  return (host) => Math.floor((numberOf(host) ?? -1) / size) === Math.floor(base / size);
}

function numberOf(address: string): number | undefined {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(address)) return undefined;
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}
