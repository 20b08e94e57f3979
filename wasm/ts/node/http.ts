// Requests over `node:http`, which takes less than half of the time of Node's `fetch`. Implements only the parts of
// `fetch` that `border/imports.ts` uses, and nothing that only a page could see.
// @ts-expect-error: no types of Node's here
import { readSync } from 'node:fs';
import { whenAborted } from '../base/abort.js';
import { codedError } from '../base/errors.js';
import { ON_ABORT, ON_HOLD, type Init } from '../border/fetch.js';
import { Answer, type Incoming } from './answer.js';
import type { Emitter } from './types.js';
import { pause } from '../base/pause.js';
import { TIMEOUTS } from '../base/tables.js';

type Destroy = (error: { syscall?: string } | null, done: unknown) => void;
interface Socket extends Emitter {
  connecting: boolean; bytesRead: number; encrypted?: boolean;
  ref(): void; unref(): void; destroy(): void; emit(event: string, value: unknown): void;
  _destroy: Destroy; _handle?: { fd?: number } | null;
}
interface Outgoing extends Emitter {
  reusedSocket: boolean; writableFinished: boolean;
  end(body?: Uint8Array): void; destroy(error?: unknown): void;
}
interface Agent { options: object; addRequest: unknown; createSocket: unknown; createConnection(options: never, done: never): unknown }

/** @internal The parts of `node:http` and `node:https` that are used. */
export interface Http {
  request(options: object): Outgoing;
  globalAgent: Agent;
  Agent: { new (options: object): Agent; prototype: Agent };
}

interface Target { secure: boolean; options: object }

/** @internal How a request goes to its server. */
export interface Way {
  http: Http;
  /** Whether the connection is encrypted. */
  secure: boolean;
  headers: Readonly<Record<string, string>>;
  /** Options of the request. If `fresh`, it uses no kept-alive connection. */
  options(fresh: boolean): object;
}

/** @internal How long a connection may take, in milliseconds. */
export const CONNECT_MS = TIMEOUTS.connect;
/** If a kept connection is lost within this many milliseconds, the server is assumed to have closed it before the request came. */
const REPLACE_WITHIN_MS = 3_000;

/** Set when an answer has just ended, until the host has polled its connections again. */
let looking: Promise<void> | undefined;

/** @internal Sends a request of the core: a URL, and a body of bytes. */
export async function send(http: Http, url: string, init: Init, via?: Way): Promise<Response> {
  const { secure, options } = target(url);
  // Waits until bytes that a server sent unasked after its answer are seen, so that its connection is not reused.
  if (looking) await looking;
  const own = { http, secure, headers: {}, options: (fresh: boolean) => (fresh ? anew(http) : {}) };
  const way = via ?? own;
  const sent = new Sent(way, { ...options, ...way.options(false) }, init);
  try {
    return await sent.answer as unknown as Response;
  } catch (error) {
    if (!sent.isUnheard(error)) throw error;
    // Retries once, on a new connection: other kept connections may be dead too, and each retry might be billed.
    return await new Sent(way, { ...options, ...way.options(true) }, init).answer as unknown as Response;
  }
}

/** Options for a new connection. None if the program set its own kind of agent, which may lead through a proxy. */
function anew(http: Http): { agent?: Agent } {
  const { globalAgent, Agent } = http;
  return isPlain(http) ? { agent: new Agent({ ...globalAgent.options, keepAlive: false }) } : {};
}

/** @internal Whether the global agent is Node's own kind, and not the program's. */
export const isPlain = ({ globalAgent, Agent }: Http): boolean => (['addRequest', 'createSocket', 'createConnection'] as const)
  .every((name) => globalAgent[name] === Agent.prototype[name]);

let last: { url: string; target: Target } | undefined;

/** Where a request goes. Cached, because the next request usually has the same URL. */
function target(url: string): Target {
  if (last?.url !== url) {
    const { protocol, hostname, port, pathname, search } = new URL(url);
    const host = hostname.replace(/^\[|\]$/g, '');
    last = { url, target: { secure: protocol === 'https:', options: { host, port, path: pathname + search } } };
  }
  return last.target;
}

/** A sent request, and its pending answer. */
class Sent {
  readonly answer: Promise<Answer>;
  readonly #request: Outgoing;
  #aborted = false;
  /** Whether the head of the answer has come, or never will. */
  #isOver = false;
  /** Whether all of the answer has come. */
  #isRead = false;
  #isHeld = true;
  #socket: Socket | undefined;
  #readBefore = 0;
  #began = 0;

