import type { LlmError } from './errors.js';
import type { Effort, Finish } from './tables.js';

/** Any JSON value. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [name: string]: JsonValue };
/** A JSON object. */
export type JsonObject = { [name: string]: JsonValue };

/** Fields that chatcore has no name for, sent as they are. */
export type Extra = { readonly [name: string]: unknown };

/** Text. */
export interface TextPart { type: 'text'; text: string; extra?: Extra }

/**
 * Where the bytes of a picture, a file or sound are: at a URL that the provider fetches, sent along in base64 or as
 * plain text, or at the provider, to which they were uploaded before.
 */
export type MediaSource =
  | { type: 'url'; url: string; media_type?: string }
  | { type: 'base64'; media_type: string; data: string }
  | { type: 'file'; file_id: string; media_type?: string }
  | { type: 'text'; text: string };

/** A picture. */
export interface ImagePart {
  type: 'image';
  source: MediaSource;
  /** How closely the model should look: `low`, `high`, `auto`, where the provider asks. */
  detail?: string;
  extra?: Extra;
}

/** A document for the model to read: a PDF, or what else the provider takes. */
export interface FilePart {
  type: 'file';
  source: MediaSource;
  /** The file's name, which the model may see. */
  name?: string;
  extra?: Extra;
}

/** Sound: what the user said, or what the model answered. The media type is `audio/wav`, `audio/mpeg` or another. */
export interface AudioPart {
  type: 'audio';
  source: MediaSource;
  /** What is said in it, where that is known. */
  transcript?: string;
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
  extra?: Extra;
}

/** What the model wrote while it reasoned; it must go back unchanged. */
export interface ReasoningPart { type: 'reasoning'; text: string; signature?: string; encrypted?: string; extra?: Extra }

/** Why the model declines. */
export interface RefusalPart { type: 'refusal'; text: string; extra?: Extra }

/** A block without a name here, sent back as it is; one that names a `dialect` goes to that dialect only. */
export interface OtherPart { type: 'other'; dialect?: string; value: JsonValue }

/** One part of a message. The names are those of its JSON form, which is the same in Rust. */
export type Part =
  | TextPart | ImagePart | FilePart | AudioPart | ToolCallPart | ToolResultPart | ReasoningPart | RefusalPart
  | OtherPart;

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

/**
 * A message in the form of OpenAI's chat completions, as another program may have stored it: `tool_calls`,
 * `tool_call_id`, parts of the type `image_url`, no content. What has no name here is sent as it is.
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
  /** Its name. */
  name: string;
  /** What it does and when to use it: the model reads this. */
  description?: string;
  /** A JSON schema of its arguments, of the type `object`. */
  parameters: object;
  /** Whether the provider must hold the model to the schema, where it can. */
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
  readonly finishReason: Finish | (string & {}) | null;
  /** The same in the provider's own word. */
  readonly finishReasonRaw: string;
  /** What it cost; null where the provider did not say. */
  readonly usage: Usage | null;
  /** The provider's id of the request. */
  readonly requestId: string | null;
  /**
   * The response's headers, their names in small letters. In a page those that the server exposes. They are no part of
   * the answer's JSON, nor of a clone.
   */
  readonly headers: Readonly<Record<string, string>>;
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

/** Vectors for texts. */
export interface Embeddings {
  /** A vector for each text, in the order of the texts. */
  readonly vectors: Float32Array<ArrayBuffer>[];
  /** The model that answered; empty where the provider did not say. */
  readonly model: string;
  /** What all requests cost together; null where the provider did not say. */
  readonly usage: Usage | null;
  /** The provider's id of the last request. */
  readonly requestId: string | null;
  /** How many requests were sent in all. */
  readonly attempts: number;
  /** The headers of the last answer, their names in small letters. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A model that a provider offers. */
export interface ModelInfo {
  /** The name to ask it by. */
  readonly id: string;
  /** Who made it; null where the provider does not say. */
  readonly owner: string | null;
  /** How many tokens of prompt and answer fit in it; null where the provider does not say. */
  readonly contextTokens: number | null;
  /** When it shuts down, as the provider writes it (`2027-01-14`); null where the provider does not say. */
  readonly shutdownDate: string | null;
  /** What else the provider says of it. */
  readonly extra: JsonObject;
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
