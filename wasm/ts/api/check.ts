// Checks which options are given and of what kind each value is. The core checks the values themselves.
import type { LlmError } from '../base/errors.js';
import { isObject, isSignal, said } from './kinds.js';
import type { BatchOptions, BatchProcessorOptions, ChatOptions, ClientOptions, EmbedOptions, SchemaOptions, TimeLimits } from './options.js';
import type { JournalOptions } from './journal.js';
import type { ResponseFormat } from '../base/types.js';

type Fail = (message: string) => LlmError;
/** What a value must be, in words, and whether it is. */
type Kind = readonly [words: string, fits: (value: never) => boolean];
type Kinds<T> = Readonly<Record<keyof Required<T>, Kind>>;

const isText = (value: unknown) => typeof value === 'string';
const isFunction = (value: unknown) => typeof value === 'function';
const isFlag = (value: unknown) => typeof value === 'boolean';

const ANY: Kind = ['', () => true];
const TEXT: Kind = ['a text', isText];
const TEXTS: Kind = ['an array of texts', (value: unknown) => Array.isArray(value) && value.every(isText)];
const NUMBER: Kind = ['a number', Number.isFinite];
const FLAG: Kind = ['true or false', isFlag];
const OBJECT: Kind = ['an object', (value: unknown) => isObject(value) && !Array.isArray(value)];
const LIST: Kind = ['an array', Array.isArray];
const FUNCTION: Kind = ['a function', isFunction];
const FLAG_OR_FUNCTION: Kind = ['true, false or a function', (value: unknown) => isFlag(value) || isFunction(value)];
const FLAG_OR_OBJECT: Kind = ['true, false or an object', (value: unknown) => isFlag(value) || isObject(value)];
const HEADERS: Kind = ['an object of names and values, or Headers', isObject];
const SIGNAL: Kind = ['an AbortSignal', isSignal];
const ATTEMPTS: Kind = ['a whole number of at least 1 (it counts all attempts: 1 means no retries)', (value: number) => Number.isSafeInteger(value) && value >= 1];

const CALL = {
  model: TEXT, systemPrompt: TEXT, temperature: NUMBER, maxTokens: NUMBER, topP: NUMBER, seed: NUMBER, tools: LIST, extra: OBJECT,
  stop: ['a text or an array of texts', (value: unknown) => isText(value) || TEXTS[1](value as never)],
  toolChoice: ["'auto', 'none', 'required' or { tool: name }", (value: unknown) => ['auto', 'none', 'required'].includes(value as string)
    || (isObject(value) && ('tool' in value || 'function' in value))],
  responseFormat: ["{ type: 'json_object' } or { type: 'json_schema', name, schema }", (value: unknown) => isObject(value)
    && (['text', 'json_object'].includes((value as ResponseFormat).type) || 'schema' in value || 'json_schema' in value)],
  reasoningEffort: TEXT,
  headers: HEADERS, signal: SIGNAL, timeoutMs: ANY, timeouts: OBJECT, maxAttempts: ATTEMPTS, waitForQueue: FLAG, fetchAsStream: FLAG,
} as const satisfies Kinds<ChatOptions>;

const TYPED = {
  schema: ANY, jsonSchema: OBJECT, schemaName: TEXT, schemaInPrompt: FLAG, repairs: NUMBER,
} as const satisfies Kinds<Omit<SchemaOptions, keyof ChatOptions>>;

const TIMES = {
  queue: ANY, headers: ANY, firstContent: ANY, byteIdle: ANY, contentIdle: ANY, attempt: ANY, overall: ANY, total: ANY,
} as const satisfies Kinds<TimeLimits>;

const EMBEDDING = {
  model: TEXT, dimensions: NUMBER, extra: OBJECT, headers: HEADERS, signal: SIGNAL, timeoutMs: ANY, timeouts: OBJECT, maxAttempts: ATTEMPTS,
  waitForQueue: FLAG,
} as const satisfies Kinds<EmbedOptions>;

const BATCH = {
  concurrency: ANY, onProgress: FUNCTION, signal: SIGNAL, stopSignal: SIGNAL,
  journal: ['a journal, such as fileJournal(…) of chatcore/journal', (value: unknown) => isObject(value) && isFunction((value as JournalOptions['journal']).processBatch)],
} as const satisfies Kinds<BatchOptions & JournalOptions>;

