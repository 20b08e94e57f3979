// Runs a loop whole, or as a stream of its steps.
import type { AnySchema, OutputOf } from '../base/schema.js';
import type { AnyMessage } from '../base/types.js';
import { located, LlmError, siteAbove, StreamError, type Site } from '../base/errors.js';
import { EventQueue } from '../api/event-queue.js';
import type { ToolLoopAnswer, ToolLoopEvent, TypedToolLoopAnswer } from './events.js';
import { Loop, type ToolClient } from './loop.js';
import { loopSettings, type ToolLoopOptions, type TypedToolLoopOptions } from './settings.js';

/**
 * Lets the model call tools: runs the calls that it asks for, sends their results back, and asks again, until it answers or
 * a limit is reached. The calls of a turn run at the same time, each under a time limit.
 *
 * A call gets an error as its result, which the model reads, if there is no such tool, if its arguments do not parse or fit,
 * if it is refused, if it throws, and if its time is up. If the conversation ends with calls that have no result, the loop
 * begins with them.
 *
 * Rejects with a LimitReachedError, or with the errors of a call; `unfinishedLoop(error)` has the conversation so far.
 *
 * ```js
 * const answer = await runTools(client, 'Do I need an umbrella in Lyon?', { tools: [weather] });
 * console.log(String(answer), answer.turns, answer.usage);
 * ```
 */
export function runTools<const S extends AnySchema>(
  client: ToolClient, question: string | readonly AnyMessage[], options: TypedToolLoopOptions<S>,
): Promise<TypedToolLoopAnswer<OutputOf<S>>>;
export function runTools(client: ToolClient, question: string | readonly AnyMessage[], options: ToolLoopOptions): Promise<ToolLoopAnswer>;
export async function runTools(
  client: ToolClient, question: string | readonly AnyMessage[], options: ToolLoopOptions | TypedToolLoopOptions,
): Promise<ToolLoopAnswer> {
  const site = siteAbove(runTools);
  try {
    const steps = new Loop(client, question, loopSettings(options), false).run();
    for (;;) {
      const { done, value } = await steps.next();
      if (done) return value;
    }
  } catch (error) {
    throw at(error, site);
  }
}

/** The same as a stream of its steps. Nothing is sent until it is read. */
export function streamTools<const S extends AnySchema>(
  client: ToolClient, question: string | readonly AnyMessage[], options: TypedToolLoopOptions<S>,
): ToolLoopStream<TypedToolLoopAnswer<OutputOf<S>>>;
export function streamTools(client: ToolClient, question: string | readonly AnyMessage[], options: ToolLoopOptions): ToolLoopStream;
export function streamTools(
  client: ToolClient, question: string | readonly AnyMessage[], options: ToolLoopOptions | TypedToolLoopOptions,
): ToolLoopStream {
  const site = siteAbove(streamTools);
  try {
    return new ToolLoopStream(new Loop(client, question, loopSettings(options), true), site);
  } catch (error) {
    throw at(error, site);
  }
}

const at = (error: unknown, site: Site) => (error instanceof LlmError ? located(error, site) : error);

/**
 * The steps of a loop as an async iterable. It ends after the event `finish`, or throws one error. The loop goes on as its
 * events are read. Leaving a `for await` loop early aborts the request and the running calls.
 */
export class ToolLoopStream<A extends ToolLoopAnswer = ToolLoopAnswer> implements AsyncIterable<ToolLoopEvent> {
  readonly #loop: Loop;
  readonly #steps: AsyncGenerator<ToolLoopEvent, ToolLoopAnswer>;
  readonly #site: Site;
  readonly #events = new EventQueue<ToolLoopEvent>(() => this.#step(), () => this.abort());
  #answer: ToolLoopAnswer | undefined;

  /** @internal */
  constructor(loop: Loop, site: Site) {
    this.#loop = loop;
    this.#steps = loop.run();
    this.#site = site;
  }

  /** Iterates over the events. There is one sequence, so two loops share its events. */
  [Symbol.asyncIterator](): AsyncGenerator<ToolLoopEvent, void, undefined> {
    return this.#events.loop();
  }

  /** Iterates over the pieces of text of all answers, and skips other events. */
  text(): AsyncGenerator<string, void, undefined> {
    const next = async () => {
      for (;;) {
        const event = await this.#events.next();
        if (!event) return undefined;
        if (event.type === 'content' && event.event.type === 'text') return event.event.text;
      }
    };
    return this.#events.loop(next);
  }

  /** Runs to the end, and returns the answer. A loop over the stream keeps its events. */
  async final(): Promise<A> {
    await this.#events.drain();
    if (this.#answer) return this.#answer as A;
    throw this.#events.error ?? new StreamError('the loop ended without an answer', { code: 'truncated' });
  }

  /** Ends the loop: the request and the running calls are aborted, and no other begins. */
  abort(reason?: unknown): void {
    if (!this.#events.isOver) this.#loop.abort(reason);
  }

  /**
   * The same without an error for loops over the stream: they end. `final()` rejects with an AbortError, of which
   * `unfinishedLoop` has the conversation so far.
   */
  stop(): void {
    if (this.#events.isOver) return;
    this.#events.stop();
    this.#loop.abort();
  }

  async #step(): Promise<void> {
    try {
      const { done, value } = await this.#steps.next();
      if (!done) return this.#events.push(value);
      this.#answer = value;
      this.#events.end();
    } catch (error) {
      this.#events.end(at(error, this.#site));
    }
  }
}
