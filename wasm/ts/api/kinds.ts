// What kind of value an option has, in words and as a check.
import type { LlmError } from '../base/errors.js';

/** @internal */
export const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** @internal Whether it can be used as an AbortSignal, also one of another realm or of a polyfill. */
export const isSignal = (value: unknown): value is AbortSignal =>
  isObject(value) && typeof (value as AbortSignal).addEventListener === 'function' && typeof (value as AbortSignal).aborted === 'boolean';

/** @internal The value in words, which do not show what may be a secret. */
export function said(value: unknown): string {
  if (value == null || typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return 'a text';
  return Array.isArray(value) ? 'an array' : typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** @internal Throws for a signal that is none. null counts as not set. */
export function checkSignal(signal: unknown, fail: (message: string) => LlmError): void {
  if (signal != null && !isSignal(signal)) throw fail(`signal is ${said(signal)}; it must be an AbortSignal`);
}
