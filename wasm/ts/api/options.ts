// What a client and a call may be told.
import type { ProviderName, Reasons, Takes } from '../base/tables.js';
import type {
  AnyMessage, AnyTool, Extra, JsonObject, Message, OpenAIToolChoice, Progress, ReasoningEffort, ResponseFormat, ToolChoice,
} from '../base/types.js';

/** Time limits in milliseconds; `Infinity` lifts one. Connecting is the host's own matter. */
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
  /** The whole call; for a stream until its first content. Default 30,000, more for a call that asks for more. */
  overall?: number;
  /** The whole call, for a stream too, to its last event. */
  total?: number;
}

/** Options of one call. */
export interface ChatOptions {
  /** The model; the client's by default. */
  model?: string;
  /**
   * How freely to sample, 0 to 2. Default 0 for a prompt and 0.7 for a conversation, where the model takes it; null
   * sends none.
   */
  temperature?: number | null;
  /** How many tokens the answer may have at most. Default 256, and more where the model reasons; null sends none. */
  maxTokens?: number | null;
  /** Instructions before the conversation. */
  systemPrompt?: string;
  /** Sample only from the likeliest tokens of this probability. */
  topP?: number;
  /** Texts that end the answer. */
  stop?: readonly string[];
  /** A seed for providers that can repeat an answer. */
  seed?: number;
  /** The tools that the model may call, also in the form of OpenAI's chat completions. */
  tools?: readonly AnyTool[];
  /** Whether and which tool it must call. */
  toolChoice?: ToolChoice | OpenAIToolChoice;
  /** How much the model should reason. Default: not, where the model lets it be turned off. */
  reasoningEffort?: ReasoningEffort;
  /** What form the answer must have. */
  responseFormat?: ResponseFormat;
  /** Fields for the provider that chatcore has no name for; they replace one of the same name. */
  extra?: Extra;
  /**
   * Headers for this call alone, in place of the client's of the same name. Those of the key, of
   * the body and of the dialect cannot be set. In a page each needs the server's leave (CORS).
   */
  headers?: Readonly<Record<string, string>>;
  /** Aborts the call. */
  signal?: AbortSignal;
  /** The overall limit, in milliseconds; `Infinity` for none. */
  timeoutMs?: number;
  /** All time limits; those that are missing are the client's. */
  timeouts?: TimeLimits;
  /** Attempts in all, the first one included; 1 means no retries. */
  maxAttempts?: number;
  /** Whether to wait where the queue is full; the client's by default. `false`: QueueFullError. */
  waitForQueue?: boolean;
  /** Whether a whole answer is fetched as a stream underneath; the client's by default. */
  fetchAsStream?: boolean;
}

/** Options of a call for embeddings. */
export interface EmbedOptions {
  /** The model; the client's by default, which must be one that embeds. */
  model?: string;
  /** How many numbers each vector should have, for models that can shorten theirs. */
  dimensions?: number;
  /** Fields for the provider that chatcore has no name for. */
  extra?: Extra;
  /** Headers for this call alone, in place of the client's of the same name. */
  headers?: Readonly<Record<string, string>>;
  /** Aborts the call. */
  signal?: AbortSignal;
  /** The overall limit of the whole call, all its requests included, in milliseconds; `Infinity` for none. */
  timeoutMs?: number;
  /** All time limits; those that are missing are the client's. */
  timeouts?: TimeLimits;
  /** Attempts of each request in all, the first one included; 1 means no retries. */
  maxAttempts?: number;
  /** Whether to wait where the queue is full; the client's by default. `false`: QueueFullError. */
  waitForQueue?: boolean;
}

/** An offline model: true echoes, a function answers from the conversation. */
export type Mock = boolean | ((messages: readonly Message[]) => string | Promise<string>);

/** What a provider grants per minute; requests wait for their turn. */
export interface RateLimits {
  /** Requests per minute. */
  requestsPerMinute?: number;
  /** Tokens per minute, input and output together. */
  tokensPerMinute?: number;
  /** How many requests may go at once, before they are spread over the minute. Default: all. */
  requestBurst?: number;
  /** How many tokens may go at once. Default: all. */
  tokenBurst?: number;
}

/** Between how many requests in flight the number moves. */
export interface Adaptive {
  /** At the start. Default 5. */
  start?: number;
  /** At least. Default 1. */
  min?: number;
  /** At most. Default 1,000. */
  max?: number;
}

/** When a second request is sent beside the first. */
export type Hedging =
  /** Once the first content is later than this, in milliseconds. */
  | { afterMs: number }
  /** Once it is later than this share of those before, 0.5 to 0.999. The first 20 only teach. */
  | { quantile: number };

