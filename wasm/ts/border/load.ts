// Loads the core once, lazily, and makes a fresh instance after a trap, or when one has grown too large.
import { Core, isModule } from './core.js';
import { LlmError } from '../base/errors.js';

/** A `WebAssembly.Module`. Its own name would demand types that Node's do not have. */
export interface WasmModule {}

/** What `setWasm` takes: the bytes, a compiled module, or a response. */
export type WasmSource = WasmModule | ArrayBuffer | ArrayBufferView | Response;

let source: (() => Promise<WebAssembly.Module>) | undefined;
let compiled: Promise<WebAssembly.Module> | undefined;
/** The module, once it is there: a further instance is made at once. */
let ready: WebAssembly.Module | undefined;
let current: Core | undefined;

/** @internal Says where the module comes from; nothing is loaded yet. */
export function setSource(load: () => WasmSource | Promise<WasmSource>): void {
  compiled = undefined;
  ready = undefined;
  current = undefined;
  source = async () => {
    const from = await load();
    if (isModule(from)) return from;
    // A response may come from another realm.
    const { arrayBuffer } = from as Partial<Response>;
    return typeof arrayBuffer === 'function' ? compile(from as Response) : WebAssembly.compile(from as BufferSource);
  };
}

/** Compiles while the bytes come, where the host can and the server names the media type. */
async function compile(response: Response): Promise<WebAssembly.Module> {
  if (response.ok === false) throw new LlmError(`the module was not found: ${response.url} answered ${response.status}`, { code: 'config' });
  const { compileStreaming } = WebAssembly as Partial<typeof WebAssembly>;
  const type = response.headers?.get('content-type') ?? '';
  if (compileStreaming && /^application\/wasm\b/.test(type) && typeof Response === 'function' && response instanceof Response) {
    return compileStreaming.call(WebAssembly, response);
  }
  return WebAssembly.compile(await response.arrayBuffer());
}

/** @internal The instance, if one is running. */
export function running(): Core | undefined {
  if (current?.retires()) current = undefined;
  if (!current && ready) current = instance(ready);
  return current;
}

/** @internal The running instance, or a new one. */
export async function core(): Promise<Core> {
  if (!source) throw new LlmError('call setWasm() first: this entry brings no module', { code: 'config' });
  const loading = (compiled ??= source());
  try {
    const module = await loading;
    if (loading === compiled) ready = module;
    return running() ?? (current = instance(module));
  } catch (error) {
    if (compiled === loading) compiled = undefined;
    if (error instanceof LlmError) throw error;
    throw new LlmError('the WebAssembly module could not be loaded', { code: 'config', cause: error });
  }
}

function instance(module: WebAssembly.Module): Core {
  try {
    return new Core(module, (ended) => { if (current === ended) current = undefined; });
  } catch (error) {
    throw new LlmError('an instance of the WebAssembly module could not be made', { code: 'config', cause: error });
  }
}

/** Loads the core now, so that the first call does not wait for it. */
export async function preload(): Promise<void> {
  await core();
}
