// Checks the constructor's options and the environment, and serializes them for the core.
import { checkClient } from './check.js';
import { address, Flaw, shown, type Address } from './address.js';
import { fail, isPage, pageAddress, Variables } from './environment.js';
import type { LlmError } from '../base/errors.js';
import { headerRules, plain, type HeaderRules, type Headers } from './headers.js';
import { known } from './helpers.js';
import { foreign, keyGiver, keyOf, type GiveKey } from './key.js';
import { moduleOf, needsLimits } from './preload.js';
import { providerOf } from './provider.js';
import type { ModuleName } from '../border/load.js';
import type { ClientOptions, Hedging, TimeLimits } from './options.js';
import { mayHoldSecret, namesCredential, secretsOf } from './secrets.js';
import { ADAPTIVE, PROVIDERS, QUANTILES, SETTINGS, type ProviderName, type Variable } from '../base/tables.js';
import type { Status } from '../base/types.js';

const COUNTS = { workers: 'LLM_ASYNC_WORKERS', queueSize: 'LLM_ASYNC_QUEUE_SIZE', maxAttempts: 'LLM_MAX_RETRIES' } as const satisfies Record<string, Variable>;
/** The old client's name for `LLM_MAX_RETRIES`. */
const OLD_RETRIES: Variable = 'XWE_MAX_LLM_RETRIES';

/** @internal The checked settings of a client. */
export interface Settings {
  /** The settings for the core. */
  json: string;
  mocked: boolean;
  headers: Headers;
  /** Values that must not appear in errors or headers. */
  secrets: readonly string[];
  /** The client's status before the first call. */
  idle: Status;
  /** Whether it has rate limits, whose use must not be forgotten. */
  isLimited: boolean;
  /** The rules for the headers of its calls. */
  headerRules: HeaderRules;
  /** Returns a key for each attempt, if the option `apiKey` is a function. */
  giveKey: GiveKey | undefined;
  /** The module with the provider's dialect, for chats. */
  module: ModuleName;
  /** The base URL; undefined for an offline model. */
  url: string | undefined;
  onlyChatCompletions: boolean;
}

/** @internal Time limits in the core's form, where a negative number means no limit. */
export function limits(
  timeouts: TimeLimits | null | undefined, overall: number | null | undefined, fail: (message: string) => LlmError,
): Record<string, number> {
  const all: Record<string, number> = {};
  for (const [name, value] of Object.entries({ ...timeouts, overall: overall ?? timeouts?.overall })) {
    if (value == null) continue;
    if (typeof value !== 'number' || !(value >= 0)) {
      throw fail(`the time limit ${name} is ${String(value)}; it must be a number of milliseconds, at least 0, or Infinity`);
    }
    all[name] = value === Infinity ? -1 : value;
  }
  return all;
}

function whole(option: string, given: object | undefined, most = Number.MAX_SAFE_INTEGER): void {
  for (const [name, value] of Object.entries(given ?? {})) {
    if (value != null && !(Number.isSafeInteger(value) && value > 0 && value <= most)) {
      throw fail(`${option}${name} is ${String(value)}; it must be a whole number of at least 1`);
    }
  }
}

function hedge(given: Hedging | null | undefined): Hedging | undefined {
  if (given == null) return undefined;
  const { afterMs, quantile } = given as { afterMs?: unknown; quantile?: unknown };
  if (typeof afterMs === 'number' && afterMs >= 0 && afterMs < Infinity && quantile == null) return { afterMs };
  if (typeof quantile === 'number' && quantile >= QUANTILES.least && quantile <= QUANTILES.most && afterMs == null) return { quantile };
  throw fail(`hedging takes either afterMs, a number of milliseconds from 0, or a quantile from ${QUANTILES.least} to ${QUANTILES.most}`);
}

function counts(options: ClientOptions, vars: Variables): Record<keyof typeof COUNTS, number> {
  const all = { workers: 0, queueSize: 0, maxAttempts: 0 };
  for (const option of Object.keys(COUNTS) as (keyof typeof COUNTS)[]) {
    const name = COUNTS[option];
    const { least, default: otherwise } = SETTINGS[name];
    const own = options[option] ?? undefined;
    const old = option === 'maxAttempts' && own === undefined && vars.text(name) === undefined ? vars.text(OLD_RETRIES) : undefined;
    const value = own === undefined ? vars.text(name) ?? old ?? otherwise : String(own);
    if (!(/^\d+$/.test(value) && Number(value) >= least)) {
      throw fail(`${own !== undefined ? option : old === undefined ? name : OLD_RETRIES} is ${value}; it must be a whole number of at least ${least}`
        + (option === 'maxAttempts' ? ' (it counts all attempts: 1 means no retries)' : ''));
    }
    all[option] = Math.min(Number(value), 0xffffffff);
  }
  return all;
}