/** What some models take and refuse, in place of what chatcore knows of them. */
export interface ModelRule {
  /** The models: names, separated by spaces. `*` stands for any text, `?` for one character, `@openai` for all models of a provider. */
  models: string;
  /** When it takes `temperature` and `topP`. Default `always`. */
  sampling?: Takes;
  /** Whether it takes both in one request. Default true. */
  bothSampling?: boolean;
  /** When it takes tools. Default `always`. */
  tools?: Takes;
  /** When it reasons. Default `unknown`: nothing about it is sent unless the caller asks for it. */
  reasoning?: Reasons;
  /** Fields of a request that turn reasoning off, such as `{ thinking: { type: 'disabled' } }`. Default: the dialect's. */
  reasoningOff?: JsonObject;
  /** The model's words for efforts that it does not know, such as `{ minimal: 'low' }`. */
  efforts?: Readonly<Record<string, string>>;
  /** Whether it is asked to reason by a budget of tokens in place of an effort. Default false. */
  thinkingBudget?: boolean;
  /** Whether the limit of tokens is called `max_completion_tokens`. Default false. */
  maxCompletionTokens?: boolean;
  /** Where this stands. */
  source?: string;
  /** When it was looked up, such as `2026-11-28`. */
  date?: string;
}

/** Options of a client. In Node what is missing is read from the environment variables. */
export interface ClientOptions {
  /**
   * Who answers, which says how it is spoken to. Default `deepseek`, or `openai_compatible` with a
   * `baseURL` that is not at DeepSeek's own host. `LLM_PROVIDER`.
   */
  provider?: ProviderName;
  /**
   * The provider's address, the version in its path included: `https`, or `http` on loopback, without a key, or with
   * `allowHttp`. In a page it may be relative to the page. `LLM_BASE_URL`.
   */
  baseURL?: string;
  /**
   * The key, or a function that gives one. The function is asked before each attempt, within its time limit, and once
   * more when the provider did not accept its key (401). When it throws, nothing is sent. `null` sends no key, where a
   * server of your own adds it. `LLM_API_KEY`, or the provider's own (`OPENAI_API_KEY`).
   */
  apiKey?: string | (() => string | Promise<string>) | null;
  /** Allows a key to be sent unencrypted, to an `http` address that is not on this machine. `LLM_ALLOW_HTTP`. */
  allowHttp?: boolean;
  /** The model, where a call names none. Default: the provider's. `LLM_MODEL`. */
  model?: string;
  /** Requests in flight at once. `LLM_ASYNC_WORKERS`, default 5. */
  workers?: number;
  /** Requests that may wait. `LLM_ASYNC_QUEUE_SIZE`, default 100. */
  queueSize?: number;
  /**
   * Whether calls wait where the queue is full. Default true: calls that are made all at once are all answered.
   * `false`: QueueFullError.
   */
  waitForQueue?: boolean;
  /**
   * The overall limit of each call, in milliseconds, its wait in the queue included. `LLM_ASYNC_TIMEOUT` (in seconds).
   * Default 30,000 from when the call has its place, and more for a call that asks for more.
   */
  timeoutMs?: number;
  /** All time limits of each call. */
  timeouts?: TimeLimits;
  /** Attempts in all, the first one included; 1 means no retries. `LLM_MAX_RETRIES`, default 3. */
  maxAttempts?: number;
  /** What the provider grants per minute. Default: no limits of our own. */
  limits?: RateLimits;
  /**
   * Lets the number of requests in flight follow what the provider bears, in place of `workers`: up
   * with each answer, down with 429, 503 and timeouts. Default `false`.
   */
  adaptive?: boolean | Adaptive;
  /**
   * A second request when the first content is late; whichever is first is taken, the other is
   * aborted. At most one call in twenty gets one. Default: none.
   */
  hedging?: Hedging;
  /** Whether whole answers are fetched as streams underneath. Default: those that may take long. */
  fetchAsStream?: boolean;
  /** How large a request may be, in bytes of JSON. Default 33,554,432. */
  maxRequestBytes?: number;
  /** What some models take and refuse, in place of what chatcore knows of them. */
  modelRules?: readonly ModelRule[];
  /** Betas of Anthropic's to take part in, by their names. */
  betas?: readonly string[];
  /** Headers for every request, in place of the dialect's own. In a page each needs the server's leave (CORS). */
  headers?: Readonly<Record<string, string>>;
  /**
   * A function to use in place of the host's, for example with a proxy. Default: `globalThis.fetch`; in
   * Node `node:http`, unless `globalThis.fetch` or undici's dispatcher was replaced.
   */
  fetch?: typeof globalThis.fetch;
  /** An offline model in place of a provider. `USE_MOCK_LLM`. */
  mock?: Mock;
  /** Allows a key in a page, where everybody who opens it can read the key. */
  dangerouslyAllowBrowser?: boolean;
}

/** A prompt, a conversation, or either with options of its own. */
export type BatchItem =
  | string | readonly AnyMessage[] | ({ prompt: string } & ChatOptions) | ({ messages: readonly AnyMessage[] } & ChatOptions);

/** Options of a batch. */
export interface BatchOptions {
  /** How many run at once. Default 5; no more than the client's `workers` are in flight. */
  concurrency?: number;
  /** Hears of every item that is done. What it throws is written to the console. */
  onProgress?: (progress: Progress) => void;
  /** Aborts what is not done: those items are errors, the others keep their answers. */
  signal?: AbortSignal;
}
