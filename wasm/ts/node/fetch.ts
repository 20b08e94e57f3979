// Decides whether a request goes over `node:http`, or over `fetch` because the program replaced or configured `fetch`.
import { ON_ABORT, type Init } from '../border/fetch.js';
import { Encoder } from '../base/text.js';
import { isPlain, send, type Http, type Way } from './http.js';
import { proxyFor, type Proxy } from './proxy.js';
import { through } from './tunnel.js';

type Fetch = typeof globalThis.fetch;

interface NodeProcess {
  versions?: Record<string, string>; env?: Record<string, string | undefined>;
  getBuiltinModule?(name: string): unknown;
}

const host = globalThis as typeof globalThis & { process?: NodeProcess; Deno?: unknown; [dispatcher: symbol]: object | undefined };
const DISPATCHERS = ['undici.globalDispatcher.2', 'undici.globalDispatcher.1'].map((name) => Symbol.for(name));

/** @internal Sends requests in Node if the caller gave no `fetch`. */
export const viaHttp: Fetch = async (url, init) => {
  // A program that calls it by itself has only a signal.
  const own = init !== undefined && ON_ABORT in init ? unchanged(init as Init) : undefined;
  if (!own || !isNode() || isFetchReplaced() || isDispatcherSet()) return host.fetch(url, init);
  const to = String(url);
  let http: Http;
  let way: Way | undefined;
  const proxy = proxyOf(to);
  try {
    const found = load(to.startsWith('https:'));
    http = found instanceof Promise ? await found : found;
    if (proxy && !leadsItself(http)) way = through(proxy, new URL(to), http, await load(proxy.secure));
  } catch {
    // This host claims to be Node, but has no modules of Node's.
    return host.fetch(url, init);
  }
  return send(http, to, own, way);
};

/** The request with headers and a body as the core gives them, if a `fetch` of the program has put others in; undefined for a body of another kind. */
function unchanged(init: Init): Init | undefined {
  const { headers, body } = init;
  const isText = typeof body === 'string';
  if (!isText && body != null && !(body instanceof Uint8Array)) return undefined;
  if (!isText && headers && !(Symbol.iterator in headers)) return init;
  return { ...init, headers: Object.fromEntries(new Headers(headers)), ...isText && { body: new Encoder().encode(body) } };
}

let last: { url: string; proxy: Proxy | undefined } | undefined;

/** The proxy for a URL, by the environment. Cached, because the next URL is usually the same. */
function proxyOf(url: string): Proxy | undefined {
  if (last?.url !== url) last = { url, proxy: proxyFor(new URL(url), environment()) };
  return last.proxy;
}

function environment(): Record<string, string | undefined> {
  try {
    return host.process?.env ?? {};
  } catch {
    return {};
  }
}

/** Whether the program set its own agent, or Node itself uses the environment's proxies (NODE_USE_ENV_PROXY). */
const leadsItself = (http: Http) => !isPlain(http) || (http.globalAgent.options as { proxyEnv?: unknown }).proxyEnv !== undefined;

const isNode = () => Boolean(host.process?.versions?.node) && !host.process?.versions?.bun && !host.Deno;

const modules: { plain?: Http; secure?: Http } = {};

/** Loads `node:http` or `node:https` on first use, because loading takes Node some milliseconds. */
function load(secure: boolean): Http | Promise<Http> {
  const name = secure ? 'secure' : 'plain';
  const known = modules[name];
  if (known) return known;
  const found = host.process?.getBuiltinModule?.(secure ? 'node:https' : 'node:http') as Http | undefined;
  if (found) return modules[name] = found;
  // For versions without `getBuiltinModule`. Not every host that runs CommonJS supports `import()`.
  return imported(secure).then((found) => modules[name] = found);
}

async function imported(secure: boolean): Promise<Http> {
  // The default export, because tracers and mocks patch that one.
  // @ts-expect-error: no types of Node's here
  return (secure ? await import('node:https') : await import('node:http')).default as Http;
}

/** @internal The passwords of proxies, from the environment and from the program's own agents. */
export function proxySecrets(): string[] {
  const env = host.process?.env ?? {};
  const named = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'].flatMap((name) => [env[name], env[name.toLowerCase()]]);
  const agents = [modules.plain, modules.secure].map((http) => (http?.globalAgent as { proxy?: unknown } | undefined)?.proxy);
  return [...named, ...agents].flatMap((proxy) => {
    const [, password] = /^[a-z\d+.-]+:\/\/[^/@]*?:([^@]*)@/i.exec(String(proxy ?? '')) ?? [];
    if (!password) return [];
    try {
      return [password, decodeURIComponent(password)];
    } catch {
      return [password];
    }
  });
}

let seenFetch: Fetch | undefined;
let isOwn = true;

/** Whether `fetch` was replaced. The source of Node's own names the module that it loads. A missing `fetch` does not count. */
function isFetchReplaced(): boolean {
  const { fetch } = host;
  if (fetch !== seenFetch) {
    seenFetch = fetch;
    isOwn = fetch === undefined || /internal\/deps\/undici|lazyUndici\(\)/.test(Function.prototype.toString.call(fetch));
  }
  return !isOwn;
}

let seenDispatchers: readonly (object | undefined)[] = [];
let isDefaultOnly = true;

/** Whether the program set a dispatcher of undici: a proxy, a mock, certificates. All but undici's plain default counts. */
function isDispatcherSet(): boolean {
  const [newer, older] = DISPATCHERS.map((key) => host[key]);
  if (newer !== seenDispatchers[0] || older !== seenDispatchers[1]) {
    seenDispatchers = [newer, older];
    // Newer versions of undici also put a wrapper in the older place, for programs that look there.
    const isCopy = newer && older?.constructor.name === 'Dispatcher1Wrapper';
    isDefaultOnly = [newer, isCopy ? undefined : older].every((dispatcher) => !dispatcher || isDefault(dispatcher));
  }
  return !isDefaultOnly;
}

function isDefault(dispatcher: object): boolean {
  const { constructor } = dispatcher;
  const held = dispatcher as Record<PropertyKey, unknown>;
  const [options, factory] = ['options', 'factory'].map((name) => {
    const key = Object.getOwnPropertySymbols(dispatcher).find(({ description }) => description === name);
    return key && held[key];
  });
  return constructor.name === 'Agent' && held.dispatch === (constructor.prototype as Record<string, unknown>).dispatch
    // Newer versions of undici have options without a limit by default, such as `maxOrigins`.
    && typeof options === 'object' && options !== null && Object.values(options).every((value) => value === undefined || value === Infinity)
    && (factory as { name?: string } | undefined)?.name === 'defaultFactory';
}
