// A lease that a worker holds, and its renewal.
import { timer } from '../api/helpers.js';
import type { Journal, Lease } from './journal.js';

/** @internal */
export class Held {
  readonly lease: Lease;
  /** Items that have no result yet. */
  left: number;
  /** Whether the lease is lost: no more of its items may be started. */
  isLost = false;
  #isKept = true;
  #clear = () => {};

  /** `askedAt` is when the lease was claimed. Its time runs from then. */
  constructor(journal: Journal, lease: Lease, items: number, askedAt: number) {
    this.lease = lease;
    this.left = items;
    if (lease.lastsMs !== undefined) void this.#keep(journal, lease.lastsMs, askedAt + lease.lastsMs);
  }

  /** Called when one of its items was recorded. */
  ended(): void {
    this.left -= 1;
    if (this.left === 0) this.leave();
  }

  /** Ends the renewals. */
  leave(): void {
    this.#isKept = false;
    this.#clear();
  }

  /** Renews the lease until all its items are recorded or it is lost. */
  async #keep(journal: Journal, lastsMs: number, firstEnd: number): Promise<void> {
    let until = firstEnd;
    for (;;) {
      // A third of the lease's time, so that a failed renewal can be retried. Never past the end of the lease.
      await this.#sleep(Math.min(lastsMs / 3, until - performance.now()));
      if (!this.#isKept) return;
      const askedAt = performance.now();
      if (askedAt >= until) break;
      // If the journal does not answer, the lease still counts as lost when its time is over.
      const over = this.#sleep(until - askedAt).then(() => 'lost' as const);
      const renewal = await Promise.race([over, renewed(journal, this.lease)]);
      this.#clear();
      if (!this.#isKept) return;
      if (renewal === 'held') until = askedAt + lastsMs;
      else if (renewal === 'lost') break;
    }
    this.isLost = true;
  }

  #sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => { this.#clear = timer(Math.max(0, milliseconds), resolve); });
  }
}

/** A renewal that fails may be retried until the lease ends. */
async function renewed(journal: Journal, lease: Lease): Promise<'held' | 'lost' | 'failed'> {
  try {
    return journal.renew ? await journal.renew(lease) : 'failed';
  } catch {
    return 'failed';
  }
}
