// Requests by `node:http`, which takes less than half of the time of Node's `fetch`. It does as much of
// `fetch` as `border/imports.ts` asks for, and nothing that a page could see.
// @ts-expect-error: no types of Node's here
import { readSync } from 'node:fs';
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

/** @internal What is used of `node:http` and of `node:https`. */
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
  /** Options of the request; a fresh one uses no connection that is kept. */
  options(fresh: boolean): object;
}

/** @internal How long a connection may take, in milliseconds. */
export const CONNECT_MS = TIMEOUTS.connect;
/** For how long the loss of a kept connection means that it was closed before the request came, in milliseconds. */
const REPLACE_WITHIN_MS = 3_000;

/** Until the host has looked at its connections again: an answer has ended just now. */
let looking: Promise<void> | undefined;

/** @internal Sends a request of the core's: a URL, and a body of bytes. */
export async function send(http: Http, url: string, init: Init, via?: Way): Promise<Response> {
  const { secure, options } = target(url);
  // What a server sends unasked behind an answer is seen first, and its connection not used again.
  if (looking) await looking;
  const own = { http, secure, headers: {}, options: (fresh: boolean) => (fresh ? anew(http) : {}) };
  const way = via ?? own;
  const sent = new Sent(way, { ...options, ...way.options(false) }, init);
  try {
    return await sent.answer as unknown as Response;
  } catch (error) {
    if (!sent.isUnheard(error)) throw error;
    // Once, and on a new connection: others that are kept may be as dead, and each might pay for the chat.
    return await new Sent(way, { ...options, ...way.options(true) }, init).answer as unknown as Response;
  }
}

/** A new connection, where the program has no agent of its own kind, which may lead through a proxy. */
function anew(http: Http): { agent?: Agent } {
  const { globalAgent, Agent } = http;
  return isPlain(http) ? { agent: new Agent({ ...globalAgent.options, keepAlive: false }) } : {};
}

/** @internal Whether the global agent is of Node's own kind, and not one of the program's. */
export const isPlain = ({ globalAgent, Agent }: Http): boolean => (['addRequest', 'createSocket', 'createConnection'] as const)
  .every((name) => globalAgent[name] === Agent.prototype[name]);

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

/** A request that is sent, and its answer to come. */
class Sent {
  readonly answer: Promise<Answer>;
  readonly #request: Outgoing;
  #aborted = false;
  /** Whether it has an answer, or never will. */
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
          // A server that has answered all may leave the rest of the request where it is.
          if (!request.writableFinished) request.destroy();
          else if (this.#socket) watchIdle(this.#socket);
        });
        resolve(answer);
      });
      request.on('error', (error: unknown) => {
        this.#isOver = true;
        // What the server sent, which may hold what it was sent.
        delete (error as { rawPacket?: unknown }).rawPacket;
        // What is no HTTP within a body is told here, and only here; what comes after it means nothing.
        if (!answer) reject(error);
        else if (!isWhole()) answer.fail(error);
      });
      request.on('close', () => {
        if (!this.#isOver) reject(codedError('the connection was closed before the answer', 'ECONNRESET'));
      });
      request.on('socket', (socket: Socket) => this.#uses(socket, secure ? 'secureConnect' : 'connect'));
    });
    request.end(body);
    init[ON_ABORT](() => {
      this.#aborted = true;
      request.destroy(codedError('the request was aborted', 'ABORT_ERR'));
    });
    init[ON_HOLD]((isHeld) => {
      this.#isHeld = isHeld;
      // After that the connection may serve others.
      if (this.#socket && !this.#isRead) hold(this.#socket, isHeld);
    });
  }

  /** Whether it went over a kept connection that the server had closed, as far as one can tell. */
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
 * A server that refuses a request while it is sent may answer, and end the connection. Node then hears of the
 * end from a write, and closes the connection without a look at what has come; the look is taken here.
 */
function prepare(socket: Socket): void {
  // A connection may also fail after its answer, when no request listens any more.
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

/** How many bytes a kept connection had read when its last answer ended, and what ends it if more come. */
const idle = new WeakMap<Socket, { read: number; end: () => void }>();

/** A kept connection on which bytes come that nobody asked for is not used again. */
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

/** Not within `Sent`, which a socket's listeners would hold for as long as the socket lives. */
function limitConnecting(socket: Socket, connected: string, request: Outgoing): void {
  const late = () => request.destroy(codedError(`no connection within ${CONNECT_MS} ms`, 'UND_ERR_CONNECT_TIMEOUT'));
  const timer = setTimeout(late, CONNECT_MS) as unknown as { unref(): void } & number;
  // The connection itself keeps the process alive, if it is to.
  timer.unref();
  const done = () => {
    clearTimeout(timer);
    for (const event of [connected, 'close']) socket.off(event, done);
  };
  for (const event of [connected, 'close']) socket.on(event, done);
}