/** Refuses an option that is present but undefined or empty. It comes from a variable that is not set, and the key would go to the wrong server. */
function refuseUnset(options: ClientOptions): void {
  for (const [name, otherwise] of [['baseURL', "the provider's own address"], ['provider', 'the default provider']] as const) {
    const value = options[name] as unknown;
    if (name in options && (value == null || value === '')) {
      throw fail(`${name} is ${value === '' ? 'empty' : String(value)}, for example because a variable is not set: set it, or leave the option out to use ${otherwise}`);
    }
  }
}

/**
 * The provider if none is named: the default provider, or `openai_compatible` if there is a base URL at another host
 * than the default provider's. An invalid base URL is reported later.
 */
function unnamed(baseURL: string | undefined, inPage: boolean): ProviderName {
  const standard = SETTINGS.LLM_PROVIDER.default;
  if (baseURL === undefined) return standard;
  const [base, own] = [address(String(baseURL), inPage ? pageAddress() : undefined), address(PROVIDERS[standard].baseURL)];
  return base instanceof Flaw || (!(own instanceof Flaw) && base.host === own.host) ? standard : 'openai_compatible';
}

interface Endpoint { base?: Address | undefined; key?: string | undefined; giveKey?: GiveKey | undefined }

function endpoint(options: ClientOptions, provider: string, named: string | undefined, inPage: boolean, vars: Variables, headers: Headers): Endpoint {
  const { apiKey, baseURL } = options;
  const allowHttp = options.allowHttp ?? vars.isOn('LLM_ALLOW_HTTP');
  const its = providerOf(String(provider));
  const given = baseURL ?? vars.text('LLM_BASE_URL');
  const base = given === undefined ? undefined : address(String(given), inPage ? pageAddress() : undefined);
  if (base instanceof Flaw) {
    throw fail(base.code === 'user_info' ? `baseURL ${base.why}; give the key as apiKey and leave only the host`
      : `baseURL${shown(String(given))} ${base.why}${base.code === 'placeholder' ? ''
        : '; set it to a URL like https://api.deepseek.com/v1; it may be relative only in a page'}`, base.code);
  }
  const missing: [name: string, example: string][] = [];
  if (!(its.model || named)) missing.push(['model', '']);
  if (!(its.baseURL || base)) missing.push(['baseURL', its.form && `, for example to ${its.form}`]);
  if (missing.length) {
    throw fail(`${provider} has no default ${missing.map(([name]) => name).join(' and no default ')}: `
      + `set ${missing.map(([name, example]) => name + example).join(' and ')}`);
  }

  // A caller that sets a base URL or a provider has decided where the key goes.
  const isChosen = options.provider !== undefined || vars.text('LLM_PROVIDER') !== undefined || base !== undefined;
  const ofAnother = (key: string) => (isChosen ? undefined : foreign(key, provider));
  const variables: readonly Variable[] = its.variables;
  const isPlain = base?.isPlain ?? its.baseURL.startsWith('http:');
  // A page has no key, but the server at its base URL may add one.
  const isKeyless = apiKey === null || (inPage && apiKey === undefined && (base !== undefined || options.fetch != null));
  const giveKey = typeof apiKey === 'function' ? keyGiver(apiKey, ofAnother) : undefined;
  let key: string | undefined;
  const ofKey: readonly Variable[] = ['LLM_API_KEY', ...variables];
  const inEnvironment = () => ofKey.map((name) => vars.text(name)).find((text) => text !== undefined);
  if (!isKeyless && typeof apiKey !== 'function') key = apiKey ?? inEnvironment();
  if (key !== undefined) {
    const checked = keyOf(key);
    const flaw = checked instanceof Flaw ? checked : ofAnother(checked);
    if (flaw) throw fail(flaw.why, flaw.code);
    key = checked as string;
  } else if (!isKeyless && !giveKey && variables.length && !isPlain) {
    if (inPage) {
      throw fail(`a page has no API key for ${provider}: set baseURL to a path of your own server, which adds the key (baseURL: '/api/v1'), or `
        + 'mock: true for an offline model', 'missing_api_key');
    }
    throw fail(`no API key for ${provider}${isChosen ? '' : ', the default provider (provider chooses another)'}: give the option apiKey, or set the variable ${variables[0]} or LLM_API_KEY, or mock: true for an `
      + 'offline model; if your own server adds the key, give apiKey: null and its baseURL', 'missing_api_key');
  }
  if (base?.isOpen && !allowHttp) {
    const header = Object.keys(headers).find(namesCredential);
    const parameter = Object.keys(base.parameters).find(namesCredential);
    const what = key !== undefined || giveKey ? 'the API key' : header !== undefined ? `the header ${header}`
      : parameter !== undefined ? `the parameter ${parameter} of baseURL` : undefined;
    if (what) {
      throw fail(`${what} would be sent unencrypted to ${base.host}: use https; or leave the key out (apiKey: null), if the server `
        + 'does not require one; or set allowHttp: true (LLM_ALLOW_HTTP), if you trust the network', 'unencrypted');
    }
  }
  return { base, key, giveKey };
}

