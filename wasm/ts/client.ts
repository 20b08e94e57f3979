/// <reference lib="esnext.disposable" preserve="true" />
import { whenAborted } from './abort.js';
import { abortError, badRequest, closed, fromRejection } from './errors.js';
import { hostFetch } from './fetch.js';
import type { RawCall, RawClient } from './glue.js';
import { adding } from './headers.js';
import { gatherWithLimit } from './helpers.js';
import { core, running, type Core } from './load.js';
import { mockFetch } from './mock.js';
import { response, type ResponseView } from './response.js';
import { KEY_TO_COME, settings } from './settings.js';
import { spec, type Spec } from './spec.js';
import { ChatStream } from './stream.js';
import type {
  BatchItem, BatchOptions, ChatOptions, ChatResponse, ClientOptions, Message, Progress, Settled, Status,
} from './types.js';

type Fetch = typeof globalThis.fetch;

/**
 * A client. Making one checks its options and does no other work; the core starts with the first
 * call, or with `preload()`.
 *
 * ```js
 * const client = new LlmClient({ provider: 'openai' });
 * console.log(String(await client.chatAsync('Why is the sky blue?')));
 * ```
 */
export class LlmClient {
  readonly #settings: string;
  // The status where no core is running.
  #idle: Status;
  readonly #fetch: ReturnType<typeof adding>;
  #core: Core | undefined;
  #raw: RawClient | undefined;
  #closed = false;

  /** Throws an LlmError with the code `config` when an option or a variable is wrong, or a key is missing. */
  constructor(options: ClientOptions = {}) {
    const { json, idle, mocked, headers } = settings(options);
    this.#settings = json;
    this.#idle = idle;
    const fetch: Fetch = mocked ? mockFetch(options.mock ?? true)
      : options.fetch ?? hostFetch;
    const key = options.apiKey;
    this.#fetch = adding(typeof key === 'function' && !mocked ? withKey(fetch, key) : fetch, headers);
  }

  /** Asks one question. Defaults: temperature 0, at most 256 tokens. Rejects with an LlmError. */
  chatAsync(prompt: string, options: ChatOptions = {}): Promise<ChatResponse> {
    return this.#run([{ role: 'user', content: prompt }], options, 0);
  }

  /** Goes on with a conversation. Defaults: temperature 0.7, at most 256 tokens. Rejects with an LlmError. */
  chatWithContextAsync(messages: readonly Message[], options: ChatOptions = {}): Promise<ChatResponse> {
    return this.#run(messages, options, 0.7);
  }

