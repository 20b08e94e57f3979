// Letting the host do something else.

const host = globalThis as typeof globalThis & { setImmediate?(then: () => void): unknown };

/**
 * @internal
 * Runs `then` once the host has done all else that is ready, timers that are due included. A promise would
 * be first in line.
 */
export function afterOthers(then: () => void): void {
  if (typeof host.setImmediate === 'function') {
    host.setImmediate(then);
  } else if (typeof MessageChannel === 'function') {
    // A timer would be slow in a page that is not seen.
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => { port1.close(); then(); };
    port2.postMessage(0);
  } else {
    setTimeout(then, 0);
  }
}

/** @internal The same as a promise. */
export const pause = () => new Promise<void>(afterOthers);
