// The answer of one call: takes the server's messages, and gives the body of a response.
import { codedError } from '../base/errors.js';
import type { Call } from './lanes.js';
import type { Message } from './message.js';

/** The most characters of one answer that may wait to be read. A longer one is dropped, to bound memory. */
const MAX_WAITING = 32 * 1024 * 1024;

/** @internal The answer of one call. */
export class Answer implements Call {
  isLeft = false;
  #isAnswered = false;
  #waiting: Message[] = [];
  #size = 0;
  #isEnded = false;
  #error: unknown;
  #wake: (() => void) | undefined;

  get isAnswered(): boolean {
    return this.#isAnswered;
  }

  take(message: Message): void {
    this.#isAnswered = true;
    if (this.isLeft) return;
    this.#waiting.push(message);
    this.#size += message.text.length;
    if (this.#size > MAX_WAITING) {
      this.isLeft = true;
      this.#waiting = [];
      this.fail(codedError('the answer was dropped because too much of it was not read', 'CHATCORE_BODY'));
    }
    this.#wake?.();
  }

  end(): void {
    this.#isEnded = true;
    this.#wake?.();
  }

  fail(error: unknown): void {
    this.#error ??= error;
    this.end();
  }

  /** Called when the caller stops reading. */
  leave(): void {
    this.isLeft = true;
    this.#waiting = [];
  }

  /** The next message; undefined after the last one. */
  async next(): Promise<Message | undefined> {
    for (;;) {
      const message = this.#waiting.shift();
      if (message) {
        this.#size -= message.text.length;
        return message;
      }
      if (this.#error !== undefined) throw this.#error;
      if (this.#isEnded || this.isLeft) return undefined;
      await new Promise<void>((resolve) => { this.#wake = resolve; });
    }
  }
}

/** @internal A message as a server-sent event with one `data:` line. Line ends within JSON are only white space. */
export const eventOf = ({ text }: Message): string => `data: ${text.replaceAll(/[\r\n]/g, ' ')}\n\n`;
