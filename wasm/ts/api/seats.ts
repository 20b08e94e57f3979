// A client's objects in the running cores. A client has one, its seat; it takes another one when its core was replaced,
// and when it first needs a job that only the module with everything has. The calls that run in the first module
// then stay there until they end, and the second one sends so many requests fewer at once.
import type { RawClient } from '../border/bindings.js';
import type { Core, User } from '../border/core.js';
import { hasJobs, running, type ModuleName } from '../border/load.js';
import type { Status } from '../base/types.js';

/** @internal A client's object in one core. */
export interface Seat {
  readonly core: Core; readonly raw: RawClient; readonly user: User;
  /** The number of calls that have begun here and not ended. */
  calls: number;
}

const COUNTERS = ['started', 'succeeded', 'failed', 'cancelled', 'retried'] as const;

/** @internal The seats of one client. */
export class Seats {
  #module: ModuleName;
  /** The status while no core is running, with the counters of earlier cores. */
  #idle: Status;
  #seat: Seat | undefined;
  /** Seats in the module for chats, whose calls may still run. */
  #left: readonly Seat[] = [];
  /** Whether the limit on requests in flight is lowered, because others run at the seats that were left. */
  #isSharing = false;
  readonly #make: (core: Core, limit: number | undefined) => RawClient;
  readonly #canMove: (idleMs: number) => boolean;

  /**
   * `make` makes the client's object in a core; an adaptive limit starts at `limit`, which an earlier core found.
   * `canMove` says whether the client's state in a core may be lost.
   */
  constructor(module: ModuleName, idle: Status, make: (core: Core, limit: number | undefined) => RawClient, canMove: (idleMs: number) => boolean) {
    this.#module = module;
    this.#idle = idle;
    this.#make = make;
    this.#canMove = canMove;
  }

  /** The module to load for a call; `isJob` says whether it is one that is no chat. */
  module(isJob: boolean): ModuleName {
    return isJob && !hasJobs(this.#module) ? 'all' : this.#module;
  }

  /** The seat for a new call, if the module's core is running. */
  take(isJob: boolean): Seat | undefined {
    const module = this.module(isJob);
    const core = running(module);
    if (!core) return undefined;
    if (module !== this.#module) {
      // From now on all calls are there, so that they share one queue.
      const seat = this.#seat;
      this.#module = module;
      if (seat && seat.calls > 0) {
        this.#left = [...this.#left, seat];
        this.#seat = undefined;
        this.#isSharing = true;
      } else if (seat) {
        this.release(seat);
      }
    }
    if (this.#seat?.core !== core) {
      const raw = this.#make(core, this.#idle.started > 0 ? this.#idle.limit : undefined);
      const seat: Seat = {
        calls: 0, core, raw, user: { canMove: (idleMs) => !this.all().includes(seat) || this.#canMove(idleMs), release: () => this.release(seat) },
      };
      core.use(seat.user);
      this.#seat = seat;
      this.#share();
    }
    return this.#seat;
  }

  /** Counts a call that begins at a seat; the returned function counts its end. */
  began(seat: Seat): () => void {
    seat.calls += 1;
    return () => {
      seat.calls -= 1;
      if (!this.#left.includes(seat)) return;
      if (seat.calls === 0) this.release(seat);
      this.#share();
    };
  }

  /**
   * Leaves the places of calls that run elsewhere free. A call counts while it waits before a retry, too, because the module
   * where it is would send it again without asking.
   */
  #share(): void {
    const seat = this.#seat;
    if (!seat || !this.#isSharing) return;
    const elsewhere = this.#left.reduce((all, { core, calls }) => all + (core.dead ? 0 : calls), 0);
    this.#isSharing = elsewhere > 0;
    seat.core.quietly(() => seat.raw.setWorkers!(Math.max(0, this.#idle.maxWorkers - elsewhere)));
  }

  /** Those whose calls may still run. */
  all(): readonly Seat[] {
    return this.#seat ? [...this.#left, this.#seat] : this.#left;
  }

  /** The load and the counters at this moment. */
  status(): Status {
    const now = this.#seat && statusOf(this.#seat);
    const sum = now ? plus(now, this.#idle, COUNTERS) : { ...this.#idle };
    // With limits of its own, a client is at one seat.
    if (this.#isSharing) sum.limit = this.#idle.limit;
    return this.#left.reduce((all, seat) => plus(all, statusOf(seat), ['active', 'queued', ...COUNTERS]), sum);
  }

  /** Releases a seat, unless that was done, and keeps its counters. */
  release(seat: Seat): void {
    if (!this.all().includes(seat)) return;
    const last = statusOf(seat);
    if (seat === this.#seat) {
      if (last) this.#idle = { ...plus(last, this.#idle, COUNTERS), active: 0, queued: 0, limit: this.#isSharing ? this.#idle.limit : last.limit };
      this.#seat = undefined;
    } else {
      this.#idle = plus(this.#idle, last, COUNTERS);
      this.#left = this.#left.filter((other) => other !== seat);
    }
    seat.core.quietly(() => seat.raw.free());
  }
}

/** What a core says about its load; nothing after a trap. */
const statusOf = ({ core, raw }: Seat): Status | undefined => (core.dead ? undefined : JSON.parse(core.enter(() => raw.status())) as Status);

function plus(status: Status, more: Status | undefined, names: readonly (typeof COUNTERS[number] | 'active' | 'queued')[]): Status {
  const sum = { ...status };
  for (const name of names) sum[name] += more?.[name] ?? 0;
  return sum;
}
