import type { LlmError } from './errors.js';

/** Any JSON value. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [name: string]: JsonValue };
/** A JSON object. */
export type JsonObject = { [name: string]: JsonValue };

/** Fields that chatcore has no name for, sent as they are. */
export type Extra = { readonly [name: string]: unknown };

/** Text. */
export interface TextPart { type: 'text'; text: string; extra?: Extra }

/** A picture, at a URL that the provider fetches or sent along. */
export interface ImagePart {
  type: 'image';
  source: { type: 'url'; url: string } | { type: 'base64'; media_type: string; data: string };
  /** How closely the model should look: `low`, `high`, `auto`, where the provider asks. */
  detail?: string;
  extra?: Extra;
}

/** A tool that the model asks to be called. */
export interface ToolCallPart {
  type: 'tool_call';
  /** The provider's id of the call; the result names it. */
  id: string;
  /** The tool's name. */
  name: string;
  /** The arguments as JSON text, as the model wrote them; it may be invalid JSON. */
  arguments: string;
  extra?: Extra;
}

/** What a tool that the model called gave back. */
export interface ToolResultPart {
  type: 'tool_result';
  call_id: string;
  content: readonly Part[];
  /** Whether the tool failed; the content then says how. Default false. */
  is_error?: boolean;
}

/** What the model wrote while it reasoned; it must go back unchanged. */
export interface ReasoningPart { type: 'reasoning'; text: string; signature?: string; encrypted?: string; extra?: Extra }

/** Why the model declines. */
export interface RefusalPart { type: 'refusal'; text: string }

/** A block of the provider's own, sent back as it is. */
export interface OtherPart { type: 'other'; value: JsonValue }

/** One part of a message. The names are those of its JSON form, which is the same in Rust. */
export type Part = TextPart | ImagePart | ToolCallPart | ToolResultPart | ReasoningPart | RefusalPart | OtherPart;

/** One message of a conversation. `toolResult()` makes one of a tool's result. */
export interface Message {
  /** Who speaks. */
  role: 'system' | 'user' | 'assistant' | 'tool' | (string & {});
  /** What is said: text, or parts. */
  content: string | readonly Part[];
  /** The speaker's name. */
  name?: string;
  /** Fields that must go back to the provider with the message. */
  extra?: Extra;
}

/** A tool that the model may call. */
export interface Tool {
  /** Its name. */
  name: string;
  /** What it does and when to use it: the model reads this. */
  description?: string;
  /** A JSON schema of its arguments, of the type `object`. */
  parameters: object;
  /** Whether the provider must hold the model to the schema, where it can. */
  strict?: boolean;
}

/** Whether and which tool the model must call. */
export type ToolChoice = 'auto' | 'none' | 'required' | { tool: string };

/** How much the model should reason. */
export type ReasoningEffort = 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max' | (string & {});

/** What form the answer must have. `strict` holds the model to the schema; default false. */
export type ResponseFormat =
  | { type: 'text' }
  | { type: 'json_object' }
  | { type: 'json_schema'; name: string; schema: object; strict?: boolean };

/** What an answer cost, in tokens. */
export interface Usage {
  /** Of the prompt. */
  inputTokens: number;
  /** Of the answer, its reasoning included. */
  outputTokens: number;
  /** Of the input: read from the provider's cache. */
  cacheReadTokens?: number;
  /** Of the input: written to the provider's cache. */
  cacheWriteTokens?: number;
  /** Of the output: spent on reasoning. */
  reasoningTokens?: number;
  /** The provider's own object, as JSON text. */
  rawJson?: string;
}

/** A whole answer. `String(response)` is its text. */
export interface ChatResponse {
  /** The text. */
  readonly text: string;
  /** What the model wrote while it reasoned. */
  readonly reasoning: string;
  /** The tools that the model asks to be called. */
  readonly toolCalls: readonly ToolCallPart[];
  /** Why the model declined, where the provider keeps that apart from its text. */
  readonly refusal: string | null;
  /** The answer as a message: push it to the conversation to go on. */
  readonly message: Message;
  /** The provider's id of the answer; empty where it gave none. */
  readonly id: string;
  /** The model that answered; empty where the provider did not say. */
  readonly model: string;
  /** `stop`, `length`, `tool_calls`, `content_filter`, `refusal`, `pause`, or the provider's word. */
  readonly finishReason: string | null;
  /** The same in the provider's own word. */
  readonly finishReasonRaw: string;
  /** What it cost; null where the provider did not say. */
  readonly usage: Usage | null;
  /** The provider's id of the request. */
  readonly requestId: string | null;
  /** How often the request was sent. */
  readonly attempts: number;
  /** How many events of the stream chatcore did not know and passed over. */
  readonly skippedEvents: number;
  /** Fields of the answer that chatcore has no name for. */
  readonly extra: JsonObject;
  toString(): string;
}

/** One piece of an answer. */
export type ChatEvent =
  | { type: 'start'; id: string | null; model: string | null }
  | { type: 'text' | 'reasoning' | 'refusal'; text: string }
  | { type: 'reasoning_signature'; signature: string }
  | { type: 'tool_call_start'; index: number; id: string; name: string }
  | { type: 'tool_call_arguments'; index: number; fragment: string }
  | { type: 'tool_call_extra'; index: number; extra: JsonObject }
  | { type: 'part'; part: Part }
  | { type: 'part_end' }
  | { type: 'part_extra' | 'message_extra' | 'extra'; extra: JsonObject }
  | { type: 'usage'; usage: Usage }
  | { type: 'finish'; reason: string; raw: string };

