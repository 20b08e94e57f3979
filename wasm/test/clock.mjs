// Virtual time: the host's timers and `performance.now` on a clock that moves only when nothing else can happen.
const later = globalThis.setImmediate;

/** Runs `main(clock)` in virtual time, which begins at 0, in milliseconds. Throws if nothing can happen any more. */
export async function inVirtualTime(main) {
  const real = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout };
  const timers = new Map();
  let now = 0;
  let count = 0;
  globalThis.setTimeout = (run, milliseconds = 0) => {
    count += 1;
    // Hosts round to whole milliseconds, and wait for at least one.
    timers.set(count, { at: now + Math.max(1, Math.trunc(milliseconds)), run });
    return count;
  };
  globalThis.clearTimeout = (id) => { timers.delete(id); };
  performance.now = () => now;
  const clock = {
    now: () => now,
    /** Resolves at the given time. */
    until: (at) => (at <= now ? Promise.resolve() : new Promise((resolve) => { setTimeout(resolve, at - now); })),
  };
  let settled;
  try {
    main(clock).then((value) => { settled = { value }; }, (error) => { settled = { error }; });
    for (;;) {
      await new Promise((resolve) => later(resolve));
      if (settled) break;
      const [id, next] = [...timers].reduce((one, other) => (other[1].at < one[1].at ? other : one), [0, { at: Infinity }]);
      if (id === 0) throw new Error('nothing can happen any more');
      timers.delete(id);
      now = next.at;
      next.run();
    }
  } finally {
    Object.assign(globalThis, real);
    delete performance.now;
  }
  if ('error' in settled) throw settled.error;
  return settled.value;
}
