// Requests by `node:http`, which takes less than half of the time of Node's `fetch`. It does as much of
// `fetch` as `host.ts` asks for, and nothing that a page could see.

import { ON_ABORT, type Init } from './fetch.js';

type Fetch = typeof globalThis.fetch;
type Listener = (...values: never[]) => void;

// What is used of Node's own classes, whose types this package does without.
interface Emitter { on(event: string, listen: Listener): void; once(event: string, listen: Listener): void }
interface Socket extends Emitter { connecting: boolean; bytesRead: number }
interface Incoming extends Emitter { statusCode: number; headers: Record<string, string | string[]>; pause(): void; resume(): void }
interface Outgoing extends Emitter { reusedSocket: boolean; end(body: Uint8Array): void; destroy(error: unknown): void }
interface Http { request(options: object): Outgoing }
interface Target { secure: boolean; options: object }

/** How long a connection may take, in milliseconds. */
const CONNECT_MS = 5_000;
/** How much of an answer is held for a reader that is busy, in bytes. */
const HELD = 64 * 1024;
/** For how long the loss of a kept connection means that it was closed before the request came, in milliseconds. */
const REPLACE_WITHIN_MS = 3_000;

/** @internal Like `fetch` for the core's requests: a URL, and a body of bytes. */
export const httpFetch = (async (url: string, init: Init) => {
  const { secure, options } = target(url);
  const http = (secure ? https ??= await load('https') : plain ??= await load('http'));
  const began = performance.now();
  for (;;) {
    const sent = new Sent(http, secure, options, init);
    try {
      return await sent.answer;
    } catch (error) {
      // A kept connection that the server closed, and nobody has heard of the request: a new one, at once.
      if (!sent.isUnheard(error) || performance.now() - began > REPLACE_WITHIN_MS) throw error;
    }
  }
}) as unknown as Fetch;

let plain: Http | undefined;
let https: Http | undefined;

// Not before they are used: loading them takes Node some milliseconds.
async function load(name: 'http' | 'https'): Promise<Http> {
  // @ts-expect-error: no types of Node's here
  return name === 'http' ? import('node:http') : import('node:https');
}

let last: { url: string; target: Target } | undefined;

/** Where a request goes: mostly where the last one went. */
function target(url: string): Target {
  if (last?.url !== url) {
    const { protocol, hostname, port, pathname, search } = new URL(url);
    const host = hostname.replace(/^\[|\]$/g, '');
    last = { url, target: { secure: protocol === 'https:', options: { host, port, path: pathname + search } } };
  }
  return last.target;
}

const failure = (message: string, code: string) => Object.assign(new Error(message), { code });

/** A request that is sent, and its answer to come. */
class Sent {
  readonly answer: Promise<Answer>;
  readonly #request: Outgoing;
  #aborted = false;
  #isOver = false;
  #socket: Socket | undefined;
  #readBefore = 0;

  constructor(http: Http, secure: boolean, options: object, init: Init) {
    const body = init.body as Uint8Array;
    const headers = { 'user-agent': 'chatcore', 'content-length': body.length, ...init.headers as Record<string, string> };
    const request = http.request({ ...options, method: init.method, headers });
    this.#request = request;
    this.answer = new Promise((resolve, reject) => {
      request.on('response', (incoming: Incoming) => {
        this.#isOver = true;
        resolve(new Answer(incoming));
      });
      request.on('error', (error: unknown) => {
        this.#isOver = true;
        reject(error);
      });
      request.on('close', () => {
        if (!this.#isOver) reject(failure('the connection was closed before an answer came', 'ECONNRESET'));
      });
      request.on('socket', (socket: Socket) => this.#uses(socket, secure ? 'secureConnect' : 'connect'));
    });
    request.end(body);
    init[ON_ABORT](() => {
      this.#aborted = true;
      request.destroy(failure('the request was aborted', 'ABORT_ERR'));
    });
  }

  /** Whether the server cannot have read the request. */
  isUnheard(error: unknown): boolean {
    const { code } = error as { code?: unknown };
    return !this.#aborted && this.#request.reusedSocket && (code === 'ECONNRESET' || code === 'EPIPE')
      && this.#socket?.bytesRead === this.#readBefore;
  }

  #uses(socket: Socket, connected: string): void {
    this.#socket = socket;
    this.#readBefore = socket.bytesRead;
    if (!socket.connecting) return;
    const late = () => this.#request.destroy(failure(`no connection within ${CONNECT_MS} ms`, 'UND_ERR_CONNECT_TIMEOUT'));
    const timer = setTimeout(late, CONNECT_MS);
    for (const event of [connected, 'close']) socket.once(event, () => clearTimeout(timer));
  }
}

type Read = { done: boolean; value: Uint8Array | undefined };

/** As much of a `Response` as is asked for; its own body, and the reader of that. */
class Answer {
  readonly status: number;
  readonly headers: { forEach(each: (value: string, name: string) => void): void };
  readonly #incoming: Incoming;
  readonly #parts: Uint8Array[] = [];
  #held = 0;
  #limit = HELD;
  #over = false;
  #error: unknown;
  #tell: (() => void) | undefined;

  constructor(incoming: Incoming) {
    this.#incoming = incoming;
    this.status = incoming.statusCode;
    this.headers = {
      forEach(each) {
        for (const name in incoming.headers) each(String(incoming.headers[name]), name);
      },
    };
    incoming.on('data', (part: Uint8Array) => {
      this.#parts.push(part);
      this.#held += part.length;
      if (this.#held > this.#limit) incoming.pause();
      this.#news();
    });
    incoming.on('end', () => this.#end(undefined));
    incoming.on('error', (error: unknown) => this.#end(error));
    incoming.on('close', () => {
      if (!this.#over) this.#end(failure('the connection was closed within the answer', 'ECONNRESET'));
    });
  }

  get body(): this { return this; }

  getReader(): this { return this; }

  /** All of what has come since the last time, or the end. */
  async read(): Promise<Read> {
    if (this.#held === 0 && !this.#over) await new Promise<void>((resolve) => { this.#tell = resolve; });
    if (this.#held > 0) return { done: false, value: this.#take() };
    if (this.#error !== undefined) throw this.#error;
    return { done: true, value: undefined };
  }

  /** The whole body; bytes, which are as good as a buffer to the one who asks. */
  async arrayBuffer(): Promise<Uint8Array> {
    this.#limit = Infinity;
    this.#incoming.resume();
    while (!this.#over) await new Promise<void>((resolve) => { this.#tell = resolve; });
    if (this.#error !== undefined) throw this.#error;
    return this.#take();
  }

  #take(): Uint8Array {
    const [first = new Uint8Array(), ...more] = this.#parts.splice(0);
    const size = this.#held;
    this.#held = 0;
    this.#incoming.resume();
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
