// OpenAI's Responses over WebSocket, as a function like `fetch`.
import { codedError } from '../base/errors.js';
import { Answer, eventOf } from './answer.js';
import { createOf, type Create } from './create.js';
import type { Message } from './message.js';
import { Pool, type Open, type Seat } from './pool.js';
import { closed, type Socket } from './socket.js';

type Fetch = typeof globalThis.fetch;

/** Options of {@link webSocketFetch}. */
export interface WebSocketFetchOptions {
  /** The most sockets for calls with the same URL and headers. The limit for all sockets is eight times this. Default: 8. */
  maxSockets?: number;
  /** The most calls at once on each socket, if the server supports several (`stream_id`). Default: 16, OpenAI's limit. */
  maxLanes?: number;
  /** Seconds until an idle socket is closed. Default: 300. */
  idleLimit?: number;
  /** Seconds after which a socket takes no new calls. Default: 3300, because OpenAI closes a socket after 3600. */
  ageLimit?: number;
  /** Whether every turn sends its whole input. Default: false; a turn sends only the items that are new to its lane. */
  wholeInput?: boolean;
  /** Sends all requests that do not go over a WebSocket. Default: `globalThis.fetch`. */
  fetch?: Fetch;
  /**
   * Opens a socket. Default: the host's `WebSocket` with the headers, which Node 22, Bun and Deno support. A page
   * cannot send headers: there, give a function that authenticates in another way, such as by a token in the URL.
   */
  open?: (url: string, headers: Record<string, string>) => Socket;
}

/** A function like `fetch`, with a method that closes its sockets. */
export type WebSocketFetch = Fetch & {
  /** Closes every socket; calls on them fail. An open socket keeps a process of Node alive until its idle limit. */
  close(): void;
};

/** If a reused socket is lost within this many milliseconds, the server is assumed to have closed it before the request came. */
const REPLACE_WITHIN = 3000;
const OF_THE_BODY = ['content-type', 'content-length', 'accept', 'accept-encoding'];

/**
 * A function like `fetch` that sends OpenAI's Responses over WebSockets that stay open. All other requests go over
 * HTTP, and so does a request whose socket cannot be opened. A turn that continues a conversation on the same lane
 * sends only its new items.
 *
 * ```js
 * import { LlmClient } from 'chatcore';
 * import { webSocketFetch } from 'chatcore/websocket';
 *
 * const client = new LlmClient({ provider: 'openai_responses', fetch: webSocketFetch() });
 * ```
 */
export function webSocketFetch(options: WebSocketFetchOptions = {}): WebSocketFetch {
  const { maxSockets = 8, maxLanes = 16, idleLimit = 300, ageLimit = 3300, wholeInput = false } = options;
  const http: Fetch = options.fetch ?? ((url, init) => globalThis.fetch(url, init));
  const pool = new Pool(
    { sockets: Math.max(1, maxSockets), lanes: Math.max(1, maxLanes), idle: idleLimit, age: ageLimit },
    opened(options.open ?? openWithHeaders),
  );
  const fetch = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const url = input instanceof Request ? input.url : String(input);
    const create = input instanceof Request ? undefined : createOf(url, init?.method, init?.body, !wholeInput);
    if (!create || !init) return http(input, init);
    try {
      return await ask(pool, url, headersOf(init.headers), create, init.signal ?? undefined);
    } catch (error) {
      // Over HTTP the server either answers or says why it does not.
      if (error instanceof NotOpened) {
        if (error.isServers) pool.forbidSockets(url, headersOf(init.headers));
        return http(input, init);
      }
      throw error;
    }
  };
  return Object.assign(fetch as Fetch, { close: () => pool.close() });
}

/** A socket could not be opened. `isServers` is true if connecting to the server failed. */
class NotOpened extends Error {
  isServers = false;
}

