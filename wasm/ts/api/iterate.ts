// An iterator for `for await` loops.

/**
 * @internal
 * Iterates over the values of `next` until it returns undefined. Unlike a generator's, its `return` does not wait for a
 * pending value: it calls `leave` at once.
 */
export function iterate<T>(next: () => Promise<T | undefined>, leave: () => void): AsyncGenerator<T, void, undefined> {
  let isOver = false;
  const end = { done: true as const, value: undefined };
  const stop = () => {
    isOver = true;
    leave();
  };
  const iterator = {
    async next(): Promise<IteratorResult<T, void>> {
      if (isOver) return end;
      try {
        const value = await next();
        if (isOver) return end;
        if (value !== undefined) return { done: false, value };
        isOver = true;
        return end;
      } catch (error) {
        // The loop was left, so nobody handles the error.
        if (isOver) return end;
        isOver = true;
        throw error;
      }
    },
    async return(): Promise<IteratorResult<T, void>> {
      stop();
      return end;
    },
    async throw(error: unknown): Promise<IteratorResult<T, void>> {
      stop();
      throw error;
    },
    [Symbol.asyncIterator]() { return this; },
    async [Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')](): Promise<void> { stop(); },
  };
  return iterator as unknown as AsyncGenerator<T, void, undefined>;
}
