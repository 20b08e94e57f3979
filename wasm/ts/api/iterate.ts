// What a `for await` loop reads from.

/**
 * @internal
 * An iterator over what `next` gives, until that is undefined. Unlike a generator's, its `return` does not wait
 * for a value that is still to come: it calls `leave` at once.
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
        // A loop that was left does not want to hear of it.
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
