// Types of the bindings: the JavaScript through which the module is called, made by wasm-bindgen in the build, and the
// functions that it calls on the host.
import type { CallContext } from './call-context.js';

type Fetch = (url: string, init: RequestInit, context: CallContext | undefined) => Promise<Response>;

/** @internal Gives a key. */
export type AskKey = () => Promise<string>;

/** @internal A request and its answer. */
export interface Exchange {
  read(id: number): void;
  abort(): void;
}

/** @internal See wasm/src/imports.rs. */
export interface HostFunctions {
  soon(home: number, yields: boolean): void;
  sleep(id: number, milliseconds: number): void;
  clear(id: number): void;
  askKey(ask: AskKey, id: number): void;
  send(fetch: Fetch, id: number, lines: string, body: Uint8Array, context: CallContext | undefined): Exchange;
  done(id: number, isOk: boolean, text: string, cause: unknown): void;
  vector(list: Float32Array[] | undefined, numbers: Float32Array): Float32Array[];
}

/** @internal A call that is read as a stream. */
export interface RawCall {
  /** A promise's id, for a JSON array of events; the host's error that ended them is beside it. */
  next(): number;
  free(): void;
}
/** @internal */
export interface RawClient {
  /**
   * A promise's id, for the answer as JSON. A number that is not given is NaN; a default is a wish, which is left
   * out where the model refuses it. `context` is the third argument of `fetch`.
   */
  run(
    home: number, messages: string, temperature: number, maxTokens: number, defaultTemperature: number,
    defaultMaxTokens: number, rest: string, context: CallContext | undefined,
  ): number;
  call(
    home: number, messages: string, temperature: number, maxTokens: number, defaultTemperature: number,
    defaultMaxTokens: number, rest: string, context: CallContext | undefined,
  ): RawCall;
  /** A promise's id, for what `embeddings` reads; the texts and the options are JSON. */
  embed(home: number, texts: string, options: string, context: CallContext | undefined): number;
  /** A promise's id, for a JSON array of models. */
  models(home: number): number;
  status(): string;
  /** A promise's id. */
  close(home: number): number;
  free(): void;
}
/** @internal */
export interface Bindings {
  initSync(options: { module: WebAssembly.Module }): Record<string, unknown>;
  Client: new (
    settings: string, fetch: (url: string, init: RequestInit, context: CallContext | undefined) => Promise<Response>, askKey: AskKey | undefined,
  ) => RawClient;
  pollTasks(home: number): void;
  signal(id: number): void;
  text(id: number, text: string): void;
  piece(id: number, bytes: Uint8Array, isLast: boolean): void;
  failed(id: number, error: unknown, code: string, message: string): void;
  /** Takes secrets out of texts: JSON arrays of strings. */
  redact(secrets: string, texts: string): string;
}

/** @internal What the bindings use of the globals. */
export interface Globals { TextDecoder: unknown; TextEncoder: unknown; FinalizationRegistry: unknown; WebAssembly: unknown }

/** @internal What the build makes of the bindings of one module. */
export type MakeBindings = (host: HostFunctions, globals: Globals) => Bindings;