  /** The answer to a prompt or a conversation as a stream of events. Nothing is sent until it is read. */
  chatStream(prompt: string | readonly Message[], options: ChatOptions = {}): ChatStream {
    let asked: Spec;
    let wrong: unknown;
    try {
      asked = typeof prompt === 'string' ? spec([{ role: 'user', content: prompt }], options, 0) : spec(prompt, options, 0.7);
    } catch (error) {
      wrong = error;
    }
    return new ChatStream(() => (wrong ? Promise.reject(wrong) : this.#open(asked)), options.signal);
  }

  /**
   * Asks many, at most `concurrency` at once; the results are in the order of the items, errors
   * too. An item waits for its place as long as it takes, in a full queue and for the rate limits:
   * the overall time limit holds for each attempt, from when it is sent. `timeouts.total` limits an
   * item with its wait, and `waitForQueue: false` makes it fail where the queue is full.
   */
  async processBatch(items: Iterable<BatchItem>, options: BatchOptions = {}): Promise<Settled<ChatResponse>[]> {
    const list = [...items];
    const progress: Progress = { done: 0, total: list.length, failed: 0 };
    const results = await gatherWithLimit(list.map((item) => async () => {
      try {
        return await this.#one(item, options);
      } catch (error) {
        progress.failed += 1;
        throw fromRejection(error);
      } finally {
        progress.done += 1;
        try {
          options.onProgress?.({ ...progress });
        } catch (error) {
          console.error(error);
        }
      }
    }), options.concurrency ?? 5);
    return results as Settled<ChatResponse>[];
  }

  /** What the client does at this moment. */
  status(): Status {
    const [core, raw] = [this.#core, this.#raw];
    if (core && !core.dead && raw) return JSON.parse(core.enter(() => raw.status())) as Status;
    return { ...this.#idle, closed: this.#closed };
  }

  /** Takes no more calls, and resolves when those that run are done. What the client held is free then. */
  async close(): Promise<void> {
    this.#closed = true;
    const [core, raw] = [this.#core, this.#raw];
    if (!core || core.dead || !raw) return;
    try {
      await core.wait(() => raw.close());
      this.#idle = this.status();
      if (this.#raw !== raw) return;
      this.#raw = undefined;
      core.quietly(() => raw.free());
    } catch (error) {
      throw fromRejection(error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #one(item: BatchItem, batch: BatchOptions): Promise<ChatResponse> {
    if (typeof item === 'string') return this.#run([{ role: 'user', content: item }], {}, 0, batch);
    if (typeof item !== 'object' || item === null) return Promise.reject(badRequest('an item of a batch is no prompt and no conversation'));
    if ('prompt' in item) {
      const { prompt, ...options } = item;
      return this.#run([{ role: 'user', content: prompt }], options, 0, batch);
    }
    if (!('messages' in item)) return this.#run(item, {}, 0.7, batch);
    const { messages, ...options } = item;
    return this.#run(messages, options, 0.7, batch);
  }

  /** The client of the core that runs, if one does. */
  #here(): { core: Core; raw: RawClient } | undefined {
    if (this.#closed) throw closed();
    const core = running();
    if (!core) return undefined;
    if (this.#core !== core || !this.#raw) {
      this.#raw = core.enter(() => new core.glue.Client(this.#settings, this.#fetch));
      this.#core = core;
    }
    return { core, raw: this.#raw };
  }

  async #started(): Promise<{ core: Core; raw: RawClient }> {
    for (;;) {
      const here = this.#here();
      if (here) return here;
      await core();
    }
  }

  async #open(asked: Spec): Promise<{ core: Core; call: RawCall }> {
    const { messages, temperature, maxTokens, rest, headers } = asked;
    try {
      const { core, raw } = await this.#started();
      return { core, call: core.enter(() => raw.call(messages, temperature, maxTokens, rest, headers)) };
    } catch (error) {
      throw fromRejection(error);
    }
  }

  async #run(
    messages: readonly Message[], options: ChatOptions, temperature: number, batch?: BatchOptions,
  ): Promise<ChatResponse> {
    const [own, shared] = [options.signal, batch?.signal];
    const throwIfAborted = () => {
      const aborted = own?.aborted ? own : shared?.aborted ? shared : undefined;
      if (aborted) throw abortError(aborted);
    };
    throwIfAborted();
    const asked = spec(messages, options, temperature, batch !== undefined && options.waitForQueue !== false);
    let forget: (() => void) | undefined;
    let forgetShared: (() => void) | undefined;
    try {
      const { core, raw } = this.#here() ?? await this.#started();
      throwIfAborted();
      let number = 0;
      const told = core.wait(() => (number = raw.run(asked.messages, asked.temperature, asked.maxTokens, asked.rest, asked.headers)));
      const abort = () => core.abort(number);
      forget = own && whenAborted(own, abort);
      forgetShared = shared && whenAborted(shared, abort);
      return response(JSON.parse((await told).text) as ResponseView);
    } catch (error) {
      throwIfAborted();
      throw fromRejection(error);
    } finally {
      forget?.();
      forgetShared?.();
    }
  }
}

/** Asks for the key at each attempt, so that one that has run out is not sent again. */
function withKey(fetch: Fetch, key: () => string | Promise<string>): Fetch {
  return async (url, init) => {
    let value: string;
    try {
      value = await key();
      if (typeof value !== 'string' || !/^[!-~]+$/.test(value)) throw new TypeError('it gave no key');
    } catch (error) {
      throw Object.assign(new Error('the function apiKey failed', { cause: error }), { code: 'CHATCORE_KEY' });
    }
    const headers = Object.entries((init?.headers ?? {}) as Record<string, string>)
      .map(([name, held]) => [name, held.replace(KEY_TO_COME, () => value)] as [string, string]);
    return fetch(url, { ...init, headers: Object.fromEntries(headers) });
  };
}