const PROCESSOR = {
  batchSize: ANY, maxWorkers: ANY, timeoutMs: ANY, maxConcurrentBatches: ANY, onProgress: FUNCTION, countTokens: FUNCTION,
} as const satisfies Kinds<BatchProcessorOptions>;

const RATES: Kinds<NonNullable<ClientOptions['limits']>> = { requestsPerMinute: ANY, tokensPerMinute: ANY, requestBurst: ANY, tokenBurst: ANY };

// The numbers of a client may be texts too, as a variable holds them. They are checked where they are read.
const CLIENT = {
  provider: TEXT, model: TEXT, timeouts: OBJECT, timeoutMs: ANY, limits: OBJECT, adaptive: FLAG_OR_OBJECT, hedging: ANY, modelRules: LIST,
  baseURL: ['a text or a URL', (value: unknown) => isText(value) || (isObject(value) && isText((value as URL).href))],
  apiKey: ['a text or a function that returns one', (value: unknown) => isText(value) || isFunction(value)],
  allowHttp: FLAG, workers: ANY, queueSize: ANY, maxAttempts: ANY, waitForQueue: FLAG, fetchAsStream: FLAG, maxRequestBytes: ANY,
  betas: TEXTS, headers: HEADERS, fetch: FUNCTION, mock: FLAG_OR_FUNCTION, dangerouslyAllowBrowser: FLAG,
} as const satisfies Kinds<ClientOptions>;

/** The names that other packages have for options, and what to use instead: the first that fits the place. */
const OTHERS: readonly (readonly [names: string, instead: string])[] = [
  ['maxRetries', 'maxAttempts, which counts the first attempt, too'], ['timeout', 'timeoutMs, in milliseconds'],
  ['defaultHeaders', 'headers'], ['defaultQuery queryParams apiVersion', 'a query in baseURL'],
  ['organization', "headers: { 'openai-organization': … }"], ['project', "headers: { 'openai-project': … }"],
  ['system instructions', 'systemPrompt'], ['maxOutputTokens maxCompletionTokens', 'maxTokens'], ['stopSequences', 'stop'], ['abortSignal', 'signal'],
  ['messages', 'the first argument for the messages'], ['prompt', 'the first argument for the prompt'], ['input', 'the first argument'],
  ['user', "extra: { user }, a field of the provider's own"], ['providerOptions', "extra for fields of the provider's own"],
  ['endpoint url', 'baseURL'], ['key token', 'apiKey'], ['agent httpAgent', 'https.globalAgent or the option fetch'],
  ['dispatcher', 'fetch: (url, init) => fetch(url, { ...init, dispatcher })'], ['fetchOptions', 'fetch: (url, init) => fetch(url, { ...init, … })'],
  ['concurrency', 'workers|maxWorkers'], ['maxConcurrency', 'workers|concurrency|maxWorkers'], ['maxWorkers', 'concurrency|workers'],
  ['limit', 'concurrency|maxWorkers'], ['customId', 'the option journal, whose items have names'],
  ['stream', 'askStream() or chatStream(); for tools that run, streamTools() of chatcore/tools'], ['streamOptions', 'the event usage, which a stream has by default'],
  ['n', 'several calls, because an answer is one message; processBatch() sends many'],
  ['maxTurns maxSteps stopWhen maxToolRoundtrips', 'maxTurns of runTools() in chatcore/tools'], ['functions', 'tools'], ['functionCall', 'toolChoice'],
  ['output experimentalOutput', 'schema'], ['reasoning thinking', 'reasoningEffort'], ['text', 'responseFormat'],
];

const plain = (name: string) => name.replace(/[_-]/g, '').toLowerCase();

/** What to write in place of an unknown option. */
function advice(name: string, kinds: object, otherwise: string): string {
  const names = Object.keys(kinds);
  const same = names.find((known) => plain(known) === plain(name));
  if (same) return `write ${same}`;
  const [, others = ''] = OTHERS.find(([all]) => all.split(' ').some((known) => plain(known) === plain(name))) ?? [];
  const isOption = (word: string) => Object.hasOwn({ ...CLIENT, ...TYPED_CALL, ...BATCH, ...PROCESSOR }, word);
  const use = others.split('|').find((other) => other && (names.includes(/^\w+/.exec(other)![0]) || !isOption(/^\w+/.exec(other)![0])));
  if (use) return `use ${use}`;
  if (kinds !== CLIENT && Object.hasOwn(CLIENT, name)) return 'it is an option of the client';
  if (kinds === CLIENT && Object.hasOwn(TYPED_CALL, name)) return 'it is an option of a call';
  return otherwise;
}