/** @internal Throws an LlmError with the code `config` if a setting is wrong. */
export function settings(options: ClientOptions): Settings {
  checkClient(options, fail);
  const inPage = isPage();
  const {
    apiKey, headers: own = {}, limits: rate, mock, baseURL, model, timeouts, timeoutMs, dangerouslyAllowBrowser = false, provider: given,
    adaptive, hedging, allowHttp, fetchAsStream, maxRequestBytes, modelRules, waitForQueue = true, betas,
  } = options;
  refuseUnset(options);
  if (apiKey != null && inPage && !dangerouslyAllowBrowser) {
    throw fail('everybody who opens a page can read a key in it: give a baseURL on your own origin and no key, '
      + 'or set dangerouslyAllowBrowser');
  }
  const vars = new Variables(inPage);
  const { workers, queueSize, maxAttempts } = counts(options, vars);
  whole('limits.', rate);
  whole('', { maxRequestBytes }, 0xffffffff);
  const moving = adaptive === true ? {} : adaptive || undefined;
  whole('adaptive.', moving, 0xffffffff);
  const headers = plain(own ?? {}, fail);
  const mocked = mock == null ? vars.isOn('USE_MOCK_LLM') : mock !== false;
  const provider = (given ?? vars.text('LLM_PROVIDER')?.toLowerCase() ?? unnamed(baseURL?.toString() ?? vars.text('LLM_BASE_URL'), inPage)) as string;
  const named = (model ?? vars.text('LLM_MODEL'))?.trim() || undefined;
  const { base, key, giveKey }: Endpoint = mocked ? {} : endpoint(options, provider, named, inPage, vars, headers);
  if (betas != null && provider !== 'anthropic') throw fail(`betas are for Anthropic only, but the provider is ${provider}`);
  const alone = !vars.isOn('LLM_ASYNC_ENABLED');
  const allowsHttp = allowHttp ?? vars.isOn('LLM_ALLOW_HTTP');
  const { start, min, max } = { ...ADAPTIVE, ...known(moving ?? {}) };
  const most = moving ? Math.max(min, max) : workers;
  const isLimited = needsLimits({ limits: rate });
  const module = moduleOf(mocked ? 'openai_compatible' : provider);
  const now = moving ? Math.min(most, Math.max(min, start)) : most;
  return {
    mocked, headers, giveKey,
    module: needsLimits(options) ? 'all' : module,
    url: mocked ? undefined : base?.url ?? PROVIDERS[provider as ProviderName].baseURL,
    onlyChatCompletions: module === 'chat',
    secrets: [...key === undefined ? [] : [key], ...parametersOf(base), ...secretsOf(headers)],
    isLimited,
    headerRules: headerRules(mocked ? 'openai_compatible' : provider, headers, Boolean(base?.isOpen) && !allowsHttp),
    json: JSON.stringify({
      provider: mocked ? 'demo' : provider, baseURL: base?.url, model: named, key, allowHttp: allowsHttp,
      workers, queueSize, alone, maxAttempts, rate, adaptive: moving, hedging: hedge(hedging), fetchAsStream, maxRequestBytes, modelRules,
      waitForQueue,
      // If none is set, the core's default applies: 30 s for a default call, more for a call that asks for more.
      timeouts: limits(timeouts, timeoutMs ?? timeouts?.overall ?? vars.milliseconds('LLM_ASYNC_TIMEOUT'), fail),
      browserAccess: inPage && dangerouslyAllowBrowser, betas,
    }),
    idle: {
      maxWorkers: alone ? 1 : most, limit: alone ? 1 : now, active: 0, queued: 0, queueSize, closed: false,
      started: 0, succeeded: 0, failed: 0, cancelled: 0, retried: 0,
    },
  };
}

/** The values of a base URL's parameters, encoded as in the URL and decoded. */
function parametersOf(base: Address | undefined): string[] {
  const secret = Object.entries(base?.parameters ?? {}).filter(([name]) => mayHoldSecret(name));
  return secret.flatMap(([, value]) => [value, new URLSearchParams(`x=${value}`).get('x') ?? value]);
}

/** @internal Settings for another core, in which an adaptive limit starts at the limit that was found so far. */
export function startingAt(json: string, limit: number): string {
  const { adaptive, ...settings } = JSON.parse(json) as { adaptive?: object };
  return adaptive ? JSON.stringify({ ...settings, adaptive: { ...adaptive, start: limit } }) : json;
}
