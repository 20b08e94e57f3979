// The host's `fetch`, or what an entry has in its place.

type Fetch = typeof globalThis.fetch;

/** @internal Beside the `signal` of a request: says what to do when it is aborted, for less than a signal costs. */
export const ON_ABORT = Symbol('chatcore: on abort');

/** @internal Says how to let a connection keep the process alive, or not. */
export const ON_HOLD = Symbol('chatcore: on hold');

/** @internal */
export interface Init extends RequestInit {
  [ON_ABORT](run: () => void): void;
  [ON_HOLD](set: (isHeld: boolean) => void): void;
}

let found: Fetch = (url, init) => globalThis.fetch(url, init);

/** @internal What sends requests where the caller gave nothing. */
export const hostFetch: Fetch = (url, init) => found(url, init);

/** @internal Says what sends them. */
export function setFetch(fetch: Fetch): void {
  found = fetch;
}