/** Time limits in milliseconds; `Infinity` lifts one. Connecting is the host's own matter. */
export interface TimeLimits {
  /** Waiting in the queue. */
  queue?: number;
  /** From the start of an attempt to the response's headers. */
  headers?: number;
  /** From the start of an attempt to the first content. */
  firstContent?: number;
  /** Between any two bytes, keep-alives included. Default 60,000. */
  byteIdle?: number;
  /** Between two pieces of content. */
  contentIdle?: number;
  /** One attempt. */
  attempt?: number;
  /** The whole call; for a stream until its first content. Default 30,000. */
  overall?: number;
  /** The whole call, for a stream too, to its last event. */
  total?: number;
}

/** Options of one call. */
export interface ChatOptions {
  /** The model; the client's by default. */
  model?: string;
  /** How freely to sample, 0 to 2. Default 0 for a prompt and 0.7 for a conversation; null sends none. */
  temperature?: number | null;
  /** How many tokens the answer may have at most. Default 256; null sends none. */
  maxTokens?: number | null;
  /** Instructions before the conversation. */
  systemPrompt?: string;
  /** Sample only from the likeliest tokens of this probability. */
  topP?: number;
  /** Texts that end the answer. */
  stop?: readonly string[];
  /** A seed for providers that can repeat an answer. */
  seed?: number;
  /** The tools that the model may call. */
  tools?: readonly Tool[];
  /** Whether and which tool it must call. */
  toolChoice?: ToolChoice;
  /** How much the model should reason. */
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
  maxRetries?: number;
  /** Whether to wait where the queue is full. Default false: QueueFullError. */
  waitForQueue?: boolean;
  /**
   * Whether a whole answer is fetched as a stream underneath, with the same result. Default: the client's, or else if it
   * may take long, because the model reasons or the answer may have more than 2,048 tokens.
   */
  fetchAsStream?: boolean;
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

/** Options of a client. In Node what is missing is read from the environment variables. */
export interface ClientOptions {
  /**
   * Who answers, which says how it is spoken to. Default `deepseek`, or `openai_compatible` with a
   * `baseURL`. `LLM_PROVIDER`.
   */
  provider?: 'deepseek' | 'openai' | 'anthropic' | 'openai_compatible';
  /**
   * The provider's address, the version in its path included: `https`, or `http` on loopback. In
   * a page it may be relative to the page. `LLM_BASE_URL`.
   */
  baseURL?: string;
  /**
   * The key, or a function that gives one for each attempt. `null` sends none, where a server of
   * your own adds it. `LLM_API_KEY`, or the provider's own (`OPENAI_API_KEY`).
   */
  apiKey?: string | (() => string | Promise<string>) | null;
  /** The model, where a call names none. Default: the provider's. `LLM_MODEL`. */
  model?: string;
  /** Requests in flight at once. `LLM_ASYNC_WORKERS`, default 5. */
  workers?: number;
  /** Requests that may wait. `LLM_ASYNC_QUEUE_SIZE`, default 100. */
  queueSize?: number;
  /** The overall limit of each call, in milliseconds. `LLM_ASYNC_TIMEOUT` (in seconds), default 30,000. */
  timeoutMs?: number;
  /** All time limits of each call. */
  timeouts?: TimeLimits;
  /** Attempts in all, the first one included; 1 means no retries. `LLM_MAX_RETRIES`, default 3. */
  maxRetries?: number;
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

/** What a client does at one moment. */
export interface Status {
  /** Requests that may ever be in flight at once. */
  maxWorkers: number;
  /** Requests that may be in flight now: `maxWorkers`, unless `adaptive` found that fewer are borne. */
  limit: number;
  /** Requests in flight. */
  active: number;
  /** Requests that wait. */
  queued: number;
  /** Requests that may wait. */
  queueSize: number;
  /** Whether it takes no more calls. */
  closed: boolean;
  /** Calls so far: begun, answered, failed, dropped by the caller; and attempts after the first. */
  started: number; succeeded: number; failed: number; cancelled: number; retried: number;
}

/** What became of one of many. */
export type Settled<T, E extends Error = LlmError> = { ok: true; value: T } | { ok: false; error: E };

/** A prompt, a conversation, or either with options of its own. */
export type BatchItem =
  | string | readonly Message[] | ({ prompt: string } & ChatOptions) | ({ messages: readonly Message[] } & ChatOptions);

/** How far a batch has come, told after each item. */
export interface Progress {
  /** Items in all, where that is known. */
  total?: number;
  /** Items that ended well. */
  done: number;
  /** Items that failed. */
  failed: number;
  /** Items that ended, well or not. */
  finished: number;
  /** Items that run. */
  inFlight: number;
  /** Tokens that the items which ended well cost, input and output together. */
  tokens: number;
  /** Milliseconds since the batch began. */
  elapsedMs: number;
  /** How many more the rest will take at the pace so far, where the total is known. */
  remainingMs?: number;
}

/** Options of a batch. */
export interface BatchOptions {
  /** How many run at once. Default 5; no more than the client's `workers` are in flight. */
  concurrency?: number;
  /** Hears of every item that is done. What it throws is written to the console. */
  onProgress?: (progress: Progress) => void;
  /** Aborts what is not done: those items are errors, the others keep their answers. */
  signal?: AbortSignal;
}
