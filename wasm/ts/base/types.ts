import type { LlmError } from './errors.js';
import type { Effort, Finish } from './tables.js';

/** Any JSON value. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [name: string]: JsonValue };
/** A JSON object. */
export type JsonObject = { [name: string]: JsonValue };

/** Fields that chatcore has no name for. They are sent unchanged. */
export type Extra = { readonly [name: string]: unknown };

/** Text. */
export interface TextPart { type: 'text'; text: string; extra?: Extra }

/**
 * Where the bytes of an image, a file or an audio are: at a URL that the provider fetches, in the request as base64 or
 * plain text, or in a file that was uploaded to the provider before.
 */
export type MediaSource =
  | { type: 'url'; url: string; media_type?: string }
  | { type: 'base64'; media_type: string; data: string }
  | { type: 'file'; file_id: string; media_type?: string }
  | { type: 'text'; text: string };

/** An image. */
export interface ImagePart {
  type: 'image';
  source: MediaSource;
  /** How closely the model should look, if the provider supports it: `low`, `high`, `auto`. */
  detail?: string;
  extra?: Extra;
}

/** A document for the model to read: a PDF, or another type that the provider accepts. */
export interface FilePart {
  type: 'file';
  source: MediaSource;
  /** The file's name, which the model may see. */
  name?: string;
  extra?: Extra;
}

/** Audio from the user or the model. The media type is `audio/wav`, `audio/mpeg` or another. */
export interface AudioPart {
  type: 'audio';
  source: MediaSource;
  /** The spoken text, if it is known. */
  transcript?: string;
  extra?: Extra;
}

/** A tool call that the model requests. */
export interface ToolCallPart {
  type: 'tool_call';
  /** The provider's id of the call; the result names it. */
  id: string;
  /** The tool's name. */
  name: string;
  /** The arguments as JSON text, as the model wrote them; the JSON may be invalid. */
  arguments: string;
  extra?: Extra;
}

/** The result of a tool call. */
export interface ToolResultPart {
  type: 'tool_result';
  call_id: string;
  content: readonly Part[];
  /** Whether the tool failed; the content then describes the error. Default false. */
  is_error?: boolean;
  extra?: Extra;
}

/** The model's reasoning. It must be sent back unchanged. */
export interface ReasoningPart { type: 'reasoning'; text: string; signature?: string; encrypted?: string; extra?: Extra }

/** Why the model declines. */
export interface RefusalPart { type: 'refusal'; text: string; extra?: Extra }

/** A block that chatcore has no type for. It is sent back unchanged, and only in its `dialect` if it names one. */
export interface OtherPart { type: 'other'; dialect?: string; value: JsonValue }

/** One part of a message. The names are those of the JSON form, which is the same in Rust. */
export type Part =
  | TextPart | ImagePart | FilePart | AudioPart | ToolCallPart | ToolResultPart | ReasoningPart | RefusalPart
  | OtherPart;

/** One message of a conversation. `toolResult()` makes a message from a tool's result. */
export interface Message {
  /** The author of the message. */
  role: 'system' | 'user' | 'assistant' | 'tool' | (string & {});
  /** The content: text, or parts. */
  content: string | readonly Part[];
  /** The author's name. */
  name?: string;
  /** Fields that must be sent back to the provider with the message. */
  extra?: Extra;
}

/**
 * A message in the form of OpenAI's chat completions, as another program may have stored it: `tool_calls`,
 * `tool_call_id`, parts of the type `image_url`, no content. Unknown fields are sent unchanged.
 */
export interface OpenAIMessage {
  role: string;
  content?: string | readonly { readonly type: string; readonly [field: string]: unknown }[] | null;
  readonly [field: string]: unknown;
}

/** A message in either form. */
export type AnyMessage = Message | OpenAIMessage;

/** A tool that the model may call. */
export interface Tool {
  /** The tool's name. */
  name: string;
  /** What the tool does and when to use it. The model reads this. */
  description?: string;
  /** A JSON schema of its arguments, of the type `object`. */
  parameters: object;
  /** Whether the provider must make the model follow the schema, if it can. */
  strict?: boolean;
  /** Fields of the tool that chatcore has no name for, such as `cache_control`. */
  extra?: Extra;
}

/** A function in the form of OpenAI's chat completions. */
export interface OpenAITool {
  type: 'function';
  function: { name: string; description?: string; parameters?: object; strict?: boolean | null };
}

/** A tool in either form. */
export type AnyTool = Tool | OpenAITool;

/** Whether and which tool the model must call. */
export type ToolChoice = 'auto' | 'none' | 'required' | { tool: string };

/** The choice of one tool in the form of OpenAI's chat completions. */
export interface OpenAIToolChoice { type: 'function'; function: { name: string } }

/** How much the model should reason. */
export type ReasoningEffort = Effort | (string & {});

/** The format of the answer. `strict` makes the model follow the schema; default false. `description` tells the model what it is for. */
export type ResponseFormat =
  | { type: 'text' }
  | { type: 'json_object' }
  | { type: 'json_schema'; name: string; schema: object; strict?: boolean; description?: string };