  constructor({ http, secure, headers: more }: Way, options: object, init: Init) {
    const body = init.body as Uint8Array | undefined;
    const length = body && { 'content-length': body.length };
    const headers = { 'user-agent': 'chatcore', ...init.headers as Record<string, string>, ...length, ...more };
    const request = http.request({ ...options, method: init.method, headers });
    this.#request = request;
    this.answer = new Promise((resolve, reject) => {
      let answer: Answer | undefined;
      let isWhole = () => false;
      request.on('response', (incoming: Incoming) => {
        this.#isOver = true;
        isWhole = () => incoming.complete;
        answer = new Answer(incoming, () => {
          this.#isRead = true;
          // A server that has answered completely may never read the rest of the request.
          if (!request.writableFinished) request.destroy();
          else if (this.#socket) watchIdle(this.#socket);
        });
        resolve(answer);
      });
      request.on('error', (error: unknown) => {
        this.#isOver = true;
        // Raw bytes from the server, which may echo the request with its key.
        delete (error as { rawPacket?: unknown }).rawPacket;
        // Invalid HTTP within a body is reported only here. An error after the whole body means nothing.
        if (!answer) reject(error);
        else if (!isWhole()) answer.fail(error);
      });
      request.on('close', () => {
        if (!this.#isOver) reject(codedError('the connection was closed before the answer', 'ECONNRESET'));
      });
      request.on('socket', (socket: Socket) => this.#uses(socket, secure ? 'secureConnect' : 'connect'));
    });
    request.end(body);
    const abort = (cause?: unknown) => {
      this.#aborted = true;
      request.destroy(codedError('the request was aborted', 'ABORT_ERR', cause));
    };
    init[ON_ABORT](abort);
    // A `fetch` of the program may have put another signal in the place of the core's, which is made only when it is read.
    const signal = Object.getOwnPropertyDescriptor(init, 'signal')?.value as AbortSignal | null | undefined;
    if (signal?.aborted) abort(signal.reason);
    else if (signal) request.on('close', whenAborted(signal, () => abort(signal.reason)));
    init[ON_HOLD]((isHeld) => {
      this.#isHeld = isHeld;
      // Once the answer is read, the connection may serve other requests.
      if (this.#socket && !this.#isRead) hold(this.#socket, isHeld);
    });
  }

  /** Whether it apparently went over a kept connection that the server had already closed. */
  isUnheard(error: unknown): boolean {
    const { code } = error as { code?: unknown };
    return !this.#aborted && this.#request.reusedSocket && (code === 'ECONNRESET' || code === 'EPIPE')
      && this.#socket?.bytesRead === this.#readBefore && performance.now() - this.#began < REPLACE_WITHIN_MS;
  }

  #uses(socket: Socket, connected: string): void {
    this.#socket = socket;
    this.#readBefore = socket.bytesRead;
    this.#began = performance.now();
    if (!this.#isHeld) hold(socket, false);
    if (socket.connecting) limitConnecting(socket, connected, this.#request);
    asking.set(socket, () => !this.#isOver);
    if (!this.#request.reusedSocket) prepare(socket);
    else if (!isClean(socket)) this.#request.destroy(codedError('the idle connection received unexpected bytes', 'ECONNRESET'));
  }
}

/** Whether the request that uses a connection still has no answer. */
const asking = new WeakMap<Socket, () => boolean>();

/**
 * A server that refuses a request while it is being sent may answer and close the connection. Node then learns of the
 * close from a failed write, and destroys the socket without reading what has come. This reads it first.
 */
function prepare(socket: Socket): void {
  // A connection may also fail after its answer, when no request listens for errors.
  socket.on('error', () => {});
  if (socket.encrypted) return;
  const destroy = socket._destroy;
  socket._destroy = function (error, done) {
    if (error?.syscall === 'write' && asking.get(socket)?.()) {
      try {
        const bytes = new Uint8Array(65_536);
        const size = readSync(socket._handle?.fd, bytes) as number;
        if (size > 0) socket.emit('data', bytes.subarray(0, size));
      } catch { /* nothing has come */ }
    }
    destroy.call(socket, error, done);
  };
}

function hold(socket: Socket, isHeld: boolean): void {
  if (isHeld) socket.ref();
  else socket.unref();
}

/** How many bytes a kept connection had read when its last answer ended, and the listener that destroys it if more come. */
const idle = new WeakMap<Socket, { read: number; end: () => void }>();

/** Destroys a kept connection if unrequested bytes come on it, so that it is not reused. */
function watchIdle(socket: Socket): void {
  const end = () => socket.destroy();
  idle.set(socket, { read: socket.bytesRead, end });
  socket.on('data', end);
  looking ??= pause().then(pause).then(() => { looking = undefined; });
}

function isClean(socket: Socket): boolean {
  const was = idle.get(socket);
  if (!was) return true;
  idle.delete(socket);
  socket.off('data', was.end);
  return socket.bytesRead === was.read;
}

/** Not a method of `Sent`, because the socket's listeners would keep the `Sent` for as long as the socket lives. */
function limitConnecting(socket: Socket, connected: string, request: Outgoing): void {
  const late = () => request.destroy(codedError(`no connection within ${CONNECT_MS} ms`, 'UND_ERR_CONNECT_TIMEOUT'));
  const timer = setTimeout(late, CONNECT_MS) as unknown as { unref(): void } & number;
  // Only the connection decides whether the process stays alive, not this timer.
  timer.unref();
  const done = () => {
    clearTimeout(timer);
    for (const event of [connected, 'close']) socket.off(event, done);
  };
  for (const event of [connected, 'close']) socket.on(event, done);
}
