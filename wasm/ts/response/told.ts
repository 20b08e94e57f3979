// What a page is told of an error. The provider's own words stay on the server, because they may name an account or a key.
import { errorOf, LlmError, type ErrorCode } from '../base/errors.js';

/** An error, as it is sent to a page. */
export interface ToldError {
  /** The kind of the error. What only the server can mend, such as a key, is `server`. */
  code: ErrorCode;
  message: string;
  /** Whether the same request may succeed later. */
  retryable: boolean;
  /** How long the page should wait before it asks again. */
  retryAfterMs?: number;
}

/** The kinds of errors that a page can do something about, each with the status of the response and a message. */
const TOLD: Partial<Record<ErrorCode, readonly [status: number, message: string]>> = {
  invalid_input: [400, 'the request is not valid'],
  rate_limited: [429, 'there are too many requests; try again later'],
  overloaded: [503, 'the service is overloaded; try again later'],
  queue_full: [503, 'the service is overloaded; try again later'],
  timeout: [504, 'the answer took too long'],
  connection: [502, 'the connection to the service failed'],
  truncated: [502, 'the answer ended too early'],
  out_of_tokens: [502, 'the answer reached its limit of tokens before it had any text'],
  limit_reached: [502, 'the answer took more steps than are allowed'],
  aborted: [499, 'the call was aborted'],
};

/** @internal The status of a response for an error, and what the page is told. */
export function told(error: unknown): { status: number; error: ToldError } {
  const { code: own, retryable, retryAfterMs, cause } = error instanceof LlmError ? error : { code: 'server', retryable: false, retryAfterMs: undefined, cause: undefined } as const;
  // The signal of the server, whose page still waits.
  const isTime = own === 'aborted' && (cause as Error | undefined)?.name === 'TimeoutError';
  const code = isTime ? 'timeout' : own;
  const known = TOLD[code];
  const [status, text] = known ?? [502, 'the request failed'];
  return {
    status,
    error: {
      code: known ? code : 'server', message: text, retryable: retryable || isTime || code === 'queue_full',
      ...retryAfterMs === undefined ? {} : { retryAfterMs },
    },
  };
}

/** @internal Whether it is an error of `told`. Other servers' errors have other fields. */
export const isTold = (value: unknown): value is ToldError => {
  const { code, message, retryable } = (value ?? {}) as Partial<ToldError>;
  return typeof code === 'string' && typeof message === 'string' && typeof retryable === 'boolean';
};

/** @internal The error in the page. */
export function fromTold({ code, message, retryable, retryAfterMs }: ToldError, partialText: string, status?: number): LlmError {
  return errorOf(message, { code, status, retryable, retryAfterMs, attempts: 1, partialText: partialText || undefined });
}

/** @internal The error for a response that no `toResponse` made. */
export function fromStatus(status: number): LlmError {
  const code = status === 401 || status === 403 ? 'auth' : status === 404 ? 'not_found' : status === 429 ? 'rate_limited' : status >= 500 ? 'server' : 'bad_request';
  const message = `the server answered with the status ${status}${status === 404 ? '; check the path of the route' : ''}`;
  return fromTold({ code, message, retryable: status === 429 || status >= 500 }, '', status);
}
