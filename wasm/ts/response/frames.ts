// What goes over the wire: server-sent events, each with one line of JSON. `toResponse` writes them, `readResponse` reads them.
import type { ChatEvent } from '../base/types.js';
import type { ToldError } from './told.js';

/** A stream that a response can be made of: that of a client, or that of a loop of tools. */
export interface Streamed<A = unknown> extends AsyncIterable<{ readonly type: string }> {
  final(): Promise<A>;
  abort(reason?: unknown): void;
}

/** @internal One frame: an event of the stream, the whole answer after the last event, or an error. */
export type Frame = { readonly type: string } | { type: 'answer'; answer: unknown } | { type: 'error'; error: ToldError };

/** @internal */
export const frame = (value: Frame) => `data: ${JSON.stringify(value)}\n\n`;

/** @internal A comment, which readers skip. It keeps proxies from closing a silent connection. */
export const HEARTBEAT = ': \n\n';

/** @internal The text that an event adds to the answer, also within the steps of a loop of tools. */
export function textOf(event: { readonly type: string }): string {
  const { type, text, event: inner } = event as { type: string; text?: string; event?: ChatEvent };
  if (type === 'content' && inner) return textOf(inner);
  return type === 'text' ? text ?? '' : '';
}

/** @internal The answer for the page. The system prompt, which is in the conversation of a loop of tools, stays on the server. */
export function forPage(answer: unknown): unknown {
  const { messages } = (answer ?? {}) as { messages?: unknown };
  if (!Array.isArray(messages)) return answer;
  return { ...answer as object, messages: (messages as { role?: unknown }[]).filter(({ role }) => role !== 'system' && role !== 'developer') };
}

/** @internal An answer that came as JSON, with what a text of it is. */
export function answerOf<A>(answer: A): A {
  const { text } = answer as { text?: string };
  // Not one of the fields of the answer when it is printed or copied.
  return Object.defineProperty(answer as A & object, 'toString', { value: () => text ?? '', configurable: true, writable: true }) as A;
}
