const shared = new WeakMap<AbortSignal, { all: Set<() => void>; listener: () => void }>();

/**
 * @internal
 * Runs `run` when the signal is aborted; the returned function unregisters it. All callers for one signal share one
 * listener, because Node warns of a leak from the eleventh listener on.
 */
export function whenAborted(signal: AbortSignal | undefined, run: () => void): () => void {
  if (!signal) return () => {};
  let entry = shared.get(signal);
  if (!entry) {
    const all = new Set<() => void>();
    entry = { all, listener: () => { for (const run of all) run(); } };
    shared.set(signal, entry);
    signal.addEventListener('abort', entry.listener);
  }
  const { all, listener } = entry;
  all.add(run);
  return () => {
    if (!all.delete(run) || all.size > 0) return;
    signal.removeEventListener('abort', listener);
    shared.delete(signal);
  };
}

/** @internal Waits for `promise`. Rejects as soon as one of the signals is aborted. */
export function unlessAborted<T>(promise: Promise<T>, signals: readonly (AbortSignal | undefined)[]): Promise<T> {
  return new Promise((resolve, reject) => {
    const forgets = signals.map((signal) => whenAborted(signal, () => reject(signal!.reason)));
    const forget = () => { for (const forget of forgets) forget(); };
    promise.then(resolve, reject).finally(forget);
  });
}
