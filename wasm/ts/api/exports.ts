// The public exports of the package, which every entry re-exports.
export { BatchProcessor } from './batch.js';
export { LlmClient } from './client.js';
export { RateLimiter } from './rate-limiter.js';
export { ChatStream } from './stream.js';
export { gatherWithLimit, runWithTimeout } from './helpers.js';
export { hostFetch } from './host-fetch.js';
export { preload } from './preload.js';
export { toolResult } from './message.js';
export { audioPart, filePart, imagePart, textPart } from './parts.js';
export type { AudioOptions, FileOptions, ImageOptions, Media, MediaOptions, PartOptions, ReadableMedia } from './parts.js';
export { MismatchError } from '../base/mismatch.js';
export {
  AbortError, AuthError, BadRequestError, ClosedError, ConnectionError, InvalidInputError, LlmError, QueueFullError,
  RateLimitError, ServerError, StreamError, TimeoutError,
} from '../base/errors.js';
export type { ErrorCode, LlmErrorDetails, TimeoutPhase } from '../base/errors.js';
export type { Closing } from './batch.js';
export type { BatchClient, BatchJournal, BatchRequest, JournalItem, JournalItems, JournalOptions, JsonLines } from './journal.js';
export type { TypedStream } from './stream.js';
export type {
  AnySchema, DeepPartial, FromJsonSchema, InputOf, JsonSchemaOf, OutputOf, SchemaIssue, SchemaResult, StandardSchema,
} from '../base/schema.js';
export type { BatchResult } from './round-stream.js';
export type {
  Adaptive, BatchItem, BatchOptions, BatchProcessorOptions, ChatOptions, ClientOptions, EmbedOptions, FetchInit, FetchLike, FetchResponse, HeadersLike, Hedging, Mock, ModelRule, RateLimits,
  SchemaOptions, TimeLimits,
} from './options.js';
export type { ProviderName, Reasons, Takes } from '../base/tables.js';
export type {
  AnyMessage, AnyTool, AudioPart, ChatEvent, ChatResponse, Embeddings, Extra, FilePart, ImagePart, JsonObject, JsonValue,
  MediaSource, Message, ModelInfo, OpenAIMessage, OpenAIResponseFormat, OpenAITool, OpenAIToolChoice, OtherPart, Part, Progress,
  ReasoningEffort, ReasoningPart, RefusalPart, ResponseFormat, Settled, Status, TextPart, Tool, ToolCallPart, ToolChoice, ToolResultPart, TypedResponse, Usage,
} from '../base/types.js';
