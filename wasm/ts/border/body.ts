// Reads the body of a response, whatever type a function like `fetch` gave it.
import { codedError } from '../base/errors.js';
import { pause } from '../base/pause.js';
import { Encoder } from '../base/text.js';

/** @internal On a response with a short body: returns the whole body at once. */
export const TAKE_ALL = Symbol('chatcore: take all');

/** @internal The parts of a response that are read. */
export interface AnyResponse {
  status?: unknown; type?: unknown; headers?: unknown; body?: unknown;
  arrayBuffer?(): Promise<ArrayBuffer | ArrayBufferView>;
  text?(): Promise<string>;
  [TAKE_ALL]?: (() => Promise<Uint8Array>) | undefined;
}

/** @internal */
export interface Piece { bytes: Uint8Array; isLast: boolean }

interface Pieces { next(): Promise<{ done?: boolean | undefined; value?: unknown }>; stop?(): unknown }

/** The most bytes that are passed to the core at once. */
const SLICE = 256 * 1024;
/** The fixed cost of passing one piece to the core, as an equivalent number of bytes. */
const PER_PIECE = 4096;
const NOTHING = new Uint8Array();

/** @internal Reads a body piece by piece. Pauses at times, so that a body that is always ready does not block the host. */
export class BodyReader {
  readonly #response: AnyResponse;
  /** The response's `content-encoding`. Hosts decode the body, and leave the header. */
  readonly #encoding: string;
  #isFirst = true;
  #pieces: Pieces | undefined;
  #rest: Uint8Array = NOTHING;
  /** The first half of a surrogate pair, if a piece of text ends within the pair. */
  #half = '';
  #isOver = false;
  #work = 0;

  constructor(response: AnyResponse, encoding: string) {
    this.#response = response;
    this.#encoding = encoding;
  }

  async read(): Promise<Piece> {
    const all = this.#response[TAKE_ALL];
    if (all) return { bytes: await all(), isLast: true };
    this.#pieces ??= piecesOf(this.#response);
    while (this.#rest.length === 0 && !this.#isOver) {
      const { done, value } = await this.#pieces.next();
      this.#isOver = Boolean(done);
      this.#rest = done ? this.#end() : value == null ? NOTHING : this.#bytes(value);
    }
    if (this.#isFirst && this.#encoding && isCompressed(this.#rest)) {
      throw codedError(`the answer has the content-encoding ${this.#encoding}, which the given fetch does not decode`, 'CHATCORE_BODY');
    }
    this.#isFirst = false;
    const bytes = this.#rest.subarray(0, SLICE);
    this.#rest = this.#rest.subarray(bytes.length);
    this.#work += PER_PIECE + bytes.length;
    if (this.#work > SLICE) {
      this.#work = 0;
      await pause();
    }
    return { bytes, isLast: this.#isOver && this.#rest.length === 0 };
  }

  /** Cancels the body. */
  stop(): void {
    void Promise.resolve().then(() => this.#pieces?.stop?.()).catch(() => {});
  }

  #bytes(value: unknown): Uint8Array {
    if (typeof value !== 'string') return bytesOf(value);
    const text = this.#half + value;
    const last = text.charCodeAt(text.length - 1);
    this.#half = last >= 0xd800 && last < 0xdc00 ? text.slice(-1) : '';
    return new Encoder().encode(this.#half ? text.slice(0, -1) : text);
  }

  #end(): Uint8Array {
    const half = this.#half;
    this.#half = '';
    return half ? new Encoder().encode(half) : NOTHING;
  }
}

/** Whether the bytes begin like gzip or zstd. (Brotli has no signature.) */
const isCompressed = ([one, two]: Uint8Array) => (one === 0x1f && two === 0x8b) || (one === 0x28 && two === 0xb5);

/** Bytes from any realm. */
function bytesOf(value: unknown): Uint8Array {
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (/^\[object (Shared)?ArrayBuffer\]$/.test(Object.prototype.toString.call(value))) return new Uint8Array(value as ArrayBuffer);
  throw codedError('the body yielded something that is neither bytes nor text', 'CHATCORE_BODY');
}

const once = (value: () => unknown): Pieces => {
  let isRead = false;
  return {
    async next() {
      if (isRead) return { done: true };
      isRead = true;
      return { value: await value() };
    },
  };
};

function piecesOf(response: AnyResponse): Pieces {
  const body = response.body as Record<PropertyKey, unknown> | string | null | undefined;
  if (typeof body === 'string') return once(() => body);
  if (body == null) {
    if (!('body' in response) && !response.arrayBuffer && !response.text) {
      throw codedError('the response of the given fetch has no body; return { status, headers, body }', 'CHATCORE_BODY');
    }
    if (response.arrayBuffer) return once(() => response.arrayBuffer!());
    return once(() => response.text?.() ?? '');
  }
  if (typeof body.getReader === 'function') {
    const reader = (body as unknown as ReadableStream<unknown>).getReader();
    return { next: () => reader.read(), stop: () => reader.cancel() };
  }
  if (ArrayBuffer.isView(body) || !(Symbol.asyncIterator in body || Symbol.iterator in body)) {
    const { arrayBuffer } = body;
    return once(() => (typeof arrayBuffer === 'function' ? arrayBuffer.call(body) as unknown : body));
  }
  // Node's streams are iterable, too.
  const iterator = ((body as { [Symbol.asyncIterator]?(): AsyncIterator<unknown> })[Symbol.asyncIterator]?.()
    ?? (body as unknown as Iterable<unknown>)[Symbol.iterator]()) as AsyncIterator<unknown> | Iterator<unknown>;
  return { next: async () => iterator.next(), stop: () => iterator.return?.() };
}

/** @internal Calls `each` with every header of a response: `Headers`, a map, pairs or an object. */
export function eachHeader(headers: unknown, each: (name: string, value: string) => void): void {
  const tell = (value: unknown, name: unknown) => {
    if (value != null) each(String(name).toLowerCase(), Array.isArray(value) ? value.join(', ') : String(value));
  };
  if (headers == null) return;
  const { forEach } = headers as { forEach?: unknown };
  if (Array.isArray(headers)) for (const [name, value] of headers as [unknown, unknown][]) tell(value, name);
  else if (typeof forEach === 'function') forEach.call(headers, tell);
  else for (const [name, value] of Object.entries(headers)) tell(value, name);
}
