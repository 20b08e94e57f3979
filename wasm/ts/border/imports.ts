// The functions that the module imports from its host (WebAssembly imports). Each operation has an id, with which the module
// is called back when the operation completes.
import { BodyReader, eachHeader, TAKE_ALL, type AnyResponse } from './body.js';
import type { CallContext, Head } from './call-context.js';
import { codedError } from '../base/errors.js';
import { ON_ABORT, ON_HOLD, type Init } from './fetch.js';
import type { AskKey, Bindings, Exchange, HostFunctions } from './bindings.js';
import { RESPONSE_HEADERS } from '../base/tables.js';

/** The headers that the core reads. The others are not passed to the module, because each one costs time. */
const READ: ReadonlySet<string> = new Set(RESPONSE_HEADERS);

/** What the module reads as a float; `Number` also accepts spaces and other bases. */
const DECIMAL = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;

/** @internal The parts of `Core` that the imports call back. */
export interface Teller {
  readonly bindings: Bindings;
  /** The home of the timers and requests that are made now; see home.ts. */
  readonly home: number;
  tell(home: number, report: () => void): void;
  soon(home: number, yields: boolean): void;
  settle(id: number, isOk: boolean, text: string, cause: unknown): void;
}

type Report = (bindings: Bindings) => void;
type Fetch = Parameters<HostFunctions['send']>[0];
type Timer = ReturnType<typeof setTimeout>;

/** The methods of Node's timers. */
interface Holdable { ref?(): void; unref?(): void }

/** @internal The host's side of one core. */
export class Imports implements HostFunctions {
  readonly #core: Teller;
  readonly #timers = new Map<number, Timer>();
  readonly #open = new Set<Sent>();
  #isHeld = false;
  /** The head of the last request; the next one is usually the same. */
  #last = { lines: '', method: '', url: '', headers: {} };

  constructor(core: Teller) {
    this.#core = core;
  }

