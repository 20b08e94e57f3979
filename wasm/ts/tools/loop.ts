// The loop: asks the model, runs its calls, sends the results back, and begins again, as core/src/toolbox/run.rs does.
import { unlessAborted, whenAborted } from '../base/abort.js';
import { abortError, declared, invalidInput, LlmError } from '../base/errors.js';
import { MismatchError } from '../base/mismatch.js';
import { sum } from '../base/usage.js';
import type { AnyMessage, AnyTool, ChatResponse, ToolCallPart, Usage } from '../base/types.js';
import { timer } from '../api/helpers.js';
import type { ChatOptions, SchemaOptions } from '../api/options.js';
import type { ChatStream } from '../api/stream.js';
import { correction } from '../typed/correction.js';
import type { Wanted } from '../typed/wanted.js';
import { runCalls, TIME_UP, type Runner } from './calls.js';
import type { ToolLoopAnswer, ToolLoopEvent, ToolLoopLimit, UnfinishedLoop } from './events.js';
import { estimate } from './estimate.js';
import { openCalls } from './prepare.js';
import { costOf, type LoopSettings } from './settings.js';

/** The parts of a client that a loop uses. An `LlmClient` of any entry fits. */
export interface ToolClient {
  ask(messages: readonly AnyMessage[], options?: ChatOptions): Promise<ChatResponse>;
  askStream(messages: readonly AnyMessage[], options?: ChatOptions): ChatStream;
  /** @internal */
  schemaOf?(options: Pick<SchemaOptions, 'schema'>): Promise<Wanted>;
}

/** A limit of a tool loop was reached before the model answered. `unfinishedLoop(error)` has the conversation so far. */
export class LimitReachedError extends LlmError {
  /** The limit. */
  declare readonly limit: ToolLoopLimit;
}
declared({ LimitReachedError });

const unfinished = new WeakMap<object, UnfinishedLoop>();

/** What a loop had done when it ended with this error; undefined for an error of something else. */
export const unfinishedLoop = (error: unknown): UnfinishedLoop | undefined =>
  (typeof error === 'object' && error !== null ? unfinished.get(error) : undefined);

// On the prototype, because an answer with a function of its own could not be cloned.
const methods = { toString(this: ToolLoopAnswer) { return this.text; } };

const tokensOf = (usage: Usage | null) => (usage ? usage.inputTokens + usage.outputTokens : 0);

/** What follows an answer. */
type Then = { calls: ToolCallPart[] } | 'go on' | 'finish';

/** @internal One loop. */
export class Loop {
  readonly #client: ToolClient;
  readonly #settings: LoopSettings;
  readonly #isStream: boolean;
  readonly #stop = new AbortController();
  readonly #messages: AnyMessage[];
  #call: ChatOptions;
  #wanted: Wanted | undefined;
  #repairs: number;
  #turns = 0;
  #attempts = 0;
  #usage: Usage | null = null;
  /** The tokens of the answers whose usage the provider did not report. */
  #estimated = 0;
  #cost: number | null = null;
  #limit: ToolLoopLimit | null = null;
  /** Clears the timer, and stops to listen to the caller's signal. */
  #release = () => {};

  constructor(client: ToolClient, question: string | readonly AnyMessage[], settings: LoopSettings, isStream: boolean) {
    const { systemPrompt } = settings;
    if (typeof question !== 'string' && !Array.isArray(question)) {
      throw invalidInput(`the question is ${question === null ? 'null' : typeof question}; give a text, or an array of messages { role, content }`);
    }
    const asked: readonly AnyMessage[] = typeof question === 'string' ? [{ role: 'user', content: question }] : question;
    this.#client = client;
    this.#settings = settings;
    this.#isStream = isStream;
    this.#messages = [...systemPrompt === undefined ? [] : [{ role: 'system', content: systemPrompt }], ...asked];
    this.#repairs = settings.repairs;
    this.#call = { ...settings.call, ...settings.tools.length > 0 ? { tools: settings.tools } : {} };
  }

