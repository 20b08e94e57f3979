// What a tool returns to the model: content, or an error.
import type { Part } from '../base/types.js';

const text = (text: string): Part[] => [{ type: 'text', text }];

/** The result of a tool that is more than a text or JSON: several parts, with images and files if the provider accepts them. */
export class ToolOutput {
  readonly content: readonly Part[];

  constructor(content: readonly Part[]) {
    this.content = content;
  }
}

/**
 * Why a call of a tool has no result. The model reads it, and may try again. Any other thrown error does the same with its
 * message; this one may consist of several parts. The text is sent to the provider, so it must contain no secret.
 */
export class ToolError extends Error {
  readonly content: readonly Part[];

  constructor(content: string | readonly Part[]) {
    const parts = typeof content === 'string' ? text(content) : content;
    super(parts.map((part) => (part.type === 'text' ? part.text : '')).join(''));
    this.name = 'ToolError';
    this.content = parts;
  }
}

/** @internal The content and whether it is an error. */
export interface Outcome { content: readonly Part[]; isError: boolean }

/** @internal What a tool returned: a text, parts, or any other value as JSON. */
export function outcomeOf(value: unknown): Outcome {
  if (value instanceof ToolOutput) return { content: value.content, isError: false };
  if (typeof value === 'string') return { content: text(value), isError: false };
  try {
    return { content: text(JSON.stringify(value) ?? 'null'), isError: false };
  } catch (error) {
    return failed(`the result cannot be written as JSON: ${messageOf(error)}`);
  }
}

/**
 * @internal
 * The parts with at most `limit` bytes of text (UTF-8). Text beyond it is cut, and a note tells the model so. Images and
 * files are kept.
 */
export function capped(content: readonly Part[], limit: number): readonly Part[] {
  // A UTF-16 unit is at most three bytes, so that most results need not be measured.
  const units = content.reduce((sum, part) => sum + (part.type === 'text' ? part.text.length : 0), 0);
  if (units * 3 <= limit) return content;
  const encoder = new TextEncoder();
  const size = (text: string) => encoder.encode(text).length;
  const whole = content.reduce((sum, part) => sum + (part.type === 'text' ? size(part.text) : 0), 0);
  if (whole <= limit) return content;
  let left = limit;
  let isCut = false;
  return content.flatMap((part): Part[] => {
    if (part.type !== 'text') return [part];
    if (isCut) return [];
    const bytes = encoder.encode(part.text);
    if (bytes.length <= left) {
      left -= bytes.length;
      return [part];
    }
    isCut = true;
    // Back to the beginning of a character.
    while (left > 0 && (bytes[left]! & 0xc0) === 0x80) left -= 1;
    const kept = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(0, left));
    return [{ ...part, text: `${kept}${cutNote(limit, whole)}` }];
  });
}

/** As the core says it in core/src/toolbox/cap.rs. */
const cutNote = (limit: number, whole: number) =>
  `\n\n[The result was cut after ${limit} of ${whole} bytes of text. Ask for less at once if you need the rest.]`;

/** @internal An error for the model. */
export const failed = (why: string): Outcome => ({ content: text(why), isError: true });

/** @internal What a tool threw. */
export const thrown = (error: unknown): Outcome =>
  (error instanceof ToolError ? { content: error.content, isError: true } : failed(messageOf(error) || 'the tool failed without a message'));

/** @internal */
export const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
