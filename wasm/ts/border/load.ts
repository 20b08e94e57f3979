// Loads the core once, lazily. Makes a fresh instance after a trap, or when an instance has grown too large.
import type { MakeBindings } from './bindings.js';
import { checkBuild } from './build.js';
import { Core, isModule } from './core.js';
import { LlmError } from '../base/errors.js';

/** A `WebAssembly.Module`. That name is not used, because it would require types that Node's do not have. */
export interface WasmModule {}

/** What `setWasm` takes: the bytes, a compiled module, or a response. */
export type WasmSource = WasmModule | ArrayBuffer | ArrayBufferView | Response;

/** @internal The modules that the build makes: for chats alone, with the dialect of chat completions, and with everything. */
export type ModuleName = 'chat' | 'all';

/** @internal A module, and the bindings that the build made for it; its `build`, if it is not part of the script. */
export interface Loaded { wasm: WasmSource; makeBindings: MakeBindings; build?: string }

/** One module: where it comes from, and its instance. */
class Source {
  readonly #load: () => Loaded | Promise<Loaded>;
  #loading: Promise<Ready> | undefined;
  /** The compiled module. Further instances are made from it without waiting. */
  #ready: Ready | undefined;
  #current: Core | undefined;

  constructor(load: () => Loaded | Promise<Loaded>) {
    this.#load = load;
  }

  running(): Core | undefined {
    if (this.#current?.retires()) this.#current = undefined;
    if (!this.#current && this.#ready) this.#current = this.#instance(this.#ready);
    return this.#current;
  }

  async core(): Promise<Core> {
    await this.load();
    return this.running()!;
  }

  /** Compiles the module. Makes no instance. */
  async load(): Promise<void> {
    const loading = (this.#loading ??= this.#compiled());
    try {
      this.#ready = await loading;
    } catch (error) {
      if (this.#loading === loading) this.#loading = undefined;
      if (error instanceof LlmError) throw error;
      throw new LlmError(`the WebAssembly module could not be loaded${hint(error)}`, { code: 'config', cause: error });
    }
  }

  async #compiled(): Promise<Ready> {
    const { wasm, makeBindings, build } = await this.#load();
    const module = isModule(wasm) ? wasm : await compiled(wasm);
    if (build !== undefined) checkBuild(module, build);
    return { module, makeBindings };
  }

  #instance({ module, makeBindings }: Ready): Core {
    try {
      return new Core(module, makeBindings, (ended) => { if (this.#current === ended) this.#current = undefined; });
    } catch (error) {
      throw new LlmError(`an instance of the WebAssembly module could not be made${hint(error)}`, { code: 'config', cause: error });
    }
  }
}

interface Ready { module: WebAssembly.Module; makeBindings: MakeBindings }

let sources: Partial<Record<ModuleName, Source>> = {};
/** Whether the modules come over the network. */
let isRemote = false;

/** @internal Sets the source of the one module that serves every client. Loads nothing yet. */
export function setSource(load: () => Loaded | Promise<Loaded>): void {
  const source = new Source(load);
  sources = { chat: source, all: source };
  isRemote = false;
}

/** @internal Sets the source of each module, from which a page downloads it. Loads nothing yet. */
export function setSources(loads: Record<ModuleName, () => Loaded | Promise<Loaded>>): void {
  sources = { chat: new Source(loads.chat), all: new Source(loads.all) };
  isRemote = true;
}

/** @internal Begins to download this module, because a client needs it. A failure is that of its first call. */
export function download(name: ModuleName): void {
  if (isRemote) void sources[name]?.load().catch(() => {});
}

/** @internal Compiles while the bytes arrive, if the host can and the server sends the right media type. */
export async function compile(response: Response): Promise<WebAssembly.Module> {
  if (response.ok === false) throw new LlmError(`the module was not found: ${response.url} answered ${response.status}`, { code: 'config' });
  const { compileStreaming } = WebAssembly as Partial<typeof WebAssembly>;
  const type = response.headers?.get('content-type') ?? '';
  // The host accepts only this media type, without a parameter such as `charset`.
  if (compileStreaming && type.trim().toLowerCase() === 'application/wasm' && typeof Response === 'function' && response instanceof Response) {
    return compileStreaming.call(WebAssembly, response);
  }
  return WebAssembly.compile(await response.arrayBuffer());
}

function compiled(wasm: WasmSource): Promise<WebAssembly.Module> {
  // A response may come from another realm.
  const { arrayBuffer } = wasm as Partial<Response>;
  return typeof arrayBuffer === 'function' ? compile(wasm as Response) : WebAssembly.compile(wasm as BufferSource);
}

/** What to do about an error of the host, if that is known. */
function hint(error: unknown): string {
  const said = error instanceof Error ? `${error.name}: ${error.message}` : '';
  if (/import\(\).*service ?worker/i.test(said)) return ': a service worker cannot import a chunk; import chatcore/whole, which has everything in one file';
  return /unsafe-eval|Content.Security.Policy|\bCSP\b/i.test(said)
    ? ": the page's Content-Security-Policy forbids WebAssembly; add 'wasm-unsafe-eval' to its script-src" : '';
}

/** @internal Whether this module has the jobs that are no chats: embeddings and the list of models. */
export const hasJobs = (name: ModuleName): boolean => name === 'all' || sources.chat === sources.all;

/** @internal The instance of this module, if one is running. */
export const running = (name: ModuleName): Core | undefined => sources[name]?.running();

/** @internal The running instance of this module, or a new one. */
export async function core(name: ModuleName): Promise<Core> {
  const source = sources[name];
  if (!source) throw new LlmError('call setWasm() first: this entry brings no module', { code: 'config' });
  return source.core();
}