  /** Ends the loop: running calls and the request are aborted, and no other begins. */
  abort(reason?: unknown): void {
    this.#release();
    this.#stop.abort(reason);
  }

  /** Runs the loop to its end. Every error has the state of the loop. */
  async* run(): AsyncGenerator<ToolLoopEvent, ToolLoopAnswer> {
    const { signal, loopTimeoutMs } = this.#settings;
    const forget = whenAborted(signal, () => this.abort(signal!.reason));
    const clear = loopTimeoutMs === Infinity ? () => {} : timer(loopTimeoutMs, () => this.abort(TIME_UP));
    this.#release = () => {
      clear();
      forget();
    };
    try {
      if (signal?.aborted) this.abort(signal.reason);
      const [response, value] = yield* this.#steps();
      return {
        __proto__: methods, text: response.text, response, messages: this.#messages, usage: this.#usage, cost: this.#cost,
        turns: this.#turns, attempts: this.#attempts, ...this.#wanted ? { value } : {},
      } as unknown as ToolLoopAnswer;
    } catch (error) {
      throw this.#failed(error);
    } finally {
      this.#release();
    }
  }

  async* #steps(): AsyncGenerator<ToolLoopEvent, [ChatResponse, unknown]> {
    const { schema } = this.#settings;
    if (schema) this.#wanted = await this.#client.schemaOf?.(schema);
    const open = openCalls(this.#messages);
    if (open.length > 0) yield* this.#run(open, false);
    for (;;) {
      this.#check();
      const turn = this.#turns + 1;
      yield { type: 'turn_start', turn };
      const response = yield* this.#ask();
      await this.#spend(response);
      const then = this.#follow(response);
      this.#push(response);
      if (typeof then === 'object') {
        yield* this.#run(then.calls, response.finishReason === 'length');
        this.#letTheModelChoose();
      }
      yield { type: 'turn_end', turn, usage: response.usage, totalUsage: this.#usage, cost: this.#cost };
      if (then !== 'finish') continue;
      const read = await this.#read(response);
      if (!read) continue;
      yield { type: 'finish', turns: this.#turns };
      return [response, read.value];
    }
  }

  /** Asks for the next answer: whole, or as a stream if somebody takes the events. */
  async* #ask(): AsyncGenerator<ToolLoopEvent, ChatResponse> {
    const { signal } = this.#stop;
    const fitted = await this.#wanted?.fit({ messages: this.#messages, model: this.#call.model, tools: this.#call.tools });
    const messages = fitted?.messages ?? this.#messages;
    const options = { ...this.#call, signal, ...fitted?.responseFormat ? { responseFormat: fitted.responseFormat } : {} };
    if (!this.#isStream) return this.#client.ask(messages, options);
    const stream = this.#client.askStream(messages, options);
    for await (const event of stream) yield { type: 'content', event };
    return stream.final();
  }

  /** Runs calls, and adds their results to the conversation. */
  async* #run(calls: readonly ToolCallPart[], isCut: boolean): AsyncGenerator<ToolLoopEvent, void> {
    const runner: Runner = { settings: this.#settings, signal: this.#stop.signal, check: (schema, json) => this.#fault(schema, json) };
    const results = yield* runCalls(runner, calls, this.#turns, isCut);
    this.#messages.push({ role: 'tool', content: results });
    this.#check(true);
  }

  async #fault(schema: object, json: string): Promise<{ path: string; reason: string } | undefined> {
    const wanted = await this.#client.schemaOf?.({ schema });
    return wanted?.fault(json);
  }

  /** Adds an answer. An empty one is left out, because no provider accepts it. */
  #push({ message }: ChatResponse): void {
    if (message.content.length > 0 || message.extra) this.#messages.push(message);
  }

  async #spend(response: ChatResponse): Promise<void> {
    this.#turns += 1;
    this.#attempts += response.attempts;
    this.#usage = sum(this.#usage, response.usage);
    const cost = costOf(this.#settings.price, response);
    if (cost !== null) this.#cost = (this.#cost ?? 0) + cost;
    // Some servers report zeros.
    const isReported = tokensOf(response.usage) > 0;
    if (this.#settings.maxTotalTokens < Infinity && !isReported) this.#estimated += estimate([...this.#messages, response.message], this.#settings.tools);
  }

  /**
   * What follows an answer. A call of a tool that the caller runs ends the loop, and so does an answer that the provider or
   * the model broke off for what it says.
   */
  #follow({ finishReason, toolCalls }: ChatResponse): Then {
    if (finishReason === 'pause') return 'go on';
    if (finishReason === 'content_filter' || finishReason === 'refusal') return 'finish';
    const isCallers = ({ name }: ToolCallPart) => this.#settings.callers.has(name);
    return toolCalls.length === 0 || toolCalls.some(isCallers) ? 'finish' : { calls: [...toolCalls] };
  }

  /** Leaves it to the model whether to call a tool. A model that had to call one would call it again in every turn. */
  #letTheModelChoose(): void {
    const { toolChoice, ...rest } = this.#call;
    if (toolChoice === 'required' || typeof toolChoice === 'object') this.#call = rest;
  }

  /** The value of the final answer; undefined if the model is asked to correct it. */
  async #read(response: ChatResponse): Promise<{ value: unknown } | undefined> {
    if (!this.#wanted) return { value: undefined };
    try {
      return { value: await this.#wanted.read(response) };
    } catch (error) {
      if (!(error instanceof MismatchError) || error.isFinal || this.#repairs <= 0) {
        // Its attempts are counted already.
        throw error instanceof MismatchError ? Object.assign(error, { attempts: 0 }) : error;
      }
      this.#repairs -= 1;
      this.#messages.push({ role: 'user', content: correction(error) });
      return undefined;
    }
  }

  /** Throws if the loop was aborted, or if a limit is reached and the model would be asked again. */
  #check(onlyTime = false): void {
    const { maxTurns, maxTotalTokens, maxCost } = this.#settings;
    const { signal } = this.#stop;
    if (signal.aborted) throw signal.reason === TIME_UP ? this.#timeUp() : abortError(signal);
    if (onlyTime) return;
    const tokens = tokensOf(this.#usage) + this.#estimated;
    const estimated = this.#estimated > 0 ? `, of which ${this.#estimated} are an estimate` : '';
    const cost = this.#cost ?? 0;
    if (this.#turns >= maxTurns) throw this.#reached('turns', `${maxTurns} turns`, 'maxTurns');
    if (tokens >= maxTotalTokens) throw this.#reached('tokens', `${maxTotalTokens} tokens, with ${tokens}${estimated}`, 'maxTotalTokens');
    if (cost >= maxCost && this.#turns > 0) throw this.#reached('cost', `a cost of ${maxCost}, with ${cost}`, 'maxCost');
  }

  #timeUp(): LimitReachedError {
    return this.#reached('time', `${this.#settings.loopTimeoutMs} ms`, 'loopTimeoutMs');
  }

  #reached(limit: ToolLoopLimit, amount: string, option: string): LimitReachedError {
    this.#limit = limit;
    const error = new LimitReachedError(`the tool loop reached its limit of ${amount}, before the model answered; raise ${option}, or go on `
      + 'with the messages in unfinishedLoop(error)', { code: 'limit_reached' });
    return Object.assign(error, { limit });
  }

  /** The error of the loop, with what the loop had done. */
  #failed(error: unknown): unknown {
    // The request that the time limit aborted.
    const isTimeUp = this.#stop.signal.reason === TIME_UP && error instanceof LlmError && error.code === 'aborted';
    const told = isTimeUp ? this.#timeUp() : error;
    if (!(told instanceof LlmError)) return told;
    Object.assign(told, { attempts: told.attempts + this.#attempts });
    unfinished.set(told, { messages: this.#messages, limit: this.#limit, usage: this.#usage, cost: this.#cost, turns: this.#turns });
    return told;
  }
}
