/// <reference lib="esnext.disposable" preserve="true" />
import { unlessAborted, whenAborted } from '../base/abort.js';
import { CallContext } from '../border/call-context.js';
import type { Told } from '../border/core.js';
import { embedArguments, embeddings } from './embed-arguments.js';
import { abortError, addHeaders, invalidInput, closed, fromRejection, located, siteAbove, type LlmError, type Site } from '../base/errors.js';
import { hostFetch } from '../border/fetch.js';
import type { AskKey, RawClient } from '../border/bindings.js';
import { Guard } from './guard.js';
import { adding, type HeaderRules } from './headers.js';
import { count } from './helpers.js';
import { identityOf } from './identity.js';
import type { JournalItems, JournalOptions } from './journal.js';
import { core, download } from '../border/load.js';
import { mockFetch } from './mock.js';
import { preconnect } from './preconnect.js';
import { response, type ResponseView } from '../border/response.js';
import { runAll, tokensOf } from './round.js';
import { Seats, type Seat } from './seats.js';
import { secretsOf } from './secrets.js';
import { settings, startingAt, type Settings } from './settings.js';
import { checkBatch, checkItems, checkModels, checkTyped, isOption } from './check.js';
import { inOrder, chatArguments, NONE, type ChatArguments, type Wishes } from './chat-arguments.js';
import { ChatStream, opened, type Opened, type TypedStream } from './stream.js';
import { BATCH, CONVERSATION, PROMPT } from '../base/tables.js';
import { toolsOf } from './tools.js';
import { typedCode, type TypedCode } from './typed-code.js';
import type { Prepared } from '../typed/ask.js';
import type { Caller, Wanted } from '../typed/wanted.js';
import type { AnySchema, InputOf, OutputOf } from '../base/schema.js';
import type { BatchCall, BatchItem, BatchOptions, ChatOptions, ClientOptions, EmbedOptions, SchemaOptions } from './options.js';
import type { AnyMessage, ChatResponse, Embeddings, ModelInfo, Settled, Status, TypedResponse } from '../base/types.js';

/**
 * A client. The constructor checks the options. In a page it also begins to download the core and, unless the option `fetch` or
 * `mock` is set, makes the browser open a connection to a provider on another origin, so that the first call does not wait for
 * either. The core starts with the first call.
 *
 * ```js
 * const client = new LlmClient({ provider: 'openai' });
 * console.log(String(await client.chatAsync('Why is the sky blue?')));
 * ```
 */
export class LlmClient {
  /** @internal The build shortens the names of classes. */
  static readonly name = 'LlmClient';
  readonly #settings: string;
  readonly #onlyChatCompletions: boolean;
  readonly #seats: Seats;
  readonly #guard: Guard;
  readonly #headerRules: HeaderRules;
  #closed = false;
  /** The number of calls that wait for the core to load, or that may send further requests. */
  #starting = 0;
  #started: (() => void)[] = [];

