// The types of the glue that wasm-bindgen writes; the code is made by the build.
// @ts-expect-error: it has no declarations
import { makeGlue as make } from '../pkg/small/glue.js';

/** @internal */
export interface RawCall {
  run(): Promise<string>;
  /** A JSON array of events, or that and the host's error that ended them. */
  next(): Promise<string | [json: string, cause: unknown] | undefined>;
  abort(): void;
  free(): void;
}
/** @internal */
export interface RawClient {
  /** `more` is the third argument of `fetch`, for this call. */
  call(spec: string, more: unknown): RawCall;
  status(): string;
  close(): Promise<void>;
  free(): void;
}
/** @internal */
export interface Glue {
  initSync(options: { module: WebAssembly.Module }): void;
  Client: new (settings: string, fetch: (url: string, init: RequestInit, more: undefined) => Promise<Response>) => RawClient;
}
/** @internal */
export const makeGlue = make as (queueMicrotask: (task: () => void) => void) => Glue;
