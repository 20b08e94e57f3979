// One instance of the core, and the promises that wait for it.
import { fromView, LlmError, type ErrorView } from '../base/errors.js';
import type { Bindings, MakeBindings } from './bindings.js';
import { homeHere, type Home } from './home.js';
import { Imports } from './imports.js';
import { afterOthers } from '../base/pause.js';
import { Decoder, Encoder } from '../base/text.js';

/** @internal What a promise of the core resolves to: JSON or an empty text, and the host's own error if there was one. */
export interface Told { text: string; cause: unknown }

interface Waiting { resolve(told: Told): void; reject(error: unknown): void }

/** @internal A client of a core. */
export interface User {
  /** Whether the client can continue with a fresh core without losing state, after this long without a call. */
  canMove(idleMs: number): boolean;
  /** Releases the client's objects in the core. */
  release(): void;
}

/** A module's memory only grows, so beyond this, in bytes, an instance is replaced once it is idle. */
const MAX_MEMORY = 32 << 20;

/** @internal */
export class Core {
  readonly bindings: Bindings;
  dead = false;
  /** The number of open streams. */
  streams = 0;
  readonly #imports: Imports;
  readonly #onEnd: (core: Core) => void;
  readonly #memory: WebAssembly.Memory | undefined;
  readonly #waiting = new Map<number, Waiting>();
  readonly #homes = new Map<number, Home>();
  #users: WeakRef<User>[] = [];
  #pruneAt = 16;
  #idleSince = 0;
  #home = 0;
  #depth = 0;
  #woken = false;

