// Ends a run if the provider cannot be reached, so that not all items are recorded as errors. The same rules as those of the
// program `chatcore`.
import { whenAborted } from '../base/abort.js';
import { timer } from '../api/helpers.js';
import type { LlmError } from '../base/errors.js';
import type { ChatResponse, Settled } from '../base/types.js';

/** The run ends after this many failed connections in a row for each item in flight. */
const ROUNDS = 3;

/** How long an item that could not connect waits before the next try, in milliseconds. */
const PAUSE = 1000;

/** Codes with which Node, Deno and Bun say that no connection was made. */
const UNREACHED = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ENETDOWN|ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT|ConnectionRefused|FailedToOpenSocket)$/;

/** Codes of certificates that are not trusted: every item would fail with them. */
const UNTRUSTED = /^(CERT_|ERR_TLS_CERT|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH)/;

type Result = Settled<ChatResponse> | undefined;
type Listen = (name: string, run: () => void, options?: object) => void;
type Host = { navigator?: { onLine?: boolean }; addEventListener?: Listen; removeEventListener?: Listen };

/** @internal What all items of a run know about whether the provider can be reached. */
export class Outage {
  /** How many requests reached the provider, and how many failed to connect since the last one of them. */
  #reached = 0;
  #failed = 0;
  /** Why the run ends. */
  cause: LlmError | undefined;

  /**
   * Sends an item. If no connection can be made, the item waits and is sent again until the cause is clear. If other items
   * reach the provider in the meantime, the error belongs to this item. If no item does, `cause` is set, and the run ends
   * without a result of this item. A page that is offline waits until it is online.
   */
  async ask(inFlight: () => number, send: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
    let before: number | undefined;
    for (;;) {
      const connection = watch();
      const result = await send();
      // A page learns that it is offline a moment after its first request has failed.
      if (isPage() && result && !result.ok && result.error.code === 'connection' && !connection.wasLost()) await pause(signal);
      connection.end();
      if (!result || result.ok || result.error.code !== 'connection') {
        // An error that was found before sending says nothing about the provider.
        if (result && (result.ok || result.error.status !== undefined)) {
          this.#reached += 1;
          this.#failed = 0;
        }
        return result;
      }
      if (connection.wasLost()) {
        if (isOffline()) await online(signal);
      } else {
        const codes = codesOf(result.error);
        if (codes.some((code) => UNTRUSTED.test(code))) this.cause ??= result.error;
        else if (!codes.some((code) => UNREACHED.test(code))) return result;
        this.#failed += 1;
        if (this.#failed >= ROUNDS * Math.max(1, inFlight())) this.cause ??= result.error;
        if (this.cause) return undefined;
        if (before !== undefined && this.#reached > before) return result;
        before = this.#reached;
        await pause(signal);
      }
      if (signal.aborted || this.cause) return undefined;
    }
  }
}

/** The codes of an error's causes. */
function codesOf(error: unknown): string[] {
  const codes: string[] = [];
  let at = error as { code?: unknown; cause?: unknown } | undefined;
  for (let depth = 0; at && depth < 5; depth += 1) {
    if (typeof at.code === 'string') codes.push(at.code);
    at = at.cause as typeof at;
  }
  return codes;
}

const isPage = () => typeof (globalThis as Host).navigator?.onLine === 'boolean';

/** Tells whether the page was offline at any moment from now on, even if it is online again. */
function watch() {
  const host = globalThis as Host;
  let wasLost = isOffline();
  const lost = () => { wasLost = true; };
  host.addEventListener?.('offline', lost);
  return { wasLost: () => wasLost, end: () => host.removeEventListener?.('offline', lost) };
}

const isOffline = () => (globalThis as Host).navigator?.onLine === false;

const online = (signal: AbortSignal) => new Promise<void>((resolve) => {
  const forget = whenAborted(signal, resolve);
  (globalThis as Host).addEventListener?.('online', () => { forget(); resolve(); }, { once: true, signal });
});

const pause = (signal: AbortSignal) => new Promise<void>((resolve) => {
  const clear = timer(PAUSE, () => { forget(); resolve(); });
  const forget = whenAborted(signal, () => { clear(); resolve(); });
});
