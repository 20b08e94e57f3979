// The host's `fetch`, or the replacement that an entry sets.

type Fetch = typeof globalThis.fetch;

/** @internal A cheaper alternative to a request's `signal`: registers a function to run on abort. */
export const ON_ABORT = Symbol('chatcore: on abort');

/** @internal Registers a function that sets whether the connection keeps the process alive. */
export const ON_HOLD = Symbol('chatcore: on hold');

/** @internal */
export interface Init extends RequestInit {
  [ON_ABORT](run: () => void): void;
  [ON_HOLD](set: (isHeld: boolean) => void): void;
}

let found: Fetch = (url, init) => globalThis.fetch(url, init);

/** @internal Sends requests if the caller gave no `fetch`. */
export const hostFetch: Fetch = (url, init) => found(url, init);

/** @internal Sets the function that `hostFetch` calls. */
export function setFetch(fetch: Fetch): void {
  found = fetch;
}
