// Whether a request goes by `node:http`, or by `fetch` because somebody saw to it.
import type { Init } from './fetch.js';
import { send, type Http } from './node-http.js';

type Fetch = typeof globalThis.fetch;

interface NodeProcess {
  versions?: Record<string, string>;
  getBuiltinModule?(name: string): unknown;
}

const host = globalThis as typeof globalThis & { process?: NodeProcess; Deno?: unknown; [dispatcher: symbol]: object | undefined };
const DISPATCHER = Symbol.for('undici.globalDispatcher.1');

/** @internal What sends in Node where the caller gave nothing. */
export const viaHttp: Fetch = async (url, init) => {
  if (!isNode() || isFetchReplaced() || isDispatcherSet()) return host.fetch(url, init);
  let http: Http;
  try {
    const found = load(String(url).startsWith('https:'));
    http = found instanceof Promise ? await found : found;
  } catch {
    // A place without Node's modules, though it says that it is Node.
    return host.fetch(url, init);
  }
  return send(http, String(url), init as Init);
};

const isNode = () => Boolean(host.process?.versions?.node) && !host.process?.versions?.bun && !host.Deno;

const modules: { plain?: Http; secure?: Http } = {};

/** `node:http` or `node:https`, once it is needed: loading them takes Node some milliseconds. */
function load(secure: boolean): Http | Promise<Http> {
  const name = secure ? 'secure' : 'plain';
  const known = modules[name];
  if (known) return known;
  const found = host.process?.getBuiltinModule?.(secure ? 'node:https' : 'node:http') as Http | undefined;
  if (found) return modules[name] = found;
  // Where there is no such function yet; not in every place that runs CommonJS.
  return imported(secure).then((found) => modules[name] = found);
}

async function imported(secure: boolean): Promise<Http> {
  // Of the default, since what is patched (by traces, by mocks) is patched there.
  // @ts-expect-error: no types of Node's here
  return (secure ? await import('node:https') : await import('node:http')).default as Http;
}

let seenFetch: Fetch | undefined;
let isOwn = true;

/** Whether `fetch` is another than Node's, whose text names what it loads; none at all is not. */
function isFetchReplaced(): boolean {
  const { fetch } = host;
  if (fetch !== seenFetch) {
    seenFetch = fetch;
    isOwn = fetch === undefined || /internal\/deps\/undici/.test(Function.prototype.toString.call(fetch));
  }
  return !isOwn;
}

let seenDispatcher: object | undefined;
let isPlain = true;

/** Whether undici was given something: a proxy, a mock, certificates. What is not plainly its own default counts. */
function isDispatcherSet(): boolean {
  const dispatcher = host[DISPATCHER];
  if (dispatcher !== seenDispatcher) {
    seenDispatcher = dispatcher;
    isPlain = dispatcher === undefined || hasNoOptions(dispatcher);
  }
  return !isPlain;
}

function hasNoOptions(dispatcher: object): boolean {
  if (dispatcher.constructor.name !== 'Agent') return false;
  const key = Object.getOwnPropertySymbols(dispatcher).find(({ description }) => description === 'options');
  const options = key && (dispatcher as Record<symbol, unknown>)[key];
  return typeof options === 'object' && options !== null && Object.values(options).every((value) => value === undefined);
}
