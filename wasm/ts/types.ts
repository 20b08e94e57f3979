/** Any JSON value. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [name: string]: JsonValue };
/** A JSON object. */
export type JsonObject = { [name: string]: JsonValue };

/** One part of a message: text, or another kind with its own fields. */
export type Part = { type: 'text'; text: string } | ({ type: string } & { [name: string]: JsonValue });

/** One message of a conversation. */
export interface Message {
  /** Who speaks. */
  role: 'system' | 'user' | 'assistant' | 'tool' | (string & {});
  /** What is said: text, or parts. */
  content: string | Part[];
  /** The speaker's name. */
  name?: string;
  /** Fields that must go back to the provider with the message. */
  extra?: JsonObject;
}

/** A tool that the model may call. */
export interface Tool {
  /** Its name. */
  name: string;
  /** What it does. */
  description?: string;
  /** A JSON schema of its arguments. */
  parameters: JsonObject;
}

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
}

/** A whole answer. `String(response)` is its text. */
export interface ChatResponse {
  /** The text. */
  readonly text: string;
  /** What the model wrote while it reasoned. */
  readonly reasoning: string;
  /** The answer as a message: push it to the conversation to go on. */
  readonly message: Message;
  /** The provider's id of the answer. */
  readonly id: string;
  /** The model that answered. */
  readonly model: string;
  /** `stop`, `length`, `tool_calls`, `content_filter`, `refusal`, `pause`, or the provider's word. */
  readonly finishReason: string | null;
  /** What it cost; null where the provider did not say. */
  readonly usage: Usage | null;
  /** The provider's id of the request. */
  readonly requestId: string | null;
  /** How often the request was sent. */
  readonly attempts: number;
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
  | { type: 'finish'; reason: string; raw: string }
  | { type: 'unknown' };

/** Time limits in milliseconds. */
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
  stop?: string[];
  /** A seed for providers that can repeat an answer. */
  seed?: number;
  /** The tools that the model may call. */
  tools?: Tool[];
  /** Fields for the provider that chatcore has no name for. */
  extra?: JsonObject;
  /** Aborts the call. */
  signal?: AbortSignal;
  /** The overall limit, in milliseconds. */
  timeoutMs?: number;
  /** All time limits. */
  timeouts?: TimeLimits;
  /** Attempts in all, the first one included. */
  maxRetries?: number;
  /** Whether to wait where the queue is full. Default false: QueueFullError. */
  waitForQueue?: boolean;
}

/** An offline model: true echoes, a function answers from the conversation. */
export type Mock = boolean | ((messages: Message[]) => string | Promise<string>);

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

/** Options of a client. In Node what is missing is read from the environment variables. */
export interface ClientOptions {
  /** `deepseek`, `openai`, `anthropic`, or `openai_compatible` (the default with a `baseURL`). `LLM_PROVIDER`. */
  provider?: string;
  /** The provider's address; in a page it may be relative to the page's origin. `LLM_BASE_URL`. */
  baseURL?: string;
  /** The key, or a function that gives one for each attempt. `LLM_API_KEY`, or the provider's own. */
  apiKey?: string | (() => string | Promise<string>);
  /** The model. `LLM_MODEL`. */
  model?: string;
  /** Requests in flight at once. `LLM_ASYNC_WORKERS`, default 5. */
  workers?: number;
  /** Requests that may wait. `LLM_ASYNC_QUEUE_SIZE`, default 100. */
  queueSize?: number;
  /** The overall limit of each call, in milliseconds. `LLM_ASYNC_TIMEOUT` (in seconds), default 30,000. */
  timeoutMs?: number;
  /** All time limits of each call. */
  timeouts?: TimeLimits;
  /** Attempts in all, the first one included. `LLM_MAX_RETRIES`, default 3. */
  maxRetries?: number;
  /** What the provider grants per minute. Default: no limits of our own. */
  limits?: RateLimits;
  /** Headers for every request. In a page each needs the server's leave (CORS). */
  headers?: Record<string, string>;
  /** A function to use in place of the host's `fetch`. */
  fetch?: typeof globalThis.fetch;
  /** An offline model in place of a provider. `USE_MOCK_LLM`. */
  mock?: Mock;
  /** Allows a key in a page, where everybody who opens it can read the key. */
  dangerouslyAllowBrowser?: boolean;
}

/** What a client does at one moment. */
export interface Status {
  maxWorkers: number; active: number; queued: number; queueSize: number; closed: boolean;
  started: number; succeeded: number; failed: number; cancelled: number; retried: number;
}

/** What became of one of many. */
export type Settled<T> = { ok: true; value: T } | { ok: false; error: Error };

/** A prompt, a conversation, or either with options of its own. */
export type BatchItem = string | Message[] | ({ prompt: string } & ChatOptions) | ({ messages: Message[] } & ChatOptions);

/** How far a batch is. */
export interface Progress { done: number; total: number; failed: number }

/** Options of a batch. */
export interface BatchOptions {
  /** How many run at once. Default 5. */
  concurrency?: number;
  /** Hears of every item that is done. */
  onProgress?: (progress: Progress) => void;
  /** Aborts what is not done. */
  signal?: AbortSignal;
}