  /** Throws an LlmError with the code `config` if an option or a variable is wrong, or the key is missing. */
  constructor(options: ClientOptions = {}) {
    const { json, idle, mocked, headers, isLimited, headerRules, secrets, giveKey, module, url, onlyChatCompletions } = checked(options);
    this.#settings = json;
    this.#onlyChatCompletions = onlyChatCompletions;
    this.#headerRules = headerRules;
    const guard = this.#guard = new Guard(secrets, module);
    const fetch = adding(mocked ? mockFetch(options.mock ?? true) : options.fetch as typeof globalThis.fetch | undefined ?? hostFetch, headers);
    const askKey: AskKey | undefined = giveKey && (() => giveKey((key) => guard.note(key)));
    this.#seats = new Seats(
      module, idle,
      (core, limit) => core.enter(() => new core.bindings.Client(limit === undefined ? json : startingAt(json, limit), fetch, askKey)),
      // A fresh core would not know what was used of the limits per minute.
      (idleMs) => !isLimited || idleMs > 60_000,
    );
    download(module);
    if (url !== undefined && options.fetch == null) preconnect(url);
  }

  /** @internal Whether its provider has only the dialect of chat completions. */
  get onlyChatCompletions(): boolean {
    return this.#onlyChatCompletions;
  }

  /**
   * Sends a prompt or a conversation with the provider's own defaults: only the given options are sent. Rejects with
   * an LlmError.
   */
  ask(question: string | readonly AnyMessage[], options?: ChatOptions): Promise<ChatResponse>;
  /** The same with a `schema`: the answer's `value` has its type. */
  ask<const S extends AnySchema>(question: string | readonly AnyMessage[], options: SchemaOptions<S>): Promise<TypedResponse<OutputOf<S>>>;
  ask(question: string | readonly AnyMessage[], options: CallOptions = {}): Promise<ChatResponse> {
    return this.#run(question, options, NONE, siteAbove(this.ask));
  }

  /** Like `ask`, but returns a stream of events. Nothing is sent until the stream is read. */
  askStream(question: string | readonly AnyMessage[], options?: ChatOptions): ChatStream;
  /** The same with a `schema`: `partial()` iterates over the value as it grows. */
  askStream<const S extends AnySchema>(question: string | readonly AnyMessage[], options: SchemaOptions<S>): TypedStream<InputOf<S>, OutputOf<S>>;
  askStream(question: string | readonly AnyMessage[], options: CallOptions = {}): ChatStream {
    return this.#stream(question, options, NONE, siteAbove(this.askStream));
  }

  /** Sends one prompt. Defaults: temperature 0, at most 256 tokens. Rejects with an LlmError. */
  chatAsync(prompt: string, options?: ChatOptions): Promise<ChatResponse>;
  /** The same with a `schema`. */
  chatAsync<const S extends AnySchema>(prompt: string, options: SchemaOptions<S>): Promise<TypedResponse<OutputOf<S>>>;
  chatAsync(prompt: string, options: CallOptions = {}): Promise<ChatResponse> {
    return this.#run(prompt, options, PROMPT, siteAbove(this.chatAsync));
  }

  /** Continues a conversation. Defaults: temperature 0.7, at most 256 tokens. Rejects with an LlmError. */
  chatWithContextAsync(messages: readonly AnyMessage[], options?: ChatOptions): Promise<ChatResponse>;
  /** The same with a `schema`. */
  chatWithContextAsync<const S extends AnySchema>(messages: readonly AnyMessage[], options: SchemaOptions<S>): Promise<TypedResponse<OutputOf<S>>>;
  chatWithContextAsync(messages: readonly AnyMessage[], options: CallOptions = {}): Promise<ChatResponse> {
    return this.#run(messages, options, CONVERSATION, siteAbove(this.chatWithContextAsync));
  }

  /** Sends a prompt or a conversation, and returns the answer as a stream of events. Nothing is sent until the stream is read. */
  chatStream(prompt: string | readonly AnyMessage[], options?: ChatOptions): ChatStream;
  /** The same with a `schema`: `partial()` iterates over the value as it grows. */
  chatStream<const S extends AnySchema>(prompt: string | readonly AnyMessage[], options: SchemaOptions<S>): TypedStream<InputOf<S>, OutputOf<S>>;
  chatStream(prompt: string | readonly AnyMessage[], options: CallOptions = {}): ChatStream {
    const defaults = Array.isArray(prompt) ? CONVERSATION : PROMPT;
    return this.#stream(prompt, options, defaults, siteAbove(this.chatStream));
  }

  /**
   * Sends many prompts or conversations, at most `concurrency` at once. The results are in the order of the items,
   * including errors. An item waits as long as necessary for a full queue and for the rate limits: the overall time
   * limit applies to each attempt, from when it is sent. `timeouts.total` limits an item including its wait, and
   * `waitForQueue: false` makes it fail if the queue is full.
   */
  processBatch(items: Iterable<BatchItem>, options?: BatchOptions): Promise<Settled<ChatResponse>[]>;
  /**
   * The same with results that are kept in a journal, so that they survive a crash or a reload: the same call resumes the
   * batch, and runs only the items that have no result. Returns the results of all items, those of earlier runs too. Rejects
   * with an LlmError if the journal cannot be opened or written, and if every item would fail, for example because the key
   * is refused; such items are not recorded, so that the batch can be resumed. `fileJournal` and `browserJournal` are in
   * `chatcore/journal`.
   */
  processBatch(items: JournalItems, options: JournalOptions): Promise<Settled<ChatResponse>[]>;
  async processBatch(items: JournalItems, given?: BatchOptions | JournalOptions): Promise<Settled<ChatResponse>[]> {
    const site = siteAbove(this.processBatch);
    const fail = (why: string) => located(invalidInput(why), site);
    const options = given ?? {};
    checkBatch(options, fail);
    const { journal } = options as Partial<JournalOptions>;
    checkItems(items, Boolean(journal), fail);
    if (journal) return journal.processBatch(this, items, options as JournalOptions);
    const run = (item: BatchItem) => this.#one(item, options, site).catch((error) => { throw fromRejection(error); });
    const work = { run, countTokens: tokensOf, onProgress: options.onProgress };
    return await runAll(work, items as Iterable<BatchItem>, count('concurrency', options.concurrency ?? BATCH.maxWorkers)) as Settled<ChatResponse>[];
  }

  /**
   * Returns a vector for each text. If there are more texts than the provider accepts in one request, several requests
   * are sent, and the vectors are joined in order. Rejects with an LlmError.
   */
  async embed(inputs: string | readonly string[], options?: EmbedOptions): Promise<Embeddings> {
    const site = siteAbove(this.embed);
    const own = options ?? {};
    const context = new CallContext();
    const prepare = () => {
      const call = embedArguments(inputs, own, this.#headerRules, context);
      return (raw: RawClient, home: number) => raw.embed(home, ...call);
    };
    const { text, cause } = await this.#ask(prepare, [own.signal], context, site, { isJob: true });
    return embeddings(text, cause as Float32Array<ArrayBuffer>[], this.#headers(context) ?? {});
  }

  /**
   * Returns the models that the provider offers, from all pages of its list. `headers` of the array are those of the last
   * response, with names in lower case. Rejects with an LlmError.
   */
  async models(options?: { signal?: AbortSignal }): Promise<ModelInfo[] & { readonly headers: Readonly<Record<string, string>> }> {
    const context = new CallContext();
    const prepare = () => {
      checkModels(options ?? {}, invalidInput);
      return (raw: RawClient, home: number) => raw.models(home, context);
    };
    const { text } = await this.#ask(prepare, [options?.signal], context, siteAbove(this.models), { isJob: true });
    const models = JSON.parse(text) as ModelInfo[];
    // Not one of the array's elements when it is printed or copied.
    return Object.defineProperty(models, 'headers', { value: this.#headers(context) ?? {} }) as ModelInfo[] & { headers: Record<string, string> };
  }

  /** @internal For loops over tools: a schema as this client's provider takes it. */
  schemaOf(options: Pick<SchemaOptions, 'schema' | 'jsonSchema' | 'schemaName' | 'schemaInPrompt'>): Promise<Wanted> {
    return this.#typed([], siteAbove(this.schemaOf), async (code, caller) => code.Wanted.of(caller, options));
  }

  /** @internal Runs one item of a batch, for a journal. */
  runOne(item: BatchItem, options: BatchCall): Promise<ChatResponse> {
    return this.#one(item, options, {});
  }

  /** @internal The settings that a run of a batch must have in common with the run that it resumes. */
  runIdentity(): Promise<Record<string, string>> {
    return identityOf(this.#settings);
  }

  /** The client's load and counters at this moment. */
  status(): Status {
    return { ...this.#seats.status(), closed: this.#closed };
  }

  /** Accepts no more calls. Resolves when the calls so far have ended and the client's resources are freed. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#starting > 0) await new Promise<void>((resolve) => { this.#started.push(resolve); });
    await Promise.all(this.#seats.all().map((seat) => this.#leave(seat)));
  }

  async #leave(seat: Seat): Promise<void> {
    const { core, raw } = seat;
    if (core.dead) return;
    const home = core.arrive(() => {});
    try {
      await core.wait(() => raw.close(home.number), home.number);
      this.#seats.release(seat);
    } catch (error) {
      // After a trap no call runs any more.
      if (!core.dead) throw fromRejection(error);
    } finally {
      core.leave(home);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #one(item: BatchItem, batch: BatchCall, site: Site): Promise<ChatResponse> {
    const [ofPrompt, ofMessages] = batch.onlyGiven ? [NONE, NONE] : [PROMPT, CONVERSATION];
    if (typeof item === 'string') return this.#run(item, {}, ofPrompt, site, batch);
    if (typeof item !== 'object' || item === null) {
      return Promise.reject(located(invalidInput('an item of a batch is neither a prompt nor a conversation'), site));
    }
    if ('prompt' in item) {
      const { prompt, ...options } = item;
      return this.#run(prompt, options, ofPrompt, site, batch);
    }
    if (Array.isArray(item)) return this.#run(item, {}, ofMessages, site, batch);
    if (!('messages' in item)) {
      const unknown = Object.keys(item).filter((name) => !isOption(name));
      const why = `an item of a batch has neither prompt nor messages${unknown.length > 0 ? `, and the unknown ${unknown.join(', ')}` : ''}`;
      return Promise.reject(located(invalidInput(`${why}; give { prompt } or { messages } with the options of a call`), site));
    }
    const { messages, ...options } = item;
    return this.#run(messages, options, ofMessages, site, batch);
  }

  /** Begins a call once the core is loaded, unless a signal is aborted first. `close` waits for calls that are here. */
  async #begin(start: (seat: Seat) => void, signals: readonly (AbortSignal | undefined)[] = [], isJob = false): Promise<void> {
    this.#starting += 1;
    try {
      let seat: Seat | undefined;
      while (!(seat = this.#seats.take(isJob))) await unlessAborted(core(this.#seats.module(isJob)), signals);
      start(seat);
    } finally {
      this.#left();
    }
  }

  #left(): void {
    this.#starting -= 1;
    if (this.#starting === 0) for (const started of this.#started.splice(0)) started();
  }

  async #open(asked: ChatArguments, context: CallContext, lost: () => void): Promise<Opened> {
    if (this.#closed) throw closed();
    let stream: Opened | undefined;
    const start = (seat: Seat) => {
      const { core, raw } = seat;
      const home = core.arrive(lost);
      try {
        const call = core.enter(() => raw.call(home.number, ...inOrder(asked, context)));
        stream = opened(core, home, call, this.#seats.began(seat));
      } catch (error) {
        core.leave(home);
        throw error;
      }
    };
    const seat = this.#seats.take(false);
    if (seat) start(seat);
    else await this.#begin(start);
    return stream!;
  }

  async #run(
    question: string | readonly AnyMessage[], options: CallOptions, defaults: Wishes, site: Site, batch?: BatchOptions, elapsedMs?: number,
  ): Promise<ChatResponse> {
    options ??= {};
    if (isTyped(options)) {
      checkTyped(options, (why) => located(invalidInput(why), site));
      const signals = [options.signal, batch?.signal];
      const send = (messages: readonly AnyMessage[], own: ChatOptions, elapsed: number) => this.#run(messages, own, defaults, site, batch, elapsed);
      return this.#typed(signals, site, (code, caller) => code.ask(caller, question, options, send));
    }
    const context = new CallContext();
    const prepare = () => {
      const asked = chatArguments(question, options, defaults, this.#headerRules, batch !== undefined && options.waitForQueue !== false, elapsedMs);
      return (raw: RawClient, home: number) => raw.run(home, ...inOrder(asked, context));
    };
    const { text } = await this.#ask(prepare, [options.signal, batch?.signal], context, site, { isPart: elapsedMs !== undefined });
    return response(JSON.parse(text) as ResponseView, () => this.#headers(context) ?? {});
  }

  #stream(question: string | readonly AnyMessage[], options: CallOptions, defaults: Wishes, site: Site): ChatStream {
    const context = new CallContext();
    const ready = <E extends LlmError>(error: E) => located(this.#failed(error, context), site);
    const headers = () => this.#headers(context);
    options ??= {};
    if (isTyped(options)) {
      const typed = options;
      try {
        checkTyped(typed, invalidInput);
      } catch (error) {
        return new ChatStream(() => Promise.reject(error as Error), undefined, ready, headers);
      }
      let prepared: Promise<Prepared<SchemaOptions>> | undefined;
      const prepare = () => (prepared ??= this.#typed([typed.signal], site, (code, caller) => code.prepare(caller, question, typed)));
      const open = async (lost: () => void) => {
        const { messages, options: own } = await prepare();
        return this.#open(chatArguments(messages, own, defaults, this.#headerRules), context, lost);
      };
      return new ChatStream(open, typed.signal, ready, headers, async () => (await prepare()).wanted);
    }
    let asked: ChatArguments;
    let wrong: unknown;
    try {
      asked = chatArguments(question, options, defaults, this.#headerRules);
    } catch (error) {
      wrong = error;
    }
    const open = (lost: () => void) => (wrong ? Promise.reject(wrong) : this.#open(asked, context, lost));
    return new ChatStream(open, wrong ? undefined : options.signal, ready, headers);
  }

  /** Runs the code for typed answers. */
  async #typed<T>(signals: readonly (AbortSignal | undefined)[], site: Site, run: (code: TypedCode, caller: Caller) => Promise<T>): Promise<T> {
    const aborted = () => signals.find((signal) => signal?.aborted);
    this.#starting += 1;
    try {
      if (this.#closed) throw closed();
      const whole = () => unlessAborted(core('all'), signals);
      return await run(await unlessAborted(typedCode(), signals), { core: whole, settings: this.#settings, tools: toolsOf });
    } catch (error) {
      throw located(aborted() ? abortError(aborted()) : this.#guard.clean(fromRejection(error), []), site);
    } finally {
      this.#left();
    }
  }

  /** The headers of the response that a call ended with, if there was one. */
  #headers(context: CallContext): Record<string, string> | undefined {
    return context.head && this.#guard.cleanHeaders(context.head.headers, secretsOf(context.headers));
  }

  /** The error of a call, with the headers of its response and without secrets. */
  #failed<E extends LlmError>(error: E, context: CallContext): E {
    // The last attempt may have had no response.
    const isOfAnswer = context.head?.status === error.status || error.code === 'truncated';
    const headers = isOfAnswer ? this.#headers(context) : undefined;
    if (headers) addHeaders(error, headers);
    return this.#guard.clean(error, secretsOf(context.headers));
  }

  /**
   * Runs a call. `prepare` throws if the call is invalid, and returns the function that begins it. `isJob`: it is no
   * chat. `isPart`: it is one request of a call that began before.
   */
  async #ask(
    prepare: () => (raw: RawClient, home: number) => number, signals: readonly (AbortSignal | undefined)[],
    context: CallContext, site: Site, { isJob = false, isPart = false }: { isJob?: boolean; isPart?: boolean } = {},
  ): Promise<Told> {
    const aborted = () => signals.find((signal) => signal?.aborted);
    let told: Promise<Told> | undefined;
    let leave = () => {};
    try {
      if (aborted()) throw abortError(aborted());
      if (this.#closed && !isPart) throw closed();
      const begin = prepare();
      const start = (seat: Seat) => {
        if (aborted()) return;
        const { core, raw } = seat;
        let id = 0;
        const abort = () => core.abort(id, home.number);
        const home = core.arrive(abort);
        told = core.wait(() => (id = begin(raw, home.number)), home.number);
        const ended = this.#seats.began(seat);
        const forgets = signals.map((signal) => signal && whenAborted(signal, abort));
        leave = () => {
          for (const forget of forgets) forget?.();
          core.leave(home);
          ended();
        };
        // The caller's own `fetch` may have aborted it.
        if (aborted()) abort();
      };
      const seat = this.#seats.take(isJob);
      if (seat) start(seat);
      else await this.#begin(start, signals, isJob);
      if (!told) throw abortError(aborted());
      return await told;
    } catch (error) {
      throw located(aborted() ? abortError(aborted()) : this.#failed(fromRejection(error), context), site);
    } finally {
      leave();
    }
  }
}

type CallOptions = ChatOptions | SchemaOptions;

const isTyped = (options: CallOptions): options is SchemaOptions => typeof options === 'object' && 'schema' in options && options.schema !== undefined;

function checked(options: ClientOptions): Settings {
  try {
    return settings(options);
  } catch (error) {
    throw located(error as LlmError, siteAbove(LlmClient as never));
  }
}
