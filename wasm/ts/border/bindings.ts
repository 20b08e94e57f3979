// Types of the bindings that wasm-bindgen generates in the build: the functions that call the module, and the host
// functions that the module calls.
import type { CallContext } from './call-context.js';

type Fetch = (url: string, init: RequestInit, context: CallContext | undefined) => Promise<Response>;

/** @internal Asks the program for a key. */
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
  readFloat(text: string): number;
  writeFloat(number: number): string;
  send(fetch: Fetch, id: number, lines: string, body: Uint8Array, context: CallContext | undefined): Exchange;
  done(id: number, isOk: boolean, text: string, cause: unknown): void;
  vector(list: Float32Array[] | undefined, numbers: Float32Array): Float32Array[];
}

/** @internal A call that is read as a stream. */
export interface RawCall {
  /** Returns the id of a promise for a JSON array of events, and for the host's error if one ended the stream. */
  next(): number;
  free(): void;
}
/** @internal */
export interface RawClient {
  /**
   * Returns the id of a promise for the answer as JSON. NaN means that a number is not set. A default is left out if
   * the model refuses it. `context` is passed to `fetch` as the third argument.
   */
  run(
    home: number, messages: string, temperature: number, maxTokens: number, defaultTemperature: number,
    defaultMaxTokens: number, rest: string, context: CallContext | undefined,
  ): number;
  call(
    home: number, messages: string, temperature: number, maxTokens: number, defaultTemperature: number,
    defaultMaxTokens: number, rest: string, context: CallContext | undefined,
  ): RawCall;
  /** Returns the id of a promise for what `embeddings` reads. The texts and the options are JSON. */
  embed(home: number, texts: string, options: string, context: CallContext | undefined): number;
  /** Returns the id of a promise for a JSON array of models. */
  models(home: number, context: CallContext | undefined): number;
  /** Changes how many requests run at once; with 0, all calls wait. Missing in the module for chats. */
  setWorkers?(workers: number): void;
  status(): string;
  /** Returns the id of a promise. */
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
  /** Redacts secrets in texts. Both arguments and the result are JSON arrays of strings. */
  redact(secrets: string, texts: string): string;
  /**
   * Writes a request for a typed answer. The arguments are the settings of a client, the schema with its name, and the
   * messages with the model, all as JSON, as is the result. Missing in the module for chat completions.
   */
  fitSchema?(settings: string, wanted: string, call: string): string;
  /** Reads a typed answer; see `Reading`. */
  readAnswer?(wanted: string, answer: string): string;
}

/** @internal The globals that the bindings use. */
export interface Globals { TextDecoder: unknown; TextEncoder: unknown; FinalizationRegistry: unknown; WebAssembly: unknown }

/** @internal The function that the build makes from the bindings of one module. */
export type MakeBindings = (host: HostFunctions, globals: Globals) => Bindings;
