// The constructor's options and the environment, checked and written down for the core.
import { LlmError } from './errors.js';
import { plain, type Headers } from './headers.js';
import { known } from './helpers.js';
import { ADAPTIVE, QUANTILES } from './tables.js';
import type { ClientOptions, Hedging, Status, TimeLimits } from './types.js';

interface Host {
  process?: { env?: Record<string, string | undefined> };
  window?: unknown; document?: unknown; importScripts?: unknown;
  location?: { href: string };
}
const host = globalThis as unknown as Host;

/** @internal What stands for a key that a function gives; it never leaves the process. */
export const KEY_TO_COME = 'chatcore-key-to-come';

const PROVIDERS = ['deepseek', 'openai', 'anthropic', 'openai_compatible'];

// Each with its variable, and the least it may be.
const COUNTS = [
  ['workers', 'LLM_ASYNC_WORKERS', 1], ['queueSize', 'LLM_ASYNC_QUEUE_SIZE', 0], ['maxRetries', 'LLM_MAX_RETRIES', 1],
  // The old client's name for it.
  [undefined, 'XWE_MAX_LLM_RETRIES', 1],
] as const;

/** @internal What a client is made of: JSON for the core, whether it is mocked, headers, and its status before the first call. */
export interface Settings {
  json: string; mocked: boolean; headers: Headers; idle: Status;
  /** Whether what it has used of its limits matters. */
  isLimited: boolean;
}

const fail = (message: string, providerCode?: string) => new LlmError(message, { code: 'config', providerCode });

let isServer = false;

/** @internal Says that nobody but its owner can read the program, whatever its globals look like. */
export function setServer(): void {
  isServer = true;
}

function isBrowser(): boolean {
  if (isServer) return false;
  return (typeof host.window !== 'undefined' && typeof host.document !== 'undefined')
    || typeof host.importScripts === 'function';
}

function environment(): Record<string, string> {
  const vars: Record<string, string> = {};
  try {
    for (const [name, value] of Object.entries(host.process?.env ?? {})) {
      if (value?.trim() && /^(LLM_|XWE_MAX_LLM|USE_MOCK_LLM|DEEPSEEK_|OPENAI_|ANTHROPIC_)/.test(name)) vars[name] = value;
    }
  } catch { /* a host that does not let its environment be read */ }
  return vars;
}

/** @internal Time limits as the core takes them: a negative one is no limit. */
export function limits(
  timeouts: TimeLimits | undefined, overall: number | undefined, fail: (message: string) => LlmError,
): Record<string, number> {
  const all: Record<string, number> = {};
  for (const [name, value] of Object.entries({ ...timeouts, overall: overall ?? timeouts?.overall })) {
    if (value === undefined) continue;
    if (typeof value !== 'number' || !(value >= 0)) {
      throw fail(`the time limit ${name} is ${String(value)}; allowed is a number of milliseconds from 0, or Infinity`);
    }
    all[name] = value === Infinity ? -1 : value;
  }
  return all;
}

function whole(option: string, given: object | undefined, most = Number.MAX_SAFE_INTEGER): void {
  for (const [name, value] of Object.entries(given ?? {})) {
    if (value !== undefined && !(Number.isSafeInteger(value) && value > 0 && value <= most)) {
      throw fail(`${option}.${name} is ${String(value)}; allowed is a whole number from 1`);
    }
  }
}

function hedge(given: Hedging | undefined): Hedging | undefined {
  if (given === undefined) return given;
  const { afterMs, quantile } = given as { afterMs?: unknown; quantile?: unknown };
  if (typeof afterMs === 'number' && afterMs >= 0 && afterMs < Infinity && quantile === undefined) return { afterMs };
  if (typeof quantile === 'number' && quantile >= QUANTILES.least && quantile <= QUANTILES.most && afterMs === undefined) return { quantile };
  throw fail(`hedging takes either afterMs, a number of milliseconds from 0, or a quantile from ${QUANTILES.least} to ${QUANTILES.most}`);
}

function checkedURL(given: string, inBrowser: boolean): string {
  let url: URL;
  try {
    url = new URL(given, inBrowser ? host.location?.href : undefined);
  } catch {
    throw fail('baseURL is not a URL; it is like https://api.deepseek.com/v1, and only in a page may it be relative');
  }
  if (url.username || url.password || url.search || url.hash) {
    throw fail('baseURL has a user name, a password, a query or a fragment in it; leave only the host and the path');
  }
  const local = /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])\.?$/.test(url.hostname);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && local)) {
    throw fail('baseURL must begin with https://, or on loopback with http://: else all would go out unencrypted');
  }
  return url.href;
}