function checkObject(options: unknown, fail: Fail, what = 'the argument for options', give = 'an object'): void {
  if (!OBJECT[1](options as never)) throw fail(`${what} is ${said(options)}; give ${give}`);
}

function check(options: unknown, place: string, kinds: Readonly<Record<string, Kind>>, fail: Fail, otherwise = `it may have ${Object.keys(kinds).join(', ')}`): void {
  checkObject(options, fail, place || undefined);
  const dot = place && `${place}.`;
  for (const name in options as object) {
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    if (!kind) {
      const what = advice(name, kinds, otherwise);
      throw fail(`unknown option ${dot}${name}${what && `; ${what}`}`);
    }
    const value: unknown = (options as Record<string, unknown>)[name];
    if (value != null && !kind[1](value as never)) throw fail(`${dot}${name} is ${said(value)}; it must be ${kind[0]}`);
  }
}

const times = (timeouts: unknown, fail: Fail) => { if (timeouts) check(timeouts, 'timeouts', TIMES, fail); };

const OF_PROVIDER = "put a field of the provider's own in extra";

/** @internal Whether an option of a call has this name. */
export const isOption = (name: string) => Object.hasOwn(CALL, name);

/** @internal Throws for an option of a call that is unknown or of the wrong kind. null counts as not set. */
export function checkCall(options: ChatOptions, fail: Fail): void {
  for (const name in options) {
    // A schema that is undefined comes from a mistake, and an answer without a value would hide it.
    if (name === 'schema' || (Object.hasOwn(TYPED, name) && (options as Record<string, unknown>)[name] != null)) {
      throw fail(name === 'schema' ? 'schema is undefined; give a schema, or leave the option out'
        : `${name} is an option of typed answers: give a schema, too`);
    }
  }
  check(options, '', TYPED_CALL, fail, OF_PROVIDER);
  times(options.timeouts, fail);
}

const TYPED_CALL = { ...CALL, ...TYPED };

/** @internal The same for a call with a `schema`, whose options become those of a call later. */
export function checkTyped(options: object, fail: Fail): void {
  check(options, '', TYPED_CALL, fail, OF_PROVIDER);
}

/** @internal The same for a call for embeddings. */
export function checkEmbedding(options: EmbedOptions, fail: Fail): void {
  check(options, '', EMBEDDING, fail, OF_PROVIDER);
  times(options.timeouts, fail);
}

/** @internal The same for the list of models. */
export const checkModels = (options: object, fail: Fail): void => check(options, '', { signal: SIGNAL }, fail);

/** @internal The same for a batch. */
export const checkBatch = (options: object, fail: Fail): void => check(options, '', BATCH, fail);

/** @internal Throws if the items of a batch are none. A journal also takes items that are read later. */
export function checkItems(items: unknown, hasJournal: boolean, fail: Fail): void {
  const isLater = isObject(items) && (Symbol.asyncIterator in items || 'isJsonLines' in items);
  if ((isObject(items) && Symbol.iterator in items) || (isLater && hasJournal)) return;
  throw fail(`the items are ${isLater ? 'read as they come, which takes a journal: give the option journal' : `${said(items)}; give an array`}`);
}

/** @internal The same for a BatchProcessor. */
export const checkProcessor = (options: object, fail: Fail): void => check(options, '', PROCESSOR, fail);

/** @internal The same for a client. `what` and `give` are words for the error if the options are no object. */
export function checkClient(options: ClientOptions, fail: Fail, what?: string, give?: string): void {
  checkObject(options, fail, what, give);
  check(options, '', CLIENT, fail, '');
  times(options.timeouts, fail);
  if (options.limits) check(options.limits, 'limits', RATES, fail);
  if (isObject(options.adaptive)) check(options.adaptive, 'adaptive', { start: ANY, min: ANY, max: ANY }, fail);
}
