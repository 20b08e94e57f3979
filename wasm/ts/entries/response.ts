// `chatcore/response`: a stream as the response of a server's route, and how a page reads it. It is a separate entry, which needs
// no WebAssembly.
export { partialOf } from '../response/partial.js';
export { readResponse, ResponseStream } from '../response/read.js';
export { sendResponse, type NodeResponse } from '../response/send.js';
export { toResponse } from '../response/to-response.js';
export type { ResponseOptions } from '../response/options.js';
export type { Streamed } from '../response/frames.js';
export type { ToldError } from '../response/told.js';
export {
  AbortError, AuthError, BadRequestError, ClosedError, ConnectionError, InvalidInputError, LlmError, QueueFullError,
  RateLimitError, ServerError, StreamError, TimeoutError,
} from '../base/errors.js';