  /** `onEnd` is called when no more calls may begin here. */
  constructor(module: WebAssembly.Module, makeBindings: MakeBindings, onEnd: (core: Core) => void) {
    this.#onEnd = onEnd;
    this.#imports = new Imports(this);
    this.bindings = makeBindings(this.#imports, globals(this));
    const exported = this.bindings.initSync({ module });
    this.#memory = Object.values(exported).find((value) => brand(value) === 'WebAssembly.Memory') as WebAssembly.Memory | undefined;
  }

  get home(): number { return this.#home; }

  /** Runs `work`, then polls the tasks that it woke. A trap becomes an error and rejects all pending promises. */
  enter<T>(work: () => T, home = 0): T {
    if (this.#depth === 0) this.#home = home;
    this.#depth += 1;
    try {
      return work();
    } catch (error) {
      // A string is a refusal by the core. Anything else is a trap, and leaves the core in an unknown state.
      if (typeof error === 'string') throw error;
      throw this.#fail(error);
    } finally {
      this.#depth -= 1;
      this.#turn();
    }
  }

  /** A task of `home` was woken. It is polled after the module returns, because a task may be running now. */
  soon(home: number, yields: boolean): void {
    if (yields) {
      afterOthers(() => this.visit(home));
    } else if (home === this.#home) {
      this.#woken = true;
      // Garbage collection can wake a task while no call into the core runs.
      if (this.#depth === 0) this.#later(home);
    } else {
      const other = this.#homes.get(home);
      if (other) other.wake();
      else this.#later(home);
    }
  }

  /** Polls the tasks of a home. */
  visit(home: number): void {
    this.quietly(() => { this.#woken = true; }, home);
  }

  /** Runs `work` unless the core is dead. A trap is not thrown, because it has already rejected all pending promises. */
  quietly(work: () => void, home = 0): void {
    try {
      if (!this.dead) this.enter(work, home);
    } catch { /* a trap has settled all that waits */ }
  }

  tell(home: number, news: () => void): void {
    this.quietly(news, home);
  }

  /** The home of a call that begins here. `onLost` is called when that home is gone. */
  arrive(onLost: () => void): Home {
    const home = homeHere((number) => this.visit(number), () => {
      this.#homes.delete(home.number);
      onLost();
    });
    if (home.number !== 0) this.#homes.set(home.number, home);
    return home;
  }

  /** Called when the call of this home has ended. */
  leave(home: Home): void {
    this.#homes.delete(home.number);
    home.leave();
  }

  /** A promise for an operation of the core; `begin` returns its id. It rejects if the core traps. */
  wait(begin: () => number, home = 0): Promise<Told> {
    return new Promise((resolve, reject) => {
      if (this.dead) throw trapped(undefined);
      this.enter(() => {
        this.#waiting.set(begin(), { resolve, reject });
        this.#imports.hold(true);
      }, home);
    });
  }

  /** Settles a promise. */
  settle(id: number, isOk: boolean, text: string, cause: unknown): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (isOk) waiting?.resolve({ text, cause });
    else waiting?.reject(fromView(JSON.parse(text) as ErrorView, undefined, cause));
    if (this.#waiting.size === 0) this.#rest();
  }

  /** Signals the core to abort an operation whose promise is pending. */
  abort(id: number, home: number): void {
    if (this.#waiting.has(id)) this.quietly(() => this.bindings.signal(id), home);
  }

  /** Registers a client that must release its objects before this instance can be replaced. */
  use(user: User): void {
    if (this.#users.push(weak(user)) < this.#pruneAt) return;
    this.#users = this.#users.filter((ref) => ref.deref());
    this.#pruneAt = Math.max(16, 2 * this.#users.length);
  }

  /** Retires this instance if its memory is too large and nothing runs. Returns whether it did. */
  retires(): boolean {
    if (this.dead || !this.#memory || this.#memory.buffer.byteLength <= MAX_MEMORY) return false;
    if (this.#waiting.size > 0 || this.streams > 0 || this.#depth > 0) return false;
    const users = this.#users.map((ref) => ref.deref());
    const idleMs = performance.now() - this.#idleSince;
    if (!users.every((user) => user?.canMove(idleMs) ?? true)) return false;
    for (const user of users) user?.release();
    this.#onEnd(this);
    return true;
  }

  /** Called when no promise is pending. */
  #rest(): void {
    this.#imports.hold(false);
    this.#idleSince = performance.now();
    if (this.#memory && this.#memory.buffer.byteLength > MAX_MEMORY) void Promise.resolve().then(() => this.retires());
  }

  #turn(): void {
    if (this.#depth > 0) return;
    const home = this.#home;
    if (this.#woken && !this.dead) {
      this.#woken = false;
      this.#depth = 1;
      try {
        this.bindings.pollTasks(home);
      } catch (error) {
        this.#fail(error);
      }
      this.#depth = 0;
      if (this.#woken) this.#later(home);
    }
    this.#woken = false;
    this.#home = 0;
  }

  #later(home: number): void {
    // Cheaper in Node than queueMicrotask.
    void Promise.resolve().then(() => this.visit(home));
  }

  #fail(cause: unknown): LlmError {
    this.dead = true;
    this.#onEnd(this);
    for (const { reject } of this.#waiting.values()) reject(trapped(cause));
    this.#waiting.clear();
    this.#imports.hold(false);
    return trapped(cause);
  }
}

function trapped(cause: unknown): LlmError {
  return new LlmError('the core stopped because of a bug in chatcore; the next call starts a fresh one', {
    code: 'internal', cause,
  });
}

const brand = (value: unknown) => Object.prototype.toString.call(value).slice(8, -1);

/** @internal Whether `value` is a compiled module, from any realm. */
export const isModule = (value: unknown): value is WebAssembly.Module => brand(value) === 'WebAssembly.Module';

const weak = (user: User): WeakRef<User> => (typeof WeakRef === 'function' ? new WeakRef(user) : { deref: () => user } as WeakRef<User>);

/** The globals that the bindings use, with replacements for those that some hosts lack. */
function globals(core: Core) {
  return {
    TextDecoder: Decoder,
    TextEncoder: Encoder,
    // Frees objects of the module that are no longer referenced; that may trap, too.
    FinalizationRegistry: typeof FinalizationRegistry === 'function' && class extends FinalizationRegistry<unknown> {
      constructor(free: (held: unknown) => void) {
        super((held) => core.quietly(() => free(held)));
      }
    } || undefined,
    // A module may come from another realm.
    WebAssembly: {
      Module: class { static [Symbol.hasInstance](value: unknown) { return isModule(value); } },
      get Instance() { return WebAssembly.Instance; },
    },
  };
}
