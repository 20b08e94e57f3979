// The border: what the glue that wasm-bindgen writes gives, and what it asks of the host. The code is made by
// the build.
// @ts-expect-error: it has no declarations
import { makeGlue as make } from '../pkg/small/glue.js';

type Fetch = (url: string, init: RequestInit, more: unknown) => Promise<Response>;

/** @internal A request and its answer. */
export interface Exchange {
  read(number: number): void;
  abort(): void;
}

/** @internal See wasm/src/host.rs. */
export interface Host {
  soon(home: number, yields: boolean): void;
  sleep(number: number, milliseconds: number): void;
  clear(number: number): void;
  send(fetch: Fetch, number: number, lines: string, body: Uint8Array, more: unknown): Exchange;
  done(number: number, isOk: boolean, text: string, cause: unknown): void;
  vector(list: Float32Array[] | undefined, numbers: Float32Array): Float32Array[];
}

/** @internal A call that is read as a stream. */
export interface RawCall {
  /** A promise's number, for a JSON array of events; the host's error that ended them is beside it. */
  next(): number;
  free(): void;
}
/** @internal */
export interface RawClient {
  /**
   * A promise's number, for the answer as JSON. A number that is not given is NaN; a default is a wish, which is left
   * out where the model refuses it. `more` is the third argument of `fetch`, for this call.
   */
  run(
    home: number, messages: string, temperature: number, maxTokens: number, defaultTemperature: number,
    defaultMaxTokens: number, rest: string, more: unknown,
  ): number;
  call(
    home: number, messages: string, temperature: number, maxTokens: number, defaultTemperature: number,
    defaultMaxTokens: number, rest: string, more: unknown,
  ): RawCall;
  /** A promise's number, for what `embeddings` reads; the texts and the options are JSON. */
  embed(home: number, texts: string, options: string, more: unknown): number;
  /** A promise's number, for a JSON array of models. */
  models(home: number): number;
  status(): string;
  /** A promise's number. */
  close(home: number): number;
  free(): void;
}
/** @internal */
export interface Glue {
  initSync(options: { module: WebAssembly.Module }): Record<string, unknown>;
  Client: new (settings: string, fetch: (url: string, init: RequestInit, more: undefined) => Promise<Response>) => RawClient;
  turn(home: number): void;
  rang(number: number): void;
  head(number: number, lines: string): void;
  piece(number: number, bytes: Uint8Array, isLast: boolean): void;
  failed(number: number, error: unknown, code: string, message: string): void;
  /** Takes secrets out of texts: JSON arrays of strings. */
  redact(secrets: string, texts: string): string;
}

/** @internal What the glue uses of the globals. */
export interface Globals { TextDecoder: unknown; TextEncoder: unknown; FinalizationRegistry: unknown; WebAssembly: unknown }

/** @internal */
export const makeGlue = make as (host: Host, globals: Globals) => Glue;
