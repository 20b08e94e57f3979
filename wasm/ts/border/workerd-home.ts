// Homes on workerd. Each home keeps a timer in the request that it belongs to. The timer shows that the request is
// alive, keeps workerd from treating it as hung while its call waits in the queue, and runs code in that request.
import type { Home, MakeHome, Turn } from './home.js';

const host = globalThis as typeof globalThis & { Cloudflare?: { compatibilityFlags?: Record<string, boolean> } };
// If the flag is off, code that awaits a promise continues in the request that resolved the promise.
const promisesGoHome = host.Cloudflare?.compatibilityFlags?.handle_cross_request_promise_resolution === true;

const BEAT_MS = 1_000;
/** How often a home checks whether it was woken, if a promise cannot notify it. */
const LOOK_MS = 10;
/** A request whose timer misses this many beats, while those of others run, is gone. */
const BEATS_MISSED = 5;

class RequestHome implements Home {
  readonly number: number;
  missed = 0;
  readonly #turn: Turn;
  readonly #onLost: () => void;
  readonly #timer: ReturnType<typeof setInterval>;
  #isWoken = false;
  #ring: () => void = () => {};

  constructor(number: number, turn: Turn, onLost: () => void) {
    this.number = number;
    this.#turn = turn;
    this.#onLost = onLost;
    this.#timer = setInterval(() => this.#beat(), promisesGoHome ? BEAT_MS : LOOK_MS);
    if (promisesGoHome) this.#listen();
  }

  wake(): void {
    this.#isWoken = true;
    this.#ring();
  }

  leave(): void {
    homes.delete(this.number);
    this.#ring();
    try {
      clearInterval(this.#timer);
    } catch { /* its request is gone, and the timer with it */ }
  }

  lost(): void {
    this.leave();
    this.#onLost();
  }

  /** The code after the promise runs at this home, whichever request resolves the promise. */
  #listen(): void {
    void new Promise<void>((resolve) => { this.#ring = resolve; }).then(() => {
      if (!homes.has(this.number)) return;
      this.#listen();
      this.#go();
    });
  }

  #beat(): void {
    this.missed = 0;
    this.#go();
    sweep();
  }

  #go(): void {
    if (!this.#isWoken) return;
    this.#isWoken = false;
    this.#turn(this.number);
  }
}

const homes = new Map<number, RequestHome>();
let count = 0;
let swept = 0;

/** @internal */
export const requestHome: MakeHome = (turn, onLost) => {
  const home = new RequestHome(count += 1, turn, onLost);
  homes.set(home.number, home);
  return home;
};

/** Ends the calls of requests that are gone, to free their places in the queue. */
function sweep(): void {
  const now = Date.now();
  if (now - swept < BEAT_MS) return;
  swept = now;
  for (const home of [...homes.values()]) {
    home.missed += 1;
    if (home.missed > BEATS_MISSED) home.lost();
  }
}
