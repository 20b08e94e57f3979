// The lanes of one socket: which lane a call takes, and which call a message belongs to.
import { after, messageOf, type Create } from './create.js';
import type { Message } from './message.js';

/** How many lane names one socket may use in its lifetime: OpenAI's limit. */
const MAX_NAMES = 32;

/** @internal The parts of a call that its socket uses. */
export interface Call {
  /** Whether the caller no longer reads the answer. */
  readonly isLeft: boolean;
  take(message: Message): void;
  end(): void;
  fail(error: unknown): void;
}

/** What the server keeps after a response: its id, the number of items, and their digest if they are known. */
interface Context { id: string; count: number; digest: string | undefined }

interface Lane { name: number; call: Call | undefined; context: Context; hasContext: boolean }

/** @internal The lanes of one socket. */
export class Lanes {
  /** Whether the server tells lanes apart; undefined until its first answer. */
  areToldApart: boolean | undefined;
  #lanes: Lane[] = [];
  #names = 0;

  constructor(areToldApart: boolean | undefined) {
    this.areToldApart = areToldApart;
  }

  get inFlight(): number {
    return this.#lanes.filter((lane) => lane.call).length;
  }

  get calls(): Call[] {
    return this.#lanes.flatMap((lane) => lane.call ?? []);
  }

  /** Whether the socket can take no more calls: every lane name is used up, and no lane is left. */
  get areSpent(): boolean {
    return this.#names === MAX_NAMES && this.#lanes.length === 0;
  }

  /** Whether one more call fits: up to `max` at once, or only one if the server does not tell lanes apart. */
  hasRoom(max: number): boolean {
    const hasLane = this.#names < MAX_NAMES || this.#lanes.some((lane) => !lane.call);
    return hasLane && this.inFlight < (this.areToldApart ? max : 1);
  }

  /** The most items of the call's input that any free lane already knows; −1 if no free lane has a matching context. */
  known(create: Create): number {
    return Math.max(-1, ...this.#free().map((lane) => knownItems(lane, create)));
  }

  /** Puts a call on the lane that knows most of its input. Returns the message to send, and the response that the lane continues from. */
  begin(call: Call, create: Create, isWhole: boolean): { text: string; known: string | undefined } {
    const free = this.#free();
    const best = free.filter((lane) => knownItems(lane, create) >= 0).sort((a, b) => knownItems(b, create) - knownItems(a, create))[0];
    const lane = best ?? free.find((lane) => !lane.hasContext) ?? this.#add() ?? free[0]!;
    // Lanes are sorted by last use, so that the first free lane is the least recently used.
    this.#lanes = [...this.#lanes.filter((other) => other !== lane), lane];
    const count = isWhole ? 0 : knownItems(lane, create);
    const { id } = lane.context;
    lane.call = call;
    lane.hasContext = false;
    lane.context = { id: '', count: create.items.length, digest: create.previous === undefined ? create.digests.at(-1) : undefined };
    const known = count > 0 ? { id, count } : undefined;
    return { text: messageOf(create, this.areToldApart === false ? undefined : nameOf(lane), known), known: known?.id };
  }

  /** Updates the lane that a message belongs to, and returns its call. */
  take(message: Message): Call | undefined {
    const busy = this.#lanes.filter((lane) => lane.call);
    const lane = message.lane === undefined ? (busy.length === 1 ? busy[0] : undefined)
      : busy.find((lane) => nameOf(lane) === message.lane);
    const call = lane?.call;
    if (!lane || !call) return undefined;
    if (message.meaning !== 'error') this.areToldApart ??= message.lane !== undefined;
    if (message.item !== undefined && lane.context.digest !== undefined) {
      lane.context.count += 1;
      lane.context.digest = after(lane.context.digest, message.item);
    }
    if (message.meaning === 'event') return call;
    lane.call = undefined;
    if (message.meaning === 'completed' && message.id) {
      lane.context.id = message.id;
      lane.hasContext = true;
    }
    // The server may send more about the request that failed, so its name is not used again.
    if (message.meaning === 'error' && this.areToldApart) this.#lanes = this.#lanes.filter((other) => other !== lane);
    return call;
  }

  /** Called when the server has lost the contexts. */
  forget(): void {
    for (const lane of this.#lanes) lane.hasContext = false;
  }

  #free(): Lane[] {
    return this.#lanes.filter((lane) => !lane.call);
  }

  #add(): Lane | undefined {
    if (this.#names === MAX_NAMES || (this.areToldApart === false && this.#lanes.length > 0)) return undefined;
    const lane: Lane = { name: this.#names, call: undefined, context: { id: '', count: 0, digest: undefined }, hasContext: false };
    this.#names += 1;
    this.#lanes.push(lane);
    return lane;
  }
}

const nameOf = (lane: Lane) => `lane-${lane.name}`;

/** How many items of the input the lane knows; −1 if its context does not match. */
function knownItems({ context: { id, count, digest }, hasContext }: Lane, create: Create): number {
  if (!hasContext) return -1;
  if (create.previous !== undefined) return create.previous === id ? 0 : -1;
  return digest !== undefined && count < create.items.length && create.digests[count - 1] === digest ? count : -1;
}
