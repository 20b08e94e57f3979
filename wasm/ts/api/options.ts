// The options of a client and of a call.
import type { AnySchema } from '../base/schema.js';
import type { ProviderName, Reasons, Takes } from '../base/tables.js';
import type {
  AnyMessage, AnyTool, Extra, JsonObject, Message, OpenAIResponseFormat, OpenAIToolChoice, Progress, ReasoningEffort, ResponseFormat, ToolChoice,
} from '../base/types.js';

/** Time limits in milliseconds; `Infinity` means no limit. The time to connect cannot be set. */
export interface TimeLimits {
  /** Waiting in the queue. */
  queue?: number;
  /** From the start of an attempt to the response's headers. */
  headers?: number;
  /** From the start of an attempt to the first content. */
  firstContent?: number;
  /** Between any two bytes of the answer, keep-alives included. Default 60,000. */
  byteIdle?: number;
  /** Between two pieces of content. */
  contentIdle?: number;
  /** One attempt. */
  attempt?: number;
  /** The whole call; for a stream, until its first content. Default 30,000, or more for a call that asks for more tokens or for reasoning. */
  overall?: number;
  /** The whole call; for a stream, until its last event. */
  total?: number;
}

/** Headers: an object of names and values, a `Headers`, or pairs. */
export type HeadersLike = Readonly<Record<string, string>> | Iterable<readonly [string, string]>;

/** What a function given as `fetch` gets beside the URL. */
export interface FetchInit {
  method: string;
  headers: Record<string, string>;
  /** The request's JSON as bytes; a GET has none. */
  body?: Uint8Array<ArrayBuffer>;
  /** Redirects are not followed. */
  redirect: 'manual';
  /** Aborted when the call ends before the response. */
  signal: AbortSignal;
}

/** What a function given as `fetch` resolves to: a `Response` of any package, or an object of your own. */
export interface FetchResponse {
  readonly status: number;
  /** A `Headers`, pairs, or an object of names and values. */
  readonly headers: object;
  /** A web or Node stream, an async iterable, a text, or bytes; null for none. */
  readonly body: unknown;
}

/** A function like `fetch`: `globalThis.fetch`, that of another package, or your own. */
export type FetchLike = (url: string, init: FetchInit) => Promise<FetchResponse>;

/** Options of one call. */
export interface ChatOptions {
  /** The model. Default: the client's. */
  model?: string;
  /**
   * The sampling temperature, 0 to 2. Default 0 for a prompt and 0.7 for a conversation, if the model accepts it; null
   * sends none.
   */
  temperature?: number | null;
  /** The most tokens that the answer may have. Default 256, and more if the model reasons; null sends no limit. */
  maxTokens?: number | null;
  /** Instructions before the conversation. */
  systemPrompt?: string;
  /** Sample only from the likeliest tokens that together have this probability. */
  topP?: number;
  /** Texts that end the answer, or one text. */
  stop?: string | readonly string[];
  /** A seed for providers that can repeat an answer. */
  seed?: number;
  /** The tools that the model may call, also in the form of OpenAI's chat completions. */
  tools?: readonly AnyTool[];
  /** Whether and which tool it must call. */
  toolChoice?: ToolChoice | OpenAIToolChoice;
  /** How much the model should reason. Default: not at all, if the model's reasoning can be turned off. */
  reasoningEffort?: ReasoningEffort;
  /** What form the answer must have, also in the form of OpenAI's chat completions. */
  responseFormat?: ResponseFormat | OpenAIResponseFormat;
  /** Fields of the request that chatcore has no name for. Each replaces chatcore's field of the same name. */
  extra?: Extra;
  /**
   * Headers for this call only. Each replaces the client's header of the same name. The headers of the key, of the
   * body and of the dialect cannot be set. In a page the server must allow each header (CORS).
   */
  headers?: HeadersLike;
  /** Aborts the call. */
  signal?: AbortSignal;
  /** The overall time limit, in milliseconds; `Infinity` for none. */
  timeoutMs?: number;
  /** Time limits; the client's apply where one is not set. */
  timeouts?: TimeLimits;
  /** The total number of attempts, including the first; 1 means no retries. */
  maxAttempts?: number;
  /** Whether to wait if the queue is full. `false`: the call fails with a QueueFullError. Default: as the client. */
  waitForQueue?: boolean;
  /** Whether a whole answer is fetched as a stream internally. Default: as the client. */
  fetchAsStream?: boolean;
}

