import { whenAborted } from '../base/abort.js';
import { abortError } from '../base/errors.js';
import { count, timer } from './helpers.js';
import { homeHere, type Home } from '../border/home.js';

/** A slot of the window lasts this part of the period, so that the window is small for any number of calls. */
const SLOTS = 1024;

/** Calls that passed shortly after each other. All of them count until the last one is a period old. */
interface Slot { opened: number; last: number; calls: number }

/** A call that waits, and its neighbours in the queue. */
interface Waiting { home: Home; go(): void; before?: Waiting | undefined; after?: Waiting | undefined }

/**
 * Lets at most a given number of calls through in any period of time, for chats or any other work. It is fair: first
 * come, first served. For a provider's limits, use the client's option `limits`.
 *
 * ```js
 * const limiter = new RateLimiter(10, 1000, 3); // 10 calls a second, 3 of them at once
 * for (const page of pages) {
 *   await limiter.acquire();
 *   await load(page);
 * }
 * ```
 *
 * It behaves like Rust's `RateLimiter` in every case of core/cases/rate_limiter.jsonl. It does not use the core,
 * because `tryAcquire` is synchronous, and because a core that is replaced would forget the calls that passed.
 */
export class RateLimiter {
  /** @internal The build shortens the names of classes. */
  static readonly name = 'RateLimiter';
  readonly #calls: number;
  readonly #burst: number;
  // Times and units are whole numbers, so that nothing drifts. Each microsecond adds `calls` units; a call costs as many
  // units as the period has microseconds.
  readonly #period: number;
  #slots: Slot[] = [];
  #counted = 0;
  #level: number;
  #levelAt = 0;
  #first: Waiting | undefined;
  #last: Waiting | undefined;
  #waiting = 0;
  #clear: (() => void) | undefined;

  /**
   * Allows at most `calls` in any `periodMs` milliseconds, all of them at once if they come at once. With a `burst`,
   * only that many pass at once; further calls are spread evenly over the period. 0 calls and a burst of 0 count as 1; a
   * period of 0 means no limit. Throws a RangeError for an invalid number.
   */
  constructor(calls: number, periodMs: number, burst: number = calls) {
    if (!(periodMs >= 0 && periodMs < Infinity)) {
      throw new RangeError(`periodMs is ${periodMs}; it must be a number of milliseconds, at least 0`);
    }
    this.#calls = count('calls', calls);
    this.#burst = count('burst', burst);
    this.#period = Math.ceil(periodMs * 1000);
    this.#level = this.#burst * this.#period;
  }

  /**
   * Resolves when the call may proceed, and counts it. If the signal is aborted first, it rejects with an AbortError,
   * leaves the queue, and counts nothing.
   */
  async acquire(signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) throw abortError(signal);
    if (this.tryAcquire()) return;
    await new Promise<void>((resolve, reject) => {
      const giveUp = () => {
        forget();
        this.#leave(waiting);
        this.#wake();
        reject(abortError(signal));
      };
      const waiting: Waiting = { home: homeHere(() => this.#go(), giveUp), go: () => { forget(); resolve(); } };
      const forget = whenAborted(signal, giveUp);
      this.#join(waiting);
      if (this.#first === waiting) this.#go();
    });
  }

  /** Whether a call may proceed now; if so, it is counted. Always false while other calls wait. */
  tryAcquire(): boolean {
    if (this.#first || this.#wait() > 0) return false;
    this.#take();
    return true;
  }

  /** The number of waiting calls. */
  waiting(): number {
    return this.#waiting;
  }

  /** Lets through the calls that may proceed. Runs at the home of the first call, and sets a timer there if that must wait. */
  #go(): void {
    const here = this.#first?.home.number;
    while (this.#first?.home.number === here && this.#first) {
      const wait = this.#wait();
      if (wait > 0) {
        this.#setTimer(wait);
        return;
      }
      const { go } = this.#first;
      this.#take();
      this.#leave(this.#first);
      go();
    }
    this.#first?.home.wake();
  }

  /** Called when another call became the first in the queue, maybe at another home. */
  #wake(): void {
    if (this.#first?.home.number === 0) this.#go();
    else this.#first?.home.wake();
  }

  #setTimer(microseconds: number): void {
    this.#clear?.();
    this.#clear = timer(Math.ceil(microseconds / 1000), () => this.#go());
  }

  /** How long until a call may proceed, in microseconds. */
  #wait(): number {
    const now = this.#advance();
    let wait = 0;
    let over = this.#counted + 1 - this.#calls;
    for (const slot of this.#slots) {
      if (over <= 0) break;
      over -= slot.calls;
      wait = slot.last + this.#period - now;
    }
    // A burst as large as `calls` allows everything that the window allows.
    if (this.#burst < this.#calls) wait = Math.max(wait, Math.ceil((this.#period - this.#level) / this.#calls));
    return wait;
  }

  #take(): void {
    const now = this.#advance();
    this.#counted += 1;
    this.#level -= this.#period;
    const slot = this.#slots.at(-1);
    if (slot && now <= slot.opened + this.#period / SLOTS) {
      slot.last = now;
      slot.calls += 1;
    } else {
      this.#slots.push({ opened: now, last: now, calls: 1 });
    }
  }

  /** Updates the window and the level to the current time, which it returns in microseconds. */
  #advance(): number {
    const now = Math.floor(performance.now() * 1000);
    const gone = this.#slots.findIndex(({ last }) => last + this.#period > now);
    for (const { calls } of this.#slots.splice(0, gone < 0 ? Infinity : gone)) this.#counted -= calls;
    this.#level = Math.min(this.#burst * this.#period, this.#level + (now - this.#levelAt) * this.#calls);
    this.#levelAt = now;
    return now;
  }

  #join(waiting: Waiting): void {
    waiting.before = this.#last;
    if (this.#last) this.#last.after = waiting;
    else this.#first = waiting;
    this.#last = waiting;
    this.#waiting += 1;
  }

  #leave({ home, before, after }: Waiting): void {
    if (!before) {
      // The timer belongs to the first call.
      this.#clear?.();
      this.#clear = undefined;
    }
    home.leave();
    if (before) before.after = after;
    else this.#first = after;
    if (after) after.before = before;
    else this.#last = before;
    this.#waiting -= 1;
  }
}
