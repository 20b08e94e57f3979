// The sockets of one `fetch`, and the calls that wait for a lane.
import type { Answer } from './answer.js';
import type { Create } from './create.js';
import { Line, type Socket } from './socket.js';

/** @internal The pool's limits; times in seconds. */
export interface Limits { sockets: number; lanes: number; idle: number; age: number }

/** @internal Opens a socket, and waits until it is open. */
export type Open = (url: string, headers: Record<string, string>) => Promise<Socket>;

/** The sockets to one URL with the same headers, and therefore the same key. */
interface Target { lines: Line[]; opening: number; areToldApart: boolean | undefined; forgets: boolean; httpUntil: number; waiting: Set<() => void> }

/** @internal The socket that a call is on. `wasIdle`: it was already open and had no call. `known`: the response that the call continues from. */
export interface Seat { line: Line; wasIdle: boolean; known: string | undefined }

/** With more targets than this, unused ones are removed. Each new key makes a new target. */
const MAX_UNUSED = 16;

/** Milliseconds until a socket is tried again at a server where none could be opened. */
const ASKED_AGAIN_AFTER = 300_000;

/** The limit for all sockets is this many times the limit for one target. */
const TARGETS = 8;

const openOf = ({ lines, opening }: Target) => lines.filter((line) => line.isOpen).length + opening;

/** @internal */
export class Pool {
  readonly #targets = new Map<string, Target>();
  readonly #limits: Limits;
  readonly #open: Open;

  constructor(limits: Limits, open: Open) {
    this.#limits = limits;
    this.#open = open;
  }

  /** Puts a call on a lane and sends it. Waits while all lanes are taken. Returns undefined if the call must go over HTTP. */
  async seat(url: string, headers: Record<string, string>, create: Create, answer: Answer, isWhole: boolean): Promise<Seat | undefined> {
    const target = this.#target(url, headers);
    if (Date.now() < target.httpUntil) return undefined;
    for (;;) {
      const oldest = Date.now() - this.#limits.age * 1000;
      for (const each of this.#targets.values()) {
        for (const line of each.lines) if (line.born <= oldest || line.lanes.areSpent) line.retire();
        each.lines = each.lines.filter((line) => !line.isClosed);
      }
      for (const { lanes } of target.lines) target.areToldApart ??= lanes.areToldApart;
      const fitting = target.lines.filter((line) => line.isOpen && line.lanes.hasRoom(this.#limits.lanes));
      const [line] = fitting.sort((a, b) =>
        b.lanes.known(create) - a.lanes.known(create) || a.lanes.inFlight - b.lanes.inFlight);
      if (line) {
        const wasIdle = line.lanes.inFlight === 0;
        return { line, wasIdle, known: line.begin(answer, create, isWhole || target.forgets) };
      }
      if (openOf(target) < this.#limits.sockets) {
        if (!this.#makePlace()) return undefined;
        // A new socket has no context to continue from.
        const begin = (line: Line) => { if (!answer.isLeft) line.begin(answer, create, isWhole); };
        return { line: await this.#add(target, url, headers, begin), wasIdle: false, known: undefined };
      }
      await new Promise<void>((resolve) => target.waiting.add(resolve));
      if (answer.isLeft) throw new DOMException('The operation was aborted.', 'AbortError');
    }
  }

  /** Whether one more socket may be opened. At the limit for all sockets, closes an idle one to make room. */
  #makePlace(): boolean {
    const targets = [...this.#targets.values()];
    if (targets.reduce((sum, target) => sum + openOf(target), 0) < this.#limits.sockets * TARGETS) return true;
    const idle = targets.flatMap(({ lines }) => lines).find((line) => line.isOpen && line.lanes.inFlight === 0);
    idle?.close();
    return idle !== undefined;
  }

  /** Called when the server refuses sockets: requests go over HTTP for five minutes. */
  forbidSockets(url: string, headers: Record<string, string>): void {
    this.#target(url, headers).httpUntil = Date.now() + ASKED_AGAIN_AFTER;
  }

  /** Called when the server ignores `previous_response_id`: every turn sends its whole input from now on. */
  forbidContexts(url: string, headers: Record<string, string>): void {
    this.#target(url, headers).forgets = true;
  }

  /** Called when the server does not support lanes: each socket runs one call at a time from now on. */
  forbidLanes(url: string, headers: Record<string, string>): void {
    const target = this.#target(url, headers);
    target.areToldApart = false;
    for (const line of target.lines) line.retire();
  }

  /** Closes every socket. */
  close(): void {
    for (const { lines } of this.#targets.values()) for (const line of lines) line.close();
  }

  /** Makes all waiting calls check again for a lane. */
  wakeAll(): void {
    for (const target of this.#targets.values()) wake(target);
  }

  /** Opens a socket. The call that needed it begins before other calls can use it. */
  async #add(target: Target, url: string, headers: Record<string, string>, begin: (line: Line) => void): Promise<Line> {
    target.opening += 1;
    try {
      const socket = await this.#open(url, headers);
      const line = new Line(socket, target.areToldApart, this.#limits.idle, { onChange: () => wake(target) });
      begin(line);
      target.lines.push(line);
      return line;
    } finally {
      target.opening -= 1;
      wake(target);
    }
  }

  #target(url: string, headers: Record<string, string>): Target {
    const key = JSON.stringify([url, Object.entries(headers).sort()]);
    let target = this.#targets.get(key);
    if (!target) {
      if (this.#targets.size > MAX_UNUSED) {
        for (const [other, { lines, opening, waiting }] of this.#targets) {
          if (opening + waiting.size === 0 && lines.every((line) => line.isClosed)) this.#targets.delete(other);
        }
      }
      target = { lines: [], opening: 0, areToldApart: undefined, forgets: false, httpUntil: 0, waiting: new Set() };
      this.#targets.set(key, target);
    }
    return target;
  }
}

function wake(target: Target): void {
  const { waiting } = target;
  target.waiting = new Set();
  for (const resolve of waiting) resolve();
}