/** Options of a call for a typed answer. */
export interface SchemaOptions<S = AnySchema> extends Omit<ChatOptions, 'responseFormat'> {
  /**
   * The schema of the answer: of zod, valibot, arktype or another library with Standard Schema, or a JSON schema. The
   * answer's `value` has its type, and the call fails with a MismatchError if the answer does not fit.
   */
  schema: S;
  /** The JSON schema of `schema`, for a library that cannot write it. */
  jsonSchema?: object;
  /** The name of the schema for the provider. Default: its title, or `answer`. */
  schemaName?: string;
  /**
   * Whether the schema is put into the prompt, for one that the provider cannot enforce. Default false: only if the
   * provider enforces none.
   */
  schemaInPrompt?: boolean;
  /**
   * How often the model is asked to correct an answer that does not fit. Each correction counts towards `maxAttempts`,
   * the time limits and the usage. Default 0. A stream is never corrected.
   */
  repairs?: number;
}

/** Options of a call for embeddings. */
export interface EmbedOptions {
  /** The model, which must be an embedding model. Default: the client's. */
  model?: string;
  /** How many numbers each vector should have, for models that can shorten theirs. */
  dimensions?: number;
  /** Fields of the request that chatcore has no name for. */
  extra?: Extra;
  /** Headers for this call only. Each replaces the client's header of the same name. */
  headers?: HeadersLike;
  /** Aborts the call. */
  signal?: AbortSignal;
  /** The time limit for the whole call with all its requests, in milliseconds; `Infinity` for none. */
  timeoutMs?: number;
  /** Time limits; the client's apply where one is not set. */
  timeouts?: TimeLimits;
  /** The total number of attempts for each request, including the first; 1 means no retries. */
  maxAttempts?: number;
  /** Whether to wait if the queue is full. `false`: the call fails with a QueueFullError. Default: as the client. */
  waitForQueue?: boolean;
}

/** An offline model: `true` echoes the last message, a function answers the conversation. */
export type Mock = boolean | ((messages: readonly Message[]) => string | Promise<string>);

/** The provider's limits per minute. Requests wait until they fit. */
export interface RateLimits {
  /** Requests per minute. */
  requestsPerMinute?: number;
  /** Tokens per minute, input and output together. */
  tokensPerMinute?: number;
  /** How many requests may be sent at once, before they are spread over the minute. Default: all. */
  requestBurst?: number;
  /** How many tokens may be sent at once. Default: all. */
  tokenBurst?: number;
}

/** The range of an adaptive limit on the requests in flight. */
export interface Adaptive {
  /** The limit at the start. Default 5. */
  start?: number;
  /** The lowest limit. Default 1. */
  min?: number;
  /** The highest limit. Default 1,000. */
  max?: number;
}

/** When a second request is sent in parallel with the first. */
export type Hedging =
  /** When the first content has not come after this time, in milliseconds. */
  | { afterMs: number }
  /** When the first content is later than this quantile of earlier calls, 0.5 to 0.999. The first 20 calls are only measured. */
  | { quantile: number };

/** What some models accept and refuse. Replaces chatcore's own rule for these models. */
export interface ModelRule {
  /** The names of the models, separated by spaces. `*` matches any text, `?` one character, `@openai` all models of a provider. */
  models: string;
  /** When the model accepts `temperature` and `topP`. Default `always`. */
  sampling?: Takes;
  /** Whether the model accepts both in one request. Default true. */
  bothSampling?: boolean;
  /** When the model accepts tools. Default `always`. */
  tools?: Takes;
  /** When the model reasons. Default `unknown`: nothing about reasoning is sent unless the caller asks for it. */
  reasoning?: Reasons;
  /** Fields of a request that turn reasoning off, such as `{ thinking: { type: 'disabled' } }`. Default: the dialect's. */
  reasoningOff?: JsonObject;
  /** Replacements for reasoning efforts that the model does not know, such as `{ minimal: 'low' }`. */
  efforts?: Readonly<Record<string, string>>;
  /** Whether reasoning is requested by a budget of tokens instead of an effort. Default false. */
  thinkingBudget?: boolean;
  /** Whether the token limit is sent as `max_completion_tokens`. Default false. */
  maxCompletionTokens?: boolean;
  /** Where the rule is documented. */
  source?: string;
  /** When the source was read, such as `2026-11-28`. */
  date?: string;
}