/** @internal Throws an LlmError with the code `config` for what is wrong. */
export function settings(options: ClientOptions): Settings {
  const inBrowser = isBrowser();
  const {
    apiKey, headers = {}, limits: rate, mock, baseURL, model, timeouts, timeoutMs, dangerouslyAllowBrowser = false, provider: given,
    adaptive, hedging, fetchAsStream,
    fetch: _, workers: _w, queueSize: _q, maxRetries: _m, ...unknown
  } = options;
  for (const name in unknown) throw fail(`there is no option ${name}`);
  if (apiKey != null && inBrowser && !dangerouslyAllowBrowser) {
    throw fail('a key in a page can be read by everybody who opens it: give a baseURL on your own origin and no key, '
      + 'or set dangerouslyAllowBrowser');
  }
  const vars = inBrowser ? {} : environment();
  for (const [option, name, least] of COUNTS) {
    const given = option && options[option];
    if (given !== undefined) vars[name] = String(given);
    const value = vars[name];
    if (value !== undefined && !(/^\s*\d+\s*$/.test(value) && Number(value) >= least)) {
      throw fail(`${given === undefined ? name : option} is ${value}; allowed is a whole number from ${least}`
        + (option === 'maxRetries' ? ' (it counts all attempts: 1 means no retries)' : ''));
    }
  }
  whole('limits', rate);
  const moving = adaptive === true ? {} : adaptive || undefined;
  whole('adaptive', moving, 0xffffffff);
  const isOn = (name: string, otherwise: boolean) => {
    const value = vars[name]?.trim() ?? String(otherwise);
    if (/^(1|true|yes|on)$/i.test(value)) return true;
    if (/^(0|false|no|off)$/i.test(value)) return false;
    throw fail(`${name} is ${value}; allowed is true or false (1/0, yes/no, on/off)`);
  };
  const mocked = mock === undefined ? isOn('USE_MOCK_LLM', false) : mock !== false;

  const provider = (given ?? vars['LLM_PROVIDER']?.trim().toLowerCase()
    ?? (baseURL === undefined ? 'deepseek' : 'openai_compatible')) as string;
  const named = (model ?? vars['LLM_MODEL'])?.trim() || undefined;
  const keyless = apiKey === null || (inBrowser && apiKey === undefined);
  let base: string | undefined;
  let key: string | undefined;
  if (!mocked) {
    if (!PROVIDERS.includes(provider)) throw fail(`the provider is ${provider}, which is none of ${PROVIDERS.join(', ')}`);
    base = (baseURL ?? vars['LLM_BASE_URL'])?.trim();
    base &&= checkedURL(base, inBrowser);
    const compatible = provider === 'openai_compatible';
    if (compatible && !(base && named)) throw fail('openai_compatible has no baseURL and no model of its own: set both');
    const variable = compatible ? 'LLM_API_KEY' : `${provider.toUpperCase()}_API_KEY`;
    if (!keyless) key = typeof apiKey === 'function' ? KEY_TO_COME : apiKey ?? vars['LLM_API_KEY'] ?? vars[variable];
    if (key ? !/^[!-~]+$/.test(key) : apiKey === '') {
      throw fail('the API key is empty, or has a space, a line break or another character in it that no key has; copy it again');
    }
    if (!key && !keyless && !compatible && !base?.startsWith('http:')) {
      throw fail(`no API key for ${provider}: give an apiKey or set ${variable}; where a server of your own adds the key, `
        + 'give apiKey: null and its baseURL', 'missing_api_key');
    }
  }
  const count = (name: string, value: number) => Math.min(Number(vars[name] ?? value), 0xffffffff);
  const [workers, queueSize] = [count('LLM_ASYNC_WORKERS', 5), count('LLM_ASYNC_QUEUE_SIZE', 100)];
  const seconds = vars['LLM_ASYNC_TIMEOUT']?.trim();
  if (seconds !== undefined && (!/^[\d.]+(e\d+)?$/i.test(seconds) || !(Number(seconds) > 0 && Number(seconds) <= 1e9))) {
    throw fail(`LLM_ASYNC_TIMEOUT is ${seconds}; allowed is seconds, more than 0 and at most 1e9`);
  }
  const alone = !isOn('LLM_ASYNC_ENABLED', true);
  const { start, min, max } = { ...ADAPTIVE, ...known(moving ?? {}) };
  const most = moving ? Math.max(min, max) : workers;
  const now = moving ? Math.min(most, Math.max(min, start)) : most;
  return {
    mocked,
    isLimited: Object.values(rate ?? {}).some((value) => value !== undefined),
    headers: plain(headers ?? {}, fail),
    json: JSON.stringify({
      provider: mocked ? 'demo' : provider, baseURL: base, model: named, key, workers, queueSize, alone,
      maxRetries: count('LLM_MAX_RETRIES', count('XWE_MAX_LLM_RETRIES', 3)),
      rate, adaptive: moving, hedging: hedge(hedging), fetchAsStream,
      // Where nobody sets one, the core's holds: 30 s for a default call, more for one that asks for more.
      timeouts: limits(timeouts, timeoutMs ?? timeouts?.overall ?? (seconds === undefined ? undefined : Number(seconds) * 1000), fail),
      browserAccess: inBrowser && dangerouslyAllowBrowser,
    }),
    idle: {
      maxWorkers: alone ? 1 : most, limit: alone ? 1 : now, active: 0, queued: 0, queueSize, closed: false,
      started: 0, succeeded: 0, failed: 0, cancelled: 0, retried: 0,
    },
  };
}

/** @internal Settings for another core, where a limit that adapts begins with what was found out. */
export function startingAt(json: string, limit: number): string {
  const { adaptive, ...settings } = JSON.parse(json) as { adaptive?: object };
  return adaptive ? JSON.stringify({ ...settings, adaptive: { ...adaptive, start: limit } }) : json;
}
