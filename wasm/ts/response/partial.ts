// JSON that is still being written, in a page.
import { iterate } from '../api/iterate.js';
import type { DeepPartial } from '../base/schema.js';
import { Values } from '../typed/ask.js';
import { textOf } from './frames.js';

/**
 * Iterates over the JSON object of an answer as it grows, as `partial()` of a client's stream does, but without WebAssembly. The
 * values are not validated; the answer of `final()` has the validated `value`.
 *
 * ```js no_run
 * import { partialOf, readResponse } from 'chatcore/response';
 *
 * const stream = readResponse(fetch('/api/recipe', { method: 'POST' }));
 * for await (const recipe of partialOf(stream)) console.log(recipe);
 * console.log(await stream.final());
 * ```
 */
export function partialOf<T = unknown>(stream: AsyncIterable<{ readonly type: string }>): AsyncGenerator<DeepPartial<T>, void, undefined> {
  const events = stream[Symbol.asyncIterator]();
  const values = new Values(undefined);
  const next = async (): Promise<DeepPartial<T> | undefined> => {
    for (;;) {
      const { done, value: event } = await events.next();
      const text = done ? '' : textOf(event);
      const value = done ? values.take() : text && values.feed(text);
      if (value || done) return value as DeepPartial<T> | undefined;
    }
  };
  return iterate(next, () => { void events.return?.(); });
}
