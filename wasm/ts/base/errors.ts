import type { ErrorCode as CoreCode, TimeoutPhase } from './tables.js';
import { spoken } from './wording.js';

export type { TimeoutPhase };

/** The kind of an error in one word: one of the core's, or `aborted`. */
export type ErrorCode = CoreCode | 'aborted';

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** The fields of every error of chatcore. */
export interface LlmErrorDetails {
  /** The kind in one word, such as `rate_limited`, `auth`, `timeout`, `truncated`. */
  code: ErrorCode;
  /** The HTTP status of the response, if one came; 200 for an error inside a stream. */
  status?: number | undefined;
  /** Whether sending the same request again may help. */
  retryable?: boolean;
  /** How long the provider asks the client to wait, in milliseconds. */
  retryAfterMs?: number | undefined;
  /** The provider's id of the request. */
  requestId?: string | undefined;
  /** How often the request was sent; 0 if it never was. */
  attempts?: number;
  /** The text that had come before the call failed. */
  partialText?: string | undefined;
  /** The provider's own error code or type, such as `insufficient_quota`. */
  providerCode?: string | undefined;
  /** The field of the request that the provider names as the cause. */
  param?: string | undefined;
  /** The body of the error response, at most 8 KiB, without keys. */
  body?: string | undefined;
  /** Which time limit ran out, for a TimeoutError. */
  phase?: TimeoutPhase | undefined;
  /** The error or the abort reason that caused this one. */
  cause?: unknown;
}

/** A property of the prototypes of the classes below: the class's name. Other copies of the package use the same symbol. */
const CLASS = Symbol.for('chatcore: class of errors');

/** The base class of all errors of chatcore. Keys and other secrets of 8 characters or more are redacted in it. */
export class LlmError extends Error {
  /** Errors of another copy of the package count as instances too, such as those of its CommonJS form or of another realm. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    const own: unknown = Object.hasOwn(this.prototype, CLASS) ? (this.prototype as { [CLASS]?: unknown })[CLASS] : undefined;
    for (let at = isObject(value) ? Object.getPrototypeOf(value) as object | null : null; at; at = Object.getPrototypeOf(at) as object | null) {
      if (at === this.prototype || (own !== undefined && Object.hasOwn(at, CLASS) && (at as { [CLASS]?: unknown })[CLASS] === own)) return true;
    }
    return false;
  }

  /** The kind in one word, such as `rate_limited`, `auth`, `timeout`, `truncated`. */
  declare readonly code: ErrorCode;
  /** The HTTP status of the response, if one came. */
  declare readonly status: number | undefined;
  /** Whether sending the same request again may help. */
  declare readonly retryable: boolean;
  /** How long the provider asks the client to wait, in milliseconds. */
  declare readonly retryAfterMs: number | undefined;
  /** The provider's id of the request. */
  declare readonly requestId: string | undefined;
  /** How often the request was sent; 0 if it never was. */
  declare readonly attempts: number;
  /** The text that had come before the call failed. */
  declare readonly partialText: string | undefined;
  /** The provider's own error code or type. */
  declare readonly providerCode: string | undefined;
  /** The field of the request that the provider names as the cause. */
  declare readonly param: string | undefined;
  /** The body of the error response, at most 8 KiB, without keys. */
  declare readonly body: string | undefined;
  /** The response's headers, with names in lower case, without keys. They are not printed with the error. */
  declare readonly headers: Readonly<Record<string, string>> | undefined;

  constructor(message: string, details: LlmErrorDetails) {
    const { cause, ...rest } = details;
    super(message, cause === undefined ? undefined : { cause });
    // Unknown fields are left out, so that a printed error is short.
    const known = Object.entries(rest).filter(([, value]) => value !== undefined);
    Object.assign(this, { retryable: false, attempts: 0, ...Object.fromEntries(known) });
  }

  /** The error for `JSON.stringify`, which leaves out the name and the message of an error otherwise. */
  toJSON(): object {
    return Object.assign({ name: this.name, message: this.message }, this);
  }
}

/** Too many requests or tokens in a period (429), or no quota left. */
export class RateLimitError extends LlmError {}
/** The key is not accepted (401), or lacks the permission (403). */
export class AuthError extends LlmError {}
/** The provider refused the request (another 4xx). */
export class BadRequestError extends LlmError {}
/** chatcore refused the call before anything was sent: an argument is wrong. */
export class InvalidInputError extends LlmError {}
/** The provider failed or is overloaded (5xx). */
export class ServerError extends LlmError {}
/** No connection could be made, or the connection was lost. */
export class ConnectionError extends LlmError {}
/** A time limit ran out. */
export class TimeoutError extends LlmError {
  /** The limit that ran out. */
  declare readonly phase: TimeoutPhase;
  constructor(message: string, details: LlmErrorDetails) {
    super(message, { ...details, phase: details.phase ?? 'overall' });
  }
}
/** The caller aborted the call; `cause` is the signal's reason. */
export class AbortError extends LlmError {}
/** The answer ended too early, contained an error, or does not follow the provider's protocol. */
export class StreamError extends LlmError {}
/** The queue is full. */
export class QueueFullError extends LlmError {}
/** The client is closed. */
export class ClosedError extends LlmError {}

