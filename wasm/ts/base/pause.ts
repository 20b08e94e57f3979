// Yields to the host's other work.

const host = globalThis as typeof globalThis & { setImmediate?(then: () => void): unknown };

/**
 * @internal
 * Runs `then` after all other work that is ready on the host, including due timers. A promise's callback would run
 * before that work.
 */
export function afterOthers(then: () => void): void {
  if (typeof host.setImmediate === 'function') {
    host.setImmediate(then);
  } else if (typeof MessageChannel === 'function') {
    // A browser throttles timers in a hidden page.
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => { port1.close(); then(); };
    port2.postMessage(0);
  } else {
    setTimeout(then, 0);
  }
}

/** @internal The same as a promise. */
export const pause = () => new Promise<void>(afterOthers);
