// One socket, and the calls on its lanes.
import { codedError } from '../base/errors.js';
import type { Create } from './create.js';
import { Lanes, type Call } from './lanes.js';
import { read } from './message.js';

/** The parts of a WebSocket that are used. The host's own fits, and so does one of the package `ws`. */
export interface Socket {
  binaryType?: string;
  addEventListener(type: 'open' | 'message' | 'close' | 'error', listener: (event: SocketEvent) => void): void;
  send(text: string): void;
  close(code?: number): void;
}

/** The argument of a listener of a {@link Socket}. */
export interface SocketEvent { type?: string; data?: unknown; code?: number; reason?: string; message?: string }

/** Close codes after which a retry would fail in the same way. */
const FINAL = [1000, 1002, 1003, 1007, 1008];

/** @internal Called when a lane may have become free, or the socket was closed. */
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

  /** Sends a call. Returns the response that its lane continues from, if the lane has a matching context. */
  begin(call: Call, create: Create, isWhole: boolean): string | undefined {
    clearTimeout(this.#idle);
    const { text, known } = this.lanes.begin(call, create, isWhole);
    this.#socket.send(text);
    return known;
  }

  /** Called when a caller stops reading. If no call on the socket is read any more, closes it, so that the server stops. */
  leave(isAnswered: boolean): void {
    // If nothing came for the call, the connection may be dead.
    if (!isAnswered) this.#isRetired = true;
    const { calls } = this.lanes;
    if (calls.length > 0 && calls.every((call) => call.isLeft)) this.close();
    this.#watcher.onChange();
  }

  /** Takes no new calls, and closes the socket when its calls have ended. */
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
      // An error without a lane is about the connection. Other messages show all calls that the server is alive.
      if (message.meaning === 'error') this.retire();
      else if (message.lane === undefined) for (const other of this.lanes.calls) other.take(message);
      return;
    }
    call.take(message);
    if (message.meaning !== 'event') {
      call.end();
      // The server may send more about the failed request, and without lanes it could not be told from the next call's.
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