/** A JSON schema in the form of OpenAI's chat completions. */
export interface OpenAIResponseFormat {
  type: 'json_schema';
  json_schema: { name: string; schema: object; strict?: boolean | null; description?: string };
}

/** The tokens that an answer cost. */
export interface Usage {
  /** Tokens of the prompt. */
  inputTokens: number;
  /** Tokens of the answer, including its reasoning. */
  outputTokens: number;
  /** Input tokens that were read from the provider's cache. */
  cacheReadTokens?: number;
  /** Input tokens that were written to the provider's cache. */
  cacheWriteTokens?: number;
  /** Output tokens that were spent on reasoning. */
  reasoningTokens?: number;
  /** The provider's own usage object, as JSON text. */
  rawJson?: string;
}

/** A whole answer. `String(response)` is its text. */
export interface ChatResponse {
  /** The text. */
  readonly text: string;
  /** The model's reasoning, as text. */
  readonly reasoning: string;
  /** The tool calls that the model requests. */
  readonly toolCalls: readonly ToolCallPart[];
  /** Why the model declined, if the provider separates that from the text. */
  readonly refusal: string | null;
  /** The answer as a message. Append it to the messages to continue the conversation. */
  readonly message: Message;
  /** The provider's id of the answer; empty if it gave none. */
  readonly id: string;
  /** The model that answered; empty if the provider did not say. */
  readonly model: string;
  /** `stop`, `length`, `tool_calls`, `content_filter`, `refusal`, `pause`, or the provider's word. */
  readonly finishReason: Finish | (string & {}) | null;
  /** The finish reason in the provider's own word. */
  readonly finishReasonRaw: string;
  /** What the answer cost; null if the provider did not say. */
  readonly usage: Usage | null;
  /** The provider's id of the request. */
  readonly requestId: string | null;
  /**
   * The response's headers, with names in lower case; in a page only those that the server exposes. They are not part
   * of the answer's JSON or of a clone.
   */
  readonly headers: Readonly<Record<string, string>>;
  /** How often the request was sent. */
  readonly attempts: number;
  /** How many unknown events of the stream chatcore skipped. */
  readonly skippedEvents: number;
  /** Fields of the answer that chatcore has no name for. */
  readonly extra: JsonObject;
  toString(): string;
}

/**
 * A typed answer. If the model had to correct it, it is the last answer, and its `usage` and `attempts` count all of
 * them.
 */
export interface TypedResponse<T> extends ChatResponse {
  /** The validated value. */
  readonly value: T;
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

/** Vectors for texts. */
export interface Embeddings {
  /** A vector for each text, in the order of the texts. */
  readonly vectors: Float32Array<ArrayBuffer>[];
  /** The model that answered; empty if the provider did not say. */
  readonly model: string;
  /** What all requests together cost; null if the provider did not say. */
  readonly usage: Usage | null;
  /** The provider's id of the last request. */
  readonly requestId: string | null;
  /** How many requests were sent in all. */
  readonly attempts: number;
  /** The headers of the last response, with names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A model that a provider offers. */
export interface ModelInfo {
  /** The name to use as `model`. */
  readonly id: string;
  /** Who made the model; null if the provider does not say. */
  readonly owner: string | null;
  /** How many tokens of prompt and answer the model can hold; null if the provider does not say. */
  readonly contextTokens: number | null;
  /** When the model shuts down, as the provider writes it (`2027-01-14`); null if the provider does not say. */
  readonly shutdownDate: string | null;
  /** The provider's other fields of the model. */
  readonly extra: JsonObject;
}

/** The load and the counters of a client at one moment. */
export interface Status {
  /** The most requests that may ever be in flight at once. */
  maxWorkers: number;
  /** The most requests that may be in flight now: `maxWorkers`, or fewer if `adaptive` has lowered the limit. */
  limit: number;
  /** Requests in flight. */
  active: number;
  /** Requests in the queue. */
  queued: number;
  /** The most requests that the queue can hold. */
  queueSize: number;
  /** Whether the client is closed. */
  closed: boolean;
  /** Calls so far: started, succeeded, failed, cancelled by the caller; and retries (attempts after the first). */
  started: number; succeeded: number; failed: number; cancelled: number; retried: number;
}

/** The result of one of many items: its value, or its error. */
export type Settled<T, E extends Error = LlmError> = { ok: true; value: T } | { ok: false; error: E };

/** The progress of a batch, reported after each item. */
export interface Progress {
  /** The total number of items, if it is known. */
  total?: number;
  /** Items that succeeded. */
  done: number;
  /** Items that failed. */
  failed: number;
  /** Items that succeeded or failed. */
  finished: number;
  /** Items that are running. */
  inFlight: number;
  /** Tokens that the successful items cost, input and output together. */
  tokens: number;
  /** Milliseconds since the batch began. */
  elapsedMs: number;
  /** Milliseconds that the remaining items will take at the pace so far, if the total is known. */
  remainingMs?: number;
}
