// Loads the core once, lazily, and makes a fresh instance after a trap.
import { makeGlue, type Glue } from './glue.js';
import { LlmError } from './errors.js';

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

/** @internal One instance of the core, and the promises that wait for it. */
export class Core {
  readonly glue: Glue;
  dead = false;
  readonly #waiting = new Set<(error: LlmError) => void>();

  constructor(module: WebAssembly.Module) {
    this.glue = makeGlue((task) => queueMicrotask(() => {
      try { task(); } catch (error) { this.#fail(error); }
    }));
    this.glue.initSync({ module });
  }

  /** Runs `work`, and sees to it that a trap becomes an error and settles all that waits. */
  enter<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      // A stack that is too deep is a RangeError.
      if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) throw this.#fail(error);
      throw error;
    }
  }

  /** Runs `work` where nothing is left to be told: not in a dead core, and a trap is only noted. */
  quietly(work: () => void): void {
    try {
      if (!this.dead) this.enter(work);
    } catch { /* a trap has settled all that waits */ }
  }

  /** A promise of the core that also settles when the core traps. */
  wait<T>(work: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.dead) return reject(trapped(undefined));
      this.#waiting.add(reject);
      const done = () => this.#waiting.delete(reject);
      const failed = (error: unknown) => { done(); reject(error); };
      try {
        this.enter(work).then((value) => { done(); resolve(value); }, failed);
      } catch (error) {
        failed(error);
      }
    });
  }

  #fail(cause: unknown): LlmError {
    const error = trapped(cause);
    this.dead = true;
    if (current === this) current = undefined;
    for (const reject of this.#waiting) reject(error);
    this.#waiting.clear();
    return error;
  }
}

function trapped(cause: unknown): LlmError {
  return new LlmError('the core stopped because of a bug in chatcore; the next call starts a fresh one', {
    code: 'internal', cause,
  });
}

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
