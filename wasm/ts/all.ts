export { LlmClient } from './client.js';
export { ChatStream } from './stream.js';
export { BatchProcessor } from './batch.js';
export { RateLimiter, gatherWithLimit, runWithTimeout } from './helpers.js';
export { preload } from './load.js';
export {
  AbortError, AuthError, BadRequestError, ClosedError, ConnectionError, LlmError, QueueFullError,
  RateLimitError, ServerError, StreamError, TimeoutError,
} from './errors.js';
export type { LlmErrorDetails, TimeoutPhase } from './errors.js';
export type { BatchProcessorOptions } from './batch.js';
export type {
  BatchItem, BatchOptions, ChatEvent, ChatOptions, ChatResponse, ClientOptions, JsonObject, JsonValue,
  Message, Mock, Part, Progress, RateLimits, Settled, Status, TimeLimits, Tool, Usage,
} from './types.js';
