import { LlmError, abortError, fromRejection } from './errors.js';
import type { RawCall, RawClient } from './glue.js';
import { gatherWithLimit } from './helpers.js';
import { core, type Core } from './load.js';
import { mockFetch } from './mock.js';
import { response, type ResponseView } from './response.js';
import { ChatStream } from './stream.js';
import type {
  BatchItem, BatchOptions, ChatOptions, ChatResponse, ClientOptions, Message, Progress, Settled, Status, TimeLimits,
} from './types.js';

interface Host {
  process?: { env?: Record<string, string | undefined> };
  window?: unknown; document?: unknown; importScripts?: unknown; WorkerGlobalScope?: unknown;
  location?: { href: string };
}
const host = globalThis as unknown as Host;

/** What stands for a key that a function gives; it never leaves the process. */
const KEY_TO_COME = 'chatcore-key-to-come';

function isBrowser(): boolean {
  return (typeof host.window !== 'undefined' && typeof host.document !== 'undefined')
    || typeof host.importScripts === 'function';
}

function environment(): Record<string, string> {
  const vars: Record<string, string> = {};
  try {
    for (const [name, value] of Object.entries(host.process?.env ?? {})) {
      if (value !== undefined && /^(LLM_|XWE_MAX_LLM|USE_MOCK_LLM|DEEPSEEK_|OPENAI_|ANTHROPIC_)/.test(name)) vars[name] = value;
    }
  } catch { /* a host that does not let its environment be read */ }
  return vars;
}

function limits(timeouts: TimeLimits | undefined, overall: number | undefined): Record<string, number | undefined> {
  return {
    queue: timeouts?.queue, headers: timeouts?.headers, first_content: timeouts?.firstContent,
    byte_idle: timeouts?.byteIdle, content_idle: timeouts?.contentIdle, attempt: timeouts?.attempt,
    overall: overall ?? timeouts?.overall, total: timeouts?.total,
  };
}

/**
 * A client. Making one does no work; the core starts with the first call.
 *
 * ```js
 * const client = new LlmClient({ provider: 'openai' });
 * console.log(String(await client.chatAsync('Why is the sky blue?')));
 * ```
 */
export class LlmClient {
  readonly #settings: string;
  readonly #fetch: typeof globalThis.fetch;
  #core: Core | undefined;
  #raw: RawClient | undefined;
  #closed = false;