  /** Sets whether timers and connections keep the process alive: only while a promise is pending. */
  hold(isHeld: boolean): void {
    if (this.#isHeld === isHeld) return;
    this.#isHeld = isHeld;
    for (const timer of this.#timers.values()) holdTimer(timer, isHeld);
    for (const sent of this.#open) sent.hold(isHeld);
  }

  soon(home: number, yields: boolean): void {
    this.#core.soon(home, yields);
  }

  sleep(id: number, milliseconds: number): void {
    const { home } = this.#core;
    const timer = setTimeout(() => {
      this.#timers.delete(id);
      this.#core.tell(home, () => this.#core.bindings.signal(id));
    }, milliseconds);
    if (!this.#isHeld) holdTimer(timer, false);
    this.#timers.set(id, timer);
  }

  clear(id: number): void {
    try {
      clearTimeout(this.#timers.get(id));
    } catch { /* a timer of another request, on workerd */ }
    this.#timers.delete(id);
  }

  done(id: number, isOk: boolean, text: string, cause: unknown): void {
    this.#core.settle(id, isOk, text, cause);
  }

  vector(list: Float32Array[] = [], numbers: Float32Array): Float32Array[] {
    // A copy, because the memory of the module may move under the host.
    list.push(numbers.slice());
    return list;
  }

  readFloat(text: string): number {
    return DECIMAL.test(text) ? Number(text) : NaN;
  }

  writeFloat(number: number): string {
    // With a point or an exponent, as the other modules write it.
    const text = Object.is(number, -0) ? '-0' : String(number);
    return /^-?\d+$/.test(text) ? `${text}.0` : text;
  }

  askKey(ask: AskKey, id: number): void {
    const { home } = this.#core;
    // Runs outside the core, because the function may call the client.
    const given = Promise.resolve().then(ask).then((key): Report => (bindings) => bindings.text(id, key), (error: unknown) => failure(id, error));
    void given.then((report) => this.#core.tell(home, () => report(this.#core.bindings)));
  }

  send(fetch: Fetch, id: number, lines: string, body: Uint8Array, context: CallContext | undefined): Exchange {
    if (lines !== this.#last.lines) this.#last = { lines, ...requestHead(lines) };
    const { home } = this.#core;
    const tell = (report: Report) => this.#core.tell(home, () => report(this.#core.bindings));
    // A copy of the body, because the memory of the module may move under the host.
    const sent = new Sent({ ...this.#last, body: body.slice() }, tell, () => this.#open.delete(sent));
    this.#open.add(sent);
    sent.hold(this.#isHeld);
    sent.start(fetch, id, context);
    return sent;
  }
}

interface Request { method: string; url: string; headers: Record<string, string>; body: Uint8Array<ArrayBuffer> }

/** A request, and its response once the head has come. */
class Sent implements Exchange {
  readonly #request: Request;
  readonly #tell: (report: Report) => void;
  readonly #over: () => void;
  #controller: AbortController | undefined;
  #isAborted = false;
  #onAbort: (() => void) | undefined;
  #isHeld = true;
  #onHold: ((isHeld: boolean) => void) | undefined;
  #body: BodyReader | undefined;
  #context: CallContext | undefined;
  #head: Head | undefined;

  constructor(request: Request, tell: (report: Report) => void, over: () => void) {
    this.#request = request;
    this.#tell = tell;
    this.#over = over;
  }

  start(fetch: Fetch, id: number, context: CallContext | undefined): void {
    this.#context = context;
    const { method, url, headers, body } = this.#request;
    const sent = this;
    const init: Init = {
      // A GET has no body, and `fetch` refuses an empty one.
      method, headers: { ...headers }, redirect: 'manual', ...method === 'GET' ? {} : { body },
      // Created on first use, because it is expensive.
      get signal() {
        sent.#controller ??= new AbortController();
        if (sent.#isAborted) sent.#controller.abort();
        return sent.#controller.signal;
      },
      [ON_ABORT](run) {
        sent.#onAbort = run;
        if (sent.#isAborted) run();
      },
      [ON_HOLD](set) {
        sent.#onHold = set;
        if (!sent.#isHeld) set(false);
      },
    };
    void this.#telling(id, async () => {
      const response = await fetch(url, init, context) as AnyResponse | undefined;
      if (typeof response !== 'object' || response === null) throw codedError('fetch returned no response', 'CHATCORE_BODY');
      let head = String(response.status || response.type);
      let encoding = '';
      const headers: Record<string, string> = {};
      eachHeader(response.headers, (name, value) => {
        headers[name] = value;
        // `node/answer.ts` drops this header if it decodes the body, so there the core is told of it.
        if (name === 'content-encoding' && !(TAKE_ALL in response)) encoding = value;
        else if (READ.has(name)) head += `\n${name}\n${value.replaceAll('\n', ' ')}`;
      });
      this.#head = { status: Number(response.status), headers };
      context?.answered(this.#head);
      this.#body = new BodyReader(response, encoding);
      return (bindings) => bindings.text(id, head);
    });
  }

  read(id: number): void {
    void this.#telling(id, async () => {
      const { bytes, isLast } = await this.#body!.read();
      if (isLast) this.#over();
      return (bindings) => bindings.piece(id, bytes, isLast);
    });
  }

  abort(): void {
    this.#isAborted = true;
    if (this.#head) this.#context?.dropped(this.#head);
    this.#over();
    // Runs outside the core, because a listener of the signal may call the client.
    void Promise.resolve().then(() => {
      this.#controller?.abort();
      this.#onAbort?.();
      this.#body?.stop();
    }).catch(() => { /* it belongs to another request, on workerd */ });
  }

  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    this.#onHold?.(isHeld);
  }

  /** Runs `begin`, and reports its result or its error to the core. */
  async #telling(id: number, begin: () => Promise<Report>): Promise<void> {
    let report: Report;
    try {
      report = await begin();
    } catch (error) {
      this.#over();
      report = failure(id, error);
    }
    this.#tell(report);
  }
}

function holdTimer(timer: Timer, isHeld: boolean): void {
  const { ref, unref } = timer as Holdable;
  (isHeld ? ref : unref)?.call(timer);
}

/** The method, the URL and the headers of a request. */
function requestHead(lines: string): Omit<Request, 'body'> {
  const [method, url, ...pairs] = lines.split('\n') as [string, string, ...string[]];
  const headers: Record<string, string> = {};
  for (let n = 0; n < pairs.length; n += 2) headers[pairs[n]!] = pairs[n + 1]!;
  return { method, url, headers };
}

const property = (of: unknown, name: string): unknown => {
  try {
    return (of as Record<string, unknown> | null | undefined)?.[name];
  } catch {
    return undefined;
  }
};

const text = (of: unknown, name: string) => {
  const value = property(of, name);
  return typeof value === 'string' ? value : '';
};

/** Reports an error of the host, with the messages and codes of its causes. */
function failure(id: number, error: unknown): Report {
  const message: string[] = [];
  let code = '';
  let cause: unknown = error;
  for (let depth = 0; cause != null && depth < 4; depth += 1) {
    // The innermost code is the most specific, but a code of chatcore's own is never replaced.
    if (!code.startsWith('CHATCORE_')) code = text(cause, 'code') || code;
    for (const more of [text(cause, 'message'), text(cause, 'code')]) {
      if (more && !message.some((known) => known.includes(more))) message.push(more);
    }
    cause = property(cause, 'cause');
  }
  return (bindings) => bindings.failed(id, error, code, message.join(': ') || 'the host gave no reason');
}
