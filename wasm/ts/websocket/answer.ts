// The answer of one call: messages in, the body of a response out.
import { codedError } from '../base/errors.js';
import type { Call } from './lanes.js';
import type { Message } from './message.js';

/** How many characters of one answer may wait to be read. Beyond that it is given up, so that it fills no memory. */
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

  /** The caller reads no more. */
  leave(): void {
    this.isLeft = true;
    this.#waiting = [];
  }

  /** The next message; none after the last one. */
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

/** @internal A message as an event of a stream: one `data:` line. A line end within JSON is white space. */
export const eventOf = ({ text }: Message): string => `data: ${text.replaceAll(/[\r\n]/g, ' ')}\n\n`;