/** Options of a client. In Node, options that are not set are read from environment variables. */
export interface ClientOptions {
  /**
   * The provider, which also determines the dialect. Default `deepseek`, or `openai_compatible` with a `baseURL` that
   * is not at DeepSeek's own host. `LLM_PROVIDER`.
   */
  provider?: ProviderName;
  /**
   * The provider's base URL, including the version in its path. It must be `https`; `http` is allowed on loopback,
   * without a key, or with `allowHttp`. In a page it may be relative to the page. `LLM_BASE_URL`.
   */
  baseURL?: string | URL;
  /**
   * The key, or a function that returns one. The function is called before each attempt, within the attempt's time
   * limit, and once more if the provider rejects its key (401). If it throws, nothing is sent. `null` sends no key, for
   * a server of your own that adds it. `LLM_API_KEY`, or the provider's own variable (`OPENAI_API_KEY`).
   */
  apiKey?: string | (() => string | Promise<string>) | null;
  /** Allows a key to be sent unencrypted, to an `http` address that is not on this machine. `LLM_ALLOW_HTTP`. */
  allowHttp?: boolean;
  /** The model for calls that name none. Default: the provider's default model. `LLM_MODEL`. */
  model?: string;
  /** The most requests in flight at once. `LLM_ASYNC_WORKERS`, default 5. */
  workers?: number;
  /** The most requests that may wait. `LLM_ASYNC_QUEUE_SIZE`, default 100. */
  queueSize?: number;
  /**
   * Whether calls wait if the queue is full. Default true, so that any number of calls may be made at once. `false`: a
   * call fails with a QueueFullError.
   */
  waitForQueue?: boolean;
  /**
   * The overall time limit of each call, in milliseconds, including its wait in the queue. `LLM_ASYNC_TIMEOUT` (in
   * seconds). Default 30,000 from when the call leaves the queue, and more for a call that asks for more tokens or for
   * reasoning.
   */
  timeoutMs?: number;
  /** The time limits of each call. */
  timeouts?: TimeLimits;
  /** The total number of attempts, including the first; 1 means no retries. `LLM_MAX_RETRIES`, default 3. */
  maxAttempts?: number;
  /** The provider's limits per minute, which the client keeps. Default: none. */
  limits?: RateLimits;
  /**
   * Adapts the limit on requests in flight to the provider, in place of `workers`: up with each answer, down with 429,
   * 503 and timeouts. Default `false`.
   */
  adaptive?: boolean | Adaptive;
  /**
   * Sends a second request when the first content is late. The request whose content comes first is used, and the
   * other is aborted. At most one call in twenty gets a second request. Default: none.
   */
  hedging?: Hedging;
  /** Whether whole answers are fetched as streams internally. Default: only answers that may take long. */
  fetchAsStream?: boolean;
  /** The largest request, in bytes of JSON. Default 33,554,432. */
  maxRequestBytes?: number;
  /** What some models accept and refuse. These rules come before chatcore's own. */
  modelRules?: readonly ModelRule[];
  /** Names of Anthropic's betas to enable. */
  betas?: readonly string[];
  /** Headers for every request. Each replaces the dialect's header of that name. In a page the server must allow each (CORS). */
  headers?: HeadersLike;
  /**
   * A function to use instead of the host's `fetch`, for example to go through a proxy. Default: `globalThis.fetch`; in
   * Node `node:http`, unless `globalThis.fetch` or undici's dispatcher was replaced.
   */
  fetch?: FetchLike;
  /** An offline model in place of a provider. `USE_MOCK_LLM`. */
  mock?: Mock;
  /** Allows a key in a page, where everybody who opens the page can read it. */
  dangerouslyAllowBrowser?: boolean;
}

/** A prompt, a conversation, or either with its own options. */
export type BatchItem =
  | string | readonly AnyMessage[]
  | ({ prompt: string } & (ChatOptions | SchemaOptions)) | ({ messages: readonly AnyMessage[] } & (ChatOptions | SchemaOptions));

/** Options of a batch. */
export interface BatchOptions {
  /** How many items run at once. Default 5. The client's `workers` still limit the requests in flight. */
  concurrency?: number;
  /** Called after each item. An error that it throws is written to the console. */
  onProgress?: (progress: Progress) => void;
  /** Aborts the items that are not finished; they become errors. Finished items keep their answers. */
  signal?: AbortSignal;
}

/** Options of a BatchProcessor. Numbers are whole; 0 counts as 1. */
export interface BatchProcessorOptions<O = unknown> {
  /** How many added requests make a full batch. Default 10. */
  batchSize?: number;
  /** How many items of each batch run at once. Default 5. */
  maxWorkers?: number;
  /** The longest time that the first request of a batch waits for others, in milliseconds. Default 1,000. */
  timeoutMs?: number;
  /** How many batches of added requests run at once. Default 1. */
  maxConcurrentBatches?: number;
  /** Called with the batch's progress after each item. An error that it throws is written to the console. */
  onProgress?: (progress: Progress) => void;
  /** Returns the tokens that an item cost, for `Progress.tokens`. */
  countTokens?: (output: O) => number;
}

/** @internal Options of a batch of one item, which a journal runs. */
export interface BatchCall extends BatchOptions {
  /** Whether only the given options are sent, as `ask` does. */
  onlyGiven?: boolean;
}