async function ask(
  pool: Pool, url: string, headers: Record<string, string>, create: Create, signal: AbortSignal | undefined,
): Promise<Response> {
  const tried = new Set<string>();
  for (;;) {
    const answer = new Answer();
    let seat: Seat | undefined;
    const leave = () => {
      answer.leave();
      answer.fail(new DOMException('The operation was aborted.', 'AbortError'));
      seat?.line.leave(answer.isAnswered);
      pool.wakeAll();
    };
    signal?.throwIfAborted();
    signal?.addEventListener('abort', leave);
    const over = () => signal?.removeEventListener('abort', leave);
    const began = Date.now();
    let first: Message | undefined;
    try {
      seat = await pool.seat(url, headers, create, answer, tried.has('whole context'));
      if (!seat) throw new NotOpened('there are too many sockets');
      first = await answer.next();
    } catch (error) {
      over();
      const isStale = seat?.wasIdle && Date.now() - began < REPLACE_WITHIN;
      if (isStale && (error as { code?: unknown }).code === 'ECONNRESET' && !tried.has('replaced')) {
        tried.add('replaced');
        continue;
      }
      throw error;
    }
    if (!first) {
      over();
      throw codedError('the answer has no messages', 'CHATCORE_BODY');
    }
    // A server may ignore `previous_response_id` without reporting it.
    const isIgnored = seat.known !== undefined && first.meaning === 'event'
      && first.previous !== undefined && first.previous !== seat.known;
    if (isIgnored && !tried.has('whole context')) {
      over();
      leave();
      tried.add('whole context');
      pool.forbidContexts(url, headers);
      continue;
    }
    const { remedy } = first;
    const helps = remedy && !tried.has(remedy) && !(remedy === 'whole context' && create.previous !== undefined);
    if (!helps) return responseOf(first, answer, leave, over);
    over();
    tried.add(remedy);
    if (remedy === 'whole context') seat.line.lanes.forget();
    else if (remedy === 'other socket') seat.line.retire();
    else pool.forbidLanes(url, headers);
  }
}

function responseOf(first: Message, answer: Answer, leave: () => void, over: () => void): Response {
  if (first.meaning === 'error' && first.status) {
    over();
    return new Response(first.text, { status: first.status, headers: { ...first.headers, 'content-type': 'application/json' } });
  }
  const encoder = new TextEncoder();
  let next: Message | undefined = first;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const message = next ?? await answer.next();
        next = undefined;
        if (message) return controller.enqueue(encoder.encode(eventOf(message)));
        over();
        controller.close();
      } catch (error) {
        over();
        controller.error(error);
      }
    },
    cancel() {
      over();
      leave();
    },
  }, { highWaterMark: 0 });
  return new Response(body, { status: 200, headers: { 'content-type': 'text/event-stream' } });
}

/** The headers that a socket is opened with. */
function headersOf(init: HeadersInit | undefined): Record<string, string> {
  const headers = new Headers(init);
  for (const name of OF_THE_BODY) headers.delete(name);
  return Object.fromEntries(headers);
}

/** Waits until a socket is open. */
function opened(open: (url: string, headers: Record<string, string>) => Socket): Open {
  return (url, headers) => new Promise((resolve, reject) => {
    const socket = open(url.replace(/^http/, 'ws'), headers);
    socket.addEventListener('open', () => resolve(socket));
    const fail = (cause?: unknown) =>
      reject(Object.assign(new NotOpened('the WebSocket could not be opened', { cause }), { isServers: true }));
    socket.addEventListener('error', () => fail());
    socket.addEventListener('close', ({ code, reason }) => fail(closed(code ?? 1006, reason ?? '')));
  });
}

function openWithHeaders(url: string, headers: Record<string, string>): Socket {
  const { WebSocket, process } = globalThis as unknown as {
    WebSocket?: new (url: string, options?: unknown) => Socket;
    process?: { versions?: { node?: string } };
  };
  if (!WebSocket) throw new NotOpened('this host has no WebSocket');
  if (process?.versions?.node) return new WebSocket(url, { headers });
  if (Object.keys(headers).length > 0) {
    throw codedError('a page cannot send the key as a header of a WebSocket: give webSocketFetch a function `open`', 'CHATCORE_BODY');
  }
  return new WebSocket(url);
}
