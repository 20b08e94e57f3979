// One socket, and the calls on its lanes.
import { codedError } from '../base/errors.js';
import type { Create } from './create.js';
import { Lanes, type Call } from './lanes.js';
import { read } from './message.js';

/** A WebSocket, as far as it is used: the host's own, or one of the package `ws`. */
export interface Socket {
  binaryType?: string;
  addEventListener(type: 'open' | 'message' | 'close' | 'error', listener: (event: SocketEvent) => void): void;
  send(text: string): void;
  close(code?: number): void;
}

/** What a listener of a {@link Socket} gets. */
export interface SocketEvent { type?: string; data?: unknown; code?: number; reason?: string; message?: string }

/** After these codes the server would do the same again. */
const FINAL = [1000, 1002, 1003, 1007, 1008];

/** @internal What becomes of a socket that is told to the pool. */
export interface Watcher { onChange(): void }

/** @internal One open socket. */
export class Line {
  readonly lanes: Lanes;
  readonly born: number;
  #socket: Socket;
  #watcher: Watcher;
  #isRetired = false;
  #isClosed = false;
  #idle: ReturnType<typeof setTimeout> | undefined;
  readonly #idleLimit: number;

  constructor(socket: Socket, areToldApart: boolean | undefined, idleLimit: number, watcher: Watcher) {
    this.lanes = new Lanes(areToldApart);
    this.born = Date.now();
    this.#socket = socket;
    this.#watcher = watcher;
    this.#idleLimit = idleLimit;
    socket.addEventListener('message', ({ data }) => { if (typeof data === 'string') this.#take(data); });
    socket.addEventListener('close', ({ code, reason }) => this.#onClose(code ?? 1006, reason ?? ''));
    socket.addEventListener('error', ({ message }) => this.#onClose(1006, message ?? 'the connection was lost'));
    this.#waitIdle();
  }

  get isOpen(): boolean {
    return !this.#isRetired && !this.#isClosed;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Sends a call; gives the response that it goes on from, if it is this side that knows of it. */
  begin(call: Call, create: Create, isWhole: boolean): string | undefined {
    clearTimeout(this.#idle);
    const { text, known } = this.lanes.begin(call, create, isWhole);
    this.#socket.send(text);
    return known;
  }

  /** A caller reads no more. Where nobody reads any more, the socket is closed, so that the server stops. */
  leave(isAnswered: boolean): void {
    // A socket on which nothing came may be dead without anybody's knowing.
    if (!isAnswered) this.#isRetired = true;
    const { calls } = this.lanes;
    if (calls.length > 0 && calls.every((call) => call.isLeft)) this.close();
    this.#watcher.onChange();
  }

  /** No new call comes; the socket is closed when those on it are over. */
  retire(): void {
    this.#isRetired = true;
    if (this.lanes.inFlight === 0) this.close();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#idle);
    this.#socket.close(1000);
  }

  #take(text: string): void {
    const message = read(text);
    const call = this.lanes.take(message);
    if (!call) {
      // An error without a lane is the connection's; other messages show that the server is there.
      if (message.meaning === 'error') this.retire();
      else if (message.lane === undefined) for (const other of this.lanes.calls) other.take(message);
      return;
    }
    call.take(message);
    if (message.meaning !== 'event') {
      call.end();
      // More may come about a request that failed, and nothing would tell whose it is.
      if (message.meaning === 'error' && !this.lanes.areToldApart) this.#isRetired = true;
      if (this.#isRetired) this.retire();
      else if (this.lanes.inFlight === 0) this.#waitIdle();
    }
    this.#watcher.onChange();
  }

  #waitIdle(): void {
    clearTimeout(this.#idle);
    const timer = setTimeout(() => this.close(), this.#idleLimit * 1000);
    (timer as { unref?(): void }).unref?.();
    this.#idle = timer;
  }

  #onClose(code: number, reason: string): void {
    this.#isClosed = true;
    clearTimeout(this.#idle);
    for (const call of this.lanes.calls) call.fail(closed(code, reason));
    this.#watcher.onChange();
  }
}

/** @internal The error of a call whose socket was closed. */
export function closed(code: number, reason: string): Error {
  const message = `the WebSocket was closed with code ${code}${reason && `: ${reason}`}`;
  return codedError(message, FINAL.includes(code) ? 'CHATCORE_BODY' : 'ECONNRESET');
}
