// One instance of the core, and the promises that wait for it.
import { fromView, LlmError, type ErrorView } from '../base/errors.js';
import type { Bindings, MakeBindings } from './bindings.js';
import { homeHere, type Home } from './home.js';
import { Imports } from './imports.js';
import { afterOthers } from '../base/pause.js';
import { Decoder, Encoder } from '../base/text.js';

/** @internal What a promise of the core comes to: JSON or nothing, and the host's own error if one is behind it. */
export interface Told { text: string; cause: unknown }

interface Waiting { resolve(told: Told): void; reject(error: unknown): void }

/** @internal A client of a core. */
export interface User {
  /** Whether it can go on with a fresh core as if nothing had been, after so long a time without a call. */
  canMove(idleMs: number): boolean;
  /** Lets the core go; nothing of it is used any more. */
  release(): void;
}

/** A module's memory only grows, so beyond this, in bytes, an instance is replaced once it is idle. */
const MAX_MEMORY = 32 << 20;

/** @internal */
export class Core {
  readonly bindings: Bindings;
  dead = false;
  /** Streams that are open. */
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

  /** Runs `work`, goes on with the tasks that it woke, and sees to it that a trap becomes an error and settles all that waits. */
  enter<T>(work: () => T, home = 0): T {
    if (this.#depth === 0) this.#home = home;
    this.#depth += 1;
    try {
      return work();
    } catch (error) {
      // Text is the core's own refusal; all else leaves it in a state that nobody knows.
      if (typeof error === 'string') throw error;
      throw this.#fail(error);
    } finally {
      this.#depth -= 1;
      this.#turn();
    }
  }

  /** A task of `home` was woken. It goes on when the core is left, since a task may be what runs. */
  soon(home: number, yields: boolean): void {
    if (yields) {
      afterOthers(() => this.visit(home));
    } else if (home === this.#home) {
      this.#woken = true;
      // The host collects garbage by itself.
      if (this.#depth === 0) this.#later(home);
    } else {
      const other = this.#homes.get(home);
      if (other) other.wake();
      else this.#later(home);
    }
  }

  /** Goes on with the tasks of a home. */
  visit(home: number): void {
    this.quietly(() => { this.#woken = true; }, home);
  }

  /** Runs `work` where nothing is left to be told: not in a dead core, and a trap is only noted. */
  quietly(work: () => void, home = 0): void {
    try {
      if (!this.dead) this.enter(work, home);
    } catch { /* a trap has settled all that waits */ }
  }

  tell(home: number, news: () => void): void {
    this.quietly(news, home);
  }

  /** The home of a call that begins here. */
  arrive(onLost: () => void): Home {
    const home = homeHere((number) => this.visit(number), () => {
      this.#homes.delete(home.number);
      onLost();
    });
    if (home.number !== 0) this.#homes.set(home.number, home);
    return home;
  }

  /** A call of this home is over. */
  leave(home: Home): void {
    this.#homes.delete(home.number);
    home.leave();
  }

  /** A promise of the core, which says its id; it also settles when the core traps. */
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

  /** Rejects a promise that has not come to anything yet. */
  abort(id: number, home: number): void {
    if (this.#waiting.has(id)) this.quietly(() => this.bindings.signal(id), home);
  }

  /** Notes who has to let go before the memory can. */
  use(user: User): void {
    if (this.#users.push(weak(user)) < this.#pruneAt) return;
    this.#users = this.#users.filter((ref) => ref.deref());
    this.#pruneAt = Math.max(16, 2 * this.#users.length);
  }

  /** Whether it has become so large that another is to take its place, and nothing runs. */
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

  /** Nobody waits for anything. */
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
    // Less work in Node than queueMicrotask.
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

/** @internal Whether it is a compiled module, of whatever realm. */
export const isModule = (value: unknown): value is WebAssembly.Module => brand(value) === 'WebAssembly.Module';

const weak = (user: User): WeakRef<User> => (typeof WeakRef === 'function' ? new WeakRef(user) : { deref: () => user } as WeakRef<User>);

/** What the bindings use of the globals, with what some hosts lack. */
function globals(core: Core) {
  return {
    TextDecoder: Decoder,
    TextEncoder: Encoder,
    // It frees what nobody holds any more, and may trap like all else.
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