/** @internal Makes classes of errors known to other copies of the package, and restores their names, which the build shortens. */
export function declared(classes: Record<string, { prototype: object }>): void {
  for (const [name, Class] of Object.entries(classes)) {
    // On the prototype too, because an error's stack is written before a field would be set.
    for (const of of [Class, Class.prototype]) Object.defineProperty(of, 'name', { value: name, configurable: true, writable: true });
    Object.defineProperty(Class.prototype, CLASS, { value: name });
  }
}

declared({
  LlmError, RateLimitError, AuthError, BadRequestError, InvalidInputError, ServerError, ConnectionError, TimeoutError, AbortError, StreamError,
  QueueFullError, ClosedError,
});

/** @internal An error as the core writes it. */
export interface ErrorView {
  code: ErrorCode; message: string; status?: number; retryable: boolean; retry_after_ms?: number;
  request_id?: string; attempts: number; phase?: TimeoutPhase; partial_text?: string;
  provider_code?: string; param?: string; body?: string; in_stream: boolean;
}

// A code without a class does not compile.
const CLASSES: Readonly<Record<ErrorCode, typeof LlmError>> = {
  rate_limited: RateLimitError, quota_exceeded: RateLimitError, auth: AuthError,
  bad_request: BadRequestError, not_found: BadRequestError, invalid_input: InvalidInputError,
  overloaded: ServerError, server: ServerError, connection: ConnectionError, timeout: TimeoutError,
  truncated: StreamError, out_of_tokens: StreamError, invalid_output: StreamError, protocol: StreamError, response_too_large: StreamError,
  queue_full: QueueFullError, closed: ClosedError, aborted: AbortError, config: LlmError, journal: LlmError,
  limit_reached: LlmError, internal: LlmError,
};

/** @internal The error with this code, which may come from a newer version. */
export const errorOf = (message: string, details: LlmErrorDetails) => new (Object.hasOwn(CLASSES, details.code) ? CLASSES[details.code] : LlmError)(message, details);

/** @internal */
export function fromView(view: ErrorView, partialText?: string, cause?: unknown): LlmError {
  const Class = view.in_stream ? StreamError : CLASSES[view.code];
  return new Class(spoken(view.message), {
    code: view.code, status: view.status, retryable: view.retryable, retryAfterMs: view.retry_after_ms,
    requestId: view.request_id, attempts: view.attempts, partialText: view.partial_text ?? (partialText || undefined),
    providerCode: view.provider_code, param: view.param, body: view.body, phase: view.phase, cause,
  });
}

/** @internal Turns a thrown value, or the JSON with which the core refused a call, into an LlmError. */
export function fromRejection(reason: unknown): LlmError {
  if (reason instanceof LlmError) return reason;
  if (typeof reason === 'string') return fromView(JSON.parse(reason) as ErrorView);
  return new LlmError(`a bug in chatcore: ${String(reason)}`, { code: 'internal', cause: reason });
}

/** @internal Adds the headers of the response. */
export function addHeaders(error: LlmError, headers: Readonly<Record<string, string>>): void {
  Object.defineProperty(error, 'headers', { value: headers, configurable: true, writable: true });
}

/** @internal */
export function abortError(signal: AbortSignal | undefined, partialText?: string): AbortError {
  const isTime = isObject(signal?.reason) && (signal.reason as Error).name === 'TimeoutError';
  return new AbortError(isTime ? 'the call was aborted, because the time of its signal was up' : 'the call was aborted', {
    code: 'aborted', cause: signal?.reason, partialText: partialText || undefined,
  });
}

/** @internal */
export const closed = (what = 'client') => new ClosedError(`the ${what} is closed`, { code: 'closed' });

/** @internal */
export const invalidInput = (message: string, cause?: unknown) => new InvalidInputError(message, { code: 'invalid_input', cause });

/** @internal An error with a code like Node's errors. */
export const codedError = (message: string, code: string, cause?: unknown) =>
  Object.assign(new Error(message, cause === undefined ? undefined : { cause }), { code });

/** @internal The frames of a stack, starting at the caller's line. */
export interface Site { stack?: string }

/** @internal Captures the line that called `above`, a function of the package. */
export function siteAbove(above: (...words: never[]) => unknown): Site {
  const site: Site = {};
  // Not every engine has it; without it the package's own frames come first.
  const { captureStackTrace } = Error as { captureStackTrace?(into: object, above: unknown): void };
  if (captureStackTrace) captureStackTrace.call(Error, site, above);
  else site.stack = new Error().stack ?? '';
  return site;
}

/** @internal Makes an error's stack show the line that made the call, instead of the place where the answer came in. */
export function located<E extends Error>(error: E, { stack = '' }: Site): E {
  const head = `${error.name}: ${error.message}`;
  const frames = stack.indexOf('\n    at ');
  // Only V8 begins a stack with the message.
  const value = frames >= 0 ? head + stack.slice(frames) : stack.includes('@') ? stack : head;
  Object.defineProperty(error, 'stack', { value, configurable: true, writable: true });
  return error;
}
