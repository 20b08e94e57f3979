// An answer of `node:http`, as much like a `Response` as is asked for.
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

/** How much of an answer is held for a reader that is busy, in bytes. */
const HELD = 64 * 1024;
/** An answer of no more bytes is taken at once. */
const SHORT = 99_999;

// Each piece is passed on as it comes, since a stream may pause anywhere. Where it ends too early, what it
// holds tells: that of a mere status may be empty.
const { Z_SYNC_FLUSH, BROTLI_OPERATION_FLUSH } = constants as Record<string, number>;
const flushing = { flush: Z_SYNC_FLUSH, finishFlush: Z_SYNC_FLUSH };
const flushingBrotli = { flush: BROTLI_OPERATION_FLUSH, finishFlush: BROTLI_OPERATION_FLUSH };
const DECODERS: Readonly<Record<string, () => Decoder>> = {
  gzip: () => createGunzip(flushing) as Decoder,
  'x-gzip': () => createGunzip(flushing) as Decoder,
  deflate: () => createInflate(flushing) as Decoder,
  br: () => createBrotliDecompress(flushingBrotli) as Decoder,
};

/** @internal The status, the headers, and the body, which is its own reader. */
export class Answer {
  readonly status: number;
  readonly headers: { forEach(each: (value: string, name: string) => void): void };
  readonly [TAKE_ALL]: (() => Promise<Uint8Array>) | undefined;
  /** It ends with this error, once what had come is handed over. */
  readonly fail: (error: unknown) => void;
  readonly #source: Source;
  readonly #parts: Uint8Array[] = [];
  #held = 0;
  #limit = HELD;
  #over = false;
  #error: unknown;
  #tell: (() => void) | undefined;

  /** `onEnd` is called when all of the answer has come. */
  constructor(incoming: Incoming, onEnd: () => void) {
    const encoding = String(incoming.headers['content-encoding'] ?? '').toLowerCase();
    // Nobody asked for it, but some servers do so all the same.
    const decoder = Object.hasOwn(DECODERS, encoding) ? DECODERS[encoding]!() : undefined;
    this.status = incoming.statusCode;
    // The length of what is compressed says nothing of what comes out.
    // Of an error, what has come is told though the rest never does.
    const isShort = !decoder && this.status < 400 && Number(incoming.headers['content-length']) <= SHORT;
    this[TAKE_ALL] = isShort ? () => this.#takeAll() : undefined;
    this.headers = {
      forEach(each) {
        for (const name in incoming.headers) {
          // What is undone is not said.
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
    // A decoder that takes no more stops its source, and the connection would stay for ever.
    decoder?.on('error', (error: unknown) => {
      this.#end(lost ?? error);
      incoming.destroy();
    });
    decoder?.on('end', () => { if (!hasEnded) incoming.destroy(); });
  }

  get body(): this { return this; }

  getReader(): this { return this; }

  /** All that has come since the last time, or the end. */
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