  constructor(options: ClientOptions = {}) {
    const vars = environment();
    const set = (name: string, value: string | number | boolean | undefined) => {
      if (value !== undefined) vars[name] = String(value);
    };
    if (options.apiKey !== undefined && isBrowser() && !options.dangerouslyAllowBrowser) {
      throw new LlmError(
        'a key in a page can be read by everybody who opens it: give a baseURL on your own origin and no key, '
        + 'or set dangerouslyAllowBrowser', { code: 'config' });
    }
    if (options.provider === undefined && options.baseURL !== undefined && !vars['LLM_PROVIDER']) {
      set('LLM_PROVIDER', 'openai_compatible');
    }
    set('LLM_PROVIDER', options.provider);
    set('LLM_BASE_URL', options.baseURL === undefined ? undefined
      : new URL(options.baseURL, isBrowser() ? host.location?.href : undefined).href);
    set('LLM_MODEL', options.model);
    set('LLM_API_KEY', typeof options.apiKey === 'function' ? KEY_TO_COME : options.apiKey);
    set('LLM_ASYNC_WORKERS', options.workers);
    set('LLM_ASYNC_QUEUE_SIZE', options.queueSize);
    set('LLM_ASYNC_TIMEOUT', options.timeoutMs === undefined ? undefined : options.timeoutMs / 1000);
    set('LLM_MAX_RETRIES', options.maxRetries);
    if (options.mock !== undefined) set('USE_MOCK_LLM', options.mock !== false);
    const mocked = /^(1|true|yes|on)$/i.test(vars['USE_MOCK_LLM']?.trim() ?? '');
    this.#settings = JSON.stringify({
      vars, headers: options.headers ?? {}, timeouts: limits(options.timeouts, options.timeoutMs),
      rate: {
        requests_per_minute: options.limits?.requestsPerMinute, tokens_per_minute: options.limits?.tokensPerMinute,
        request_burst: options.limits?.requestBurst, token_burst: options.limits?.tokenBurst,
      },
      browser_access: isBrowser() && (options.dangerouslyAllowBrowser ?? false),
    });
    const fetch = mocked ? mockFetch(options.mock ?? true)
      : options.fetch ?? ((url: RequestInfo | URL, init?: RequestInit) => globalThis.fetch(url, init));
    const key = options.apiKey;
    this.#fetch = typeof key === 'function' && !mocked ? withKey(fetch, key) : fetch;
  }

  /** Asks one question. Defaults: temperature 0, at most 256 tokens. */
  chatAsync(prompt: string, options: ChatOptions = {}): Promise<ChatResponse> {
    return this.#run(spec([{ role: 'user', content: prompt }], options, 0), options.signal);
  }

  /** Goes on with a conversation. Defaults: temperature 0.7, at most 256 tokens. */
  chatWithContextAsync(messages: readonly Message[], options: ChatOptions = {}): Promise<ChatResponse> {
    return this.#run(spec(messages, options, 0.7), options.signal);
  }

  /** The answer to a prompt or a conversation as a stream of events. */
  chatStream(prompt: string | readonly Message[], options: ChatOptions = {}): ChatStream {
    const json = typeof prompt === 'string'
      ? spec([{ role: 'user', content: prompt }], options, 0)
      : spec(prompt, options, 0.7);
    return new ChatStream(() => this.#call(json), options.signal);
  }

  /** Asks many, at most `concurrency` at once; the results are in the order of the items, errors too. */
  processBatch(items: Iterable<BatchItem>, options: BatchOptions = {}): Promise<Settled<ChatResponse>[]> {
    const list = [...items];
    const progress: Progress = { done: 0, total: list.length, failed: 0 };
    return gatherWithLimit(list.map((item) => async () => {
      try {
        return await this.#one(item, options.signal);
      } catch (error) {
        progress.failed += 1;
        throw error;
      } finally {
        progress.done += 1;
        options.onProgress?.({ ...progress });
      }
    }), options.concurrency ?? 5);
  }

  /** What the client does at this moment. */
  status(): Status {
    if (this.#core && !this.#core.dead && this.#raw) return JSON.parse(this.#raw.status()) as Status;
    return {
      maxWorkers: 0, active: 0, queued: 0, queueSize: 0, closed: this.#closed,
      started: 0, succeeded: 0, failed: 0, cancelled: 0, retried: 0,
    };
  }

  /** Takes no more calls, and resolves when those that run are done. */
  async close(): Promise<void> {
    this.#closed = true;
    const [core, raw] = [this.#core, this.#raw];
    if (!core || core.dead || !raw) return;
    try {
      await core.wait(() => raw.close());
    } catch (error) {
      throw fromRejection(error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #one(item: BatchItem, signal: AbortSignal | undefined): Promise<ChatResponse> {
    if (typeof item === 'string') return this.chatAsync(item, { signal });
    if (Array.isArray(item)) return this.chatWithContextAsync(item, { signal });
    const options = { ...item, signal: item.signal ?? signal, waitForQueue: item.waitForQueue ?? true };
    return 'prompt' in item ? this.chatAsync(item.prompt, options) : this.chatWithContextAsync(item.messages, options);
  }

  async #call(json: string): Promise<{ core: Core; call: RawCall }> {
    try {
      const running = await core();
      if (this.#core !== running || !this.#raw) {
        this.#raw = running.enter(() => new running.glue.Client(this.#settings, this.#fetch));
        this.#core = running;
        if (this.#closed) void running.wait(() => this.#raw?.close() ?? Promise.resolve()).catch(() => {});
      }
      const raw = this.#raw;
      return { core: running, call: running.enter(() => raw.call(json)) };
    } catch (error) {
      throw fromRejection(error);
    }
  }

  async #run(json: string, signal: AbortSignal | undefined): Promise<ChatResponse> {
    if (signal?.aborted) throw abortError(signal);
    const { core, call } = await this.#call(json);
    const onAbort = () => { if (!core.dead) call.abort(); };
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      if (signal?.aborted) throw abortError(signal);
      return response(JSON.parse(await core.wait(() => call.run())) as ResponseView);
    } catch (error) {
      throw signal?.aborted ? abortError(signal) : fromRejection(error);
    } finally {
      signal?.removeEventListener('abort', onAbort);
      if (!core.dead) call.free();
    }
  }
}

function spec(messages: readonly Message[], options: ChatOptions, temperature: number): string {
  const all = options.systemPrompt === undefined ? messages
    : [{ role: 'system', content: options.systemPrompt }, ...messages];
  return JSON.stringify({
    request: {
      model: options.model, messages: all,
      temperature: options.temperature === undefined ? temperature : options.temperature,
      max_tokens: options.maxTokens === undefined ? 256 : options.maxTokens,
      top_p: options.topP, stop: options.stop, seed: options.seed, tools: options.tools, extra: options.extra,
    },
    timeouts: limits(options.timeouts, options.timeoutMs),
    max_retries: options.maxRetries, wait: options.waitForQueue,
  });
}

/** Asks for the key at each attempt, so that one that has run out is not sent again. */
function withKey(fetch: typeof globalThis.fetch, key: () => string | Promise<string>): typeof globalThis.fetch {
  return async (url, init) => {
    let value: string;
    try {
      value = await key();
      if (typeof value !== 'string' || !/^[!-~]+$/.test(value)) throw new TypeError('it gave no key');
    } catch (error) {
      throw Object.assign(new Error('the function apiKey failed', { cause: error }), { code: 'CHATCORE_KEY' });
    }
    const headers = Object.entries((init?.headers ?? {}) as Record<string, string>)
      .map(([name, held]) => [name, held.replace(KEY_TO_COME, value)] as [string, string]);
    return fetch(url, { ...init, headers: Object.fromEntries(headers) });
  };
}
