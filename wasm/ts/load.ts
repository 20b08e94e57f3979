// Loads the core once, lazily, and makes a fresh instance after a trap.
import { makeGlue, type Glue } from './glue.js';
import { fromView, LlmError, type ErrorView } from './errors.js';
import { makeHost } from './host.js';

/** A `WebAssembly.Module`. Its own name would demand types that Node's do not have. */
export interface WasmModule {}

/** What `setWasm` takes: the bytes, a compiled module, or a response. */
export type WasmSource = WasmModule | ArrayBuffer | ArrayBufferView | Response;

let source: (() => Promise<WebAssembly.Module>) | undefined;
let compiled: Promise<WebAssembly.Module> | undefined;
let current: Core | undefined;

/** @internal Says where the module comes from; nothing is loaded yet. */
export function setSource(load: () => WasmSource | Promise<WasmSource>): void {
  compiled = undefined;
  current = undefined;
  source = async () => {
    const from = await load();
    if (from instanceof WebAssembly.Module) return from;
    return WebAssembly.compile(from instanceof Response ? await from.arrayBuffer() : from as BufferSource);
  };
}

/** @internal What a promise of the core comes to: JSON or nothing, and the host's own error if one is behind it. */
export interface Told { text: string; cause: unknown }

interface Waiting { resolve(told: Told): void; reject(error: unknown): void }

/** @internal One instance of the core, and the promises that wait for it. */
export class Core {
  readonly glue: Glue;
  dead = false;
  readonly #waiting = new Map<number, Waiting>();
  #depth = 0;
  #woken = false;

  constructor(module: WebAssembly.Module) {
    this.glue = makeGlue(makeHost(this));
    this.glue.initSync({ module });
  }

  /** Runs `work`, goes on with the tasks that it woke, and sees to it that a trap becomes an error and settles all that waits. */
  enter<T>(work: () => T): T {
    this.#depth += 1;
    try {
      return work();
    } catch (error) {
      // A stack that is too deep is a RangeError.
      if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) throw this.#fail(error);
      throw error;
    } finally {
      this.#depth -= 1;
      this.#turn();
    }
  }

  /** Tasks were woken. They go on when the core is left, since a task may be what runs. */
  soon(): void {
    this.#woken = true;
    // The host collects garbage by itself.
    if (this.#depth === 0) this.#later();
  }

  /** Runs `work` where nothing is left to be told: not in a dead core, and a trap is only noted. */
  quietly(work: () => void): void {
    try {
      if (!this.dead) this.enter(work);
    } catch { /* a trap has settled all that waits */ }
  }

  /** A promise of the core, which says its number; it also settles when the core traps. */
  wait(begin: () => number): Promise<Told> {
    return new Promise((resolve, reject) => {
      if (this.dead) throw trapped(undefined);
      this.enter(() => this.#waiting.set(begin(), { resolve, reject }));
    });
  }

  /** Settles a promise. */
  settle(number: number, isOk: boolean, text: string, cause: unknown): void {
    const waiting = this.#waiting.get(number);
    this.#waiting.delete(number);
    if (isOk) waiting?.resolve({ text, cause });
    else waiting?.reject(fromView(JSON.parse(text) as ErrorView, undefined, cause));
  }

  /** Rejects a promise that has not come to anything yet. */
  abort(number: number): void {
    if (this.#waiting.has(number)) this.quietly(() => this.glue.rang(number));
  }

  #turn(): void {
    if (this.#depth > 0 || !this.#woken || this.dead) return;
    this.#woken = false;
    this.#depth = 1;
    try {
      this.glue.turn();
    } catch (error) {
      this.#fail(error);
    }
    this.#depth = 0;
    // A task that gave way to others.
    if (this.#woken) this.#later();
  }

  #later(): void {
    // Less work in Node than queueMicrotask.
    void Promise.resolve().then(() => this.#turn());
  }

  #fail(cause: unknown): LlmError {
    const error = trapped(cause);
    this.dead = true;
    if (current === this) current = undefined;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    return error;
  }
}

function trapped(cause: unknown): LlmError {
  return new LlmError('the core stopped because of a bug in chatcore; the next call starts a fresh one', {
    code: 'internal', cause,
  });
}

/** @internal The instance, if one is running. */
export const running = (): Core | undefined => current;

/** @internal The running instance, or a new one. */
export async function core(): Promise<Core> {
  if (current) return current;
  if (!source) throw new LlmError('call setWasm() first: this entry brings no module', { code: 'config' });
  const loading = (compiled ??= source());
  try {
    const module = await loading;
    return (current ??= new Core(module));
  } catch (error) {
    if (compiled === loading) compiled = undefined;
    if (error instanceof LlmError) throw error;
    throw new LlmError('the WebAssembly module could not be loaded', { code: 'config', cause: error });
  }
}

/** Loads the core now, so that the first call does not wait for it. */
export async function preload(): Promise<void> {
  await core();
}
