// A response of `node:http`, with the parts of a `Response` that `border/body.ts` reads.
// @ts-expect-error: no types of Node's here
import { constants, createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { TAKE_ALL } from '../border/body.js';
import { codedError } from '../base/errors.js';
import type { Emitter } from './types.js';

interface Source extends Emitter { pause(): void; resume(): void }
interface Decoder extends Source { end(): void }

/** @internal */
export interface Incoming extends Source {
  statusCode: number; complete: boolean; headers: Record<string, string | string[] | undefined>;
  pipe(to: Decoder): Decoder; destroy(): void;
}

type Read = { done: boolean; value: Uint8Array | undefined };

/** The most bytes of a response that are buffered for a slow reader. */
const HELD = 64 * 1024;
/** A response of at most this many bytes is read whole. */
const SHORT = 99_999;

// Each piece is flushed as it comes, because a stream may pause anywhere. A compressed body that ends too early is no
// error of the decoder's: its content tells whether it is complete, and the body of a mere status may be empty.
const { Z_SYNC_FLUSH, BROTLI_OPERATION_FLUSH } = constants as Record<string, number>;
const flushing = { flush: Z_SYNC_FLUSH, finishFlush: Z_SYNC_FLUSH };
const flushingBrotli = { flush: BROTLI_OPERATION_FLUSH, finishFlush: BROTLI_OPERATION_FLUSH };
const DECODERS: Readonly<Record<string, () => Decoder>> = {
  gzip: () => createGunzip(flushing) as Decoder,
  'x-gzip': () => createGunzip(flushing) as Decoder,
  deflate: () => createInflate(flushing) as Decoder,
  br: () => createBrotliDecompress(flushingBrotli) as Decoder,
};

/** @internal A response. It is also its own body, and the body's reader. */
export class Answer {
  readonly status: number;
  readonly headers: { forEach(each: (value: string, name: string) => void): void };
  readonly [TAKE_ALL]: (() => Promise<Uint8Array>) | undefined;
  /** Ends the body with this error, after the bytes that have already come. */
  readonly fail: (error: unknown) => void;
  readonly #source: Source;
  readonly #parts: Uint8Array[] = [];
  #held = 0;
  #limit = HELD;
  #over = false;
  #error: unknown;
  #tell: (() => void) | undefined;

  /** `onEnd` is called when all of the response has come. */
  constructor(incoming: Incoming, onEnd: () => void) {
    const encoding = String(incoming.headers['content-encoding'] ?? '').toLowerCase();
    // Some servers compress although the request does not ask for it.
    const decoder = Object.hasOwn(DECODERS, encoding) ? DECODERS[encoding]!() : undefined;
    this.status = incoming.statusCode;
    // A compressed length says nothing about the decoded size. The body of an error status is read in pieces, so that
    // its beginning is reported even if the rest never comes.
    const isShort = !decoder && this.status < 400 && Number(incoming.headers['content-length']) <= SHORT;
    this[TAKE_ALL] = isShort ? () => this.#takeAll() : undefined;
    this.headers = {
      forEach(each) {
        for (const name in incoming.headers) {
          // A decoded body no longer has this encoding.
          if (!decoder || name !== 'content-encoding') each(String(incoming.headers[name]), name);
        }
      },
    };
    this.#source = decoder ? incoming.pipe(decoder) : incoming;
    this.#source.on('data', (part: Uint8Array) => {
      this.#parts.push(part);
      this.#held += part.length;
      if (this.#held > this.#limit) this.#source.pause();
      this.#news();
    });
    let lost: unknown;
    this.fail = (error) => {
      if (!decoder) return this.#end(error);
      if (lost === undefined) decoder.end();
      lost ??= error;
    };
    this.#source.on('end', () => this.#end(lost));
    let hasEnded = false;
    incoming.on('end', () => {
      hasEnded = true;
      onEnd();
    });
    incoming.on('error', this.fail);
    incoming.on('close', () => {
      if (!hasEnded) this.fail(codedError('the connection was closed in the middle of the answer', 'ECONNRESET'));
    });
    // A decoder that stops reading pauses its source, and the connection would stay open forever.
    decoder?.on('error', (error: unknown) => {
      this.#end(lost ?? error);
      incoming.destroy();
    });
    decoder?.on('end', () => { if (!hasEnded) incoming.destroy(); });
  }

  get body(): this { return this; }

  getReader(): this { return this; }

  /** All bytes that have come since the last call, or the end. */
  async read(): Promise<Read> {
    if (this.#held === 0 && !this.#over) await this.#more();
    if (this.#held > 0) return { done: false, value: this.#take() };
    if (this.#error !== undefined) throw this.#error;
    return { done: true, value: undefined };
  }

  async #takeAll(): Promise<Uint8Array> {
    this.#limit = Infinity;
    this.#source.resume();
    while (!this.#over) await this.#more();
    if (this.#error !== undefined) throw this.#error;
    return this.#take();
  }

  #more(): Promise<void> {
    return new Promise((resolve) => { this.#tell = resolve; });
  }

  #take(): Uint8Array {
    const [first = new Uint8Array(), ...more] = this.#parts.splice(0);
    const size = this.#held;
    this.#held = 0;
    this.#source.resume();
    if (more.length === 0) return first;
    const all = new Uint8Array(size);
    let place = 0;
    for (const part of [first, ...more]) {
      all.set(part, place);
      place += part.length;
    }
    return all;
  }

  #end(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#error = error;
    this.#news();
  }

  #news(): void {
    const tell = this.#tell;
    this.#tell = undefined;
    tell?.();
  }
}
