// A call for a typed answer. The model may be asked to correct an answer that does not fit.
import { invalidInput, LlmError } from '../base/errors.js';
import { MismatchError } from '../base/mismatch.js';
import type { AnyMessage, AnyTool, ChatResponse, Usage } from '../base/types.js';
import { sum } from '../base/usage.js';
import { correction } from './correction.js';
import { PartialJson } from './partial.js';
import { Wanted, type Caller, type Fitted, type SchemaOptions } from './wanted.js';

/** @internal The options of a call that are read here. */
export interface TypedCallOptions extends SchemaOptions {
  repairs?: number | undefined;
  systemPrompt?: string | undefined;
  model?: string | undefined;
  maxAttempts?: number | undefined;
  tools?: readonly AnyTool[] | undefined;
}

/** @internal Sends one request. `elapsedMs` is the time since the whole call began. */
export type Send<O> = (messages: readonly AnyMessage[], options: O, elapsedMs: number) => Promise<ChatResponse>;

/** @internal Options without those of a typed answer, and with the format of the answer. */
export type Plain<O> = Omit<O, keyof SchemaOptions | 'repairs' | 'systemPrompt'>;

/** @internal A call whose request is written: what to send, and how its answer is read. */
export interface Prepared<O> extends Fitted { wanted: Wanted; options: Plain<O> }

/** @internal */
export async function prepare<O extends TypedCallOptions>(
  caller: Caller, question: string | readonly AnyMessage[], all: O,
): Promise<Prepared<O>> {
  const { schema, jsonSchema, schemaName, schemaInPrompt, repairs: _, systemPrompt, ...rest } = all;
  const wanted = Wanted.of(caller, { schema, jsonSchema, schemaName, schemaInPrompt });
  const asked: readonly AnyMessage[] = typeof question === 'string' ? [{ role: 'user', content: question }] : question;
  const messages = systemPrompt == null ? asked : [{ role: 'system', content: systemPrompt }, ...asked];
  const fitted = await wanted.fit({ messages, model: all.model, tools: all.tools });
  return { ...fitted, wanted, options: { ...rest, responseFormat: fitted.responseFormat ?? undefined } };
}

/** @internal */
export async function ask<O extends TypedCallOptions>(
  caller: Caller, question: string | readonly AnyMessage[], all: O, send: Send<Plain<O>>,
): Promise<ChatResponse & { value: unknown }> {
  let repairs = count(all.repairs ?? 0);
  const began = performance.now();
  const { wanted, messages, options } = await prepare(caller, question, all);
  const most = all.maxAttempts ?? (JSON.parse(caller.settings) as { maxAttempts: number }).maxAttempts;
  let attempts = 0;
  let usage: Usage | null = null;
  for (;;) {
    const left = most - attempts;
    const own = attempts === 0 ? options : { ...options, maxAttempts: left };
    let answer: ChatResponse;
    try {
      answer = await send(messages, own, attempts === 0 ? 0 : performance.now() - began);
    } catch (error) {
      if (error instanceof LlmError && attempts > 0) set(error, { attempts: error.attempts + attempts });
      throw error;
    }
    attempts += answer.attempts;
    usage = sum(usage, answer.usage);
    set(answer, { attempts, usage });
    try {
      return Object.assign(answer, { value: await wanted.read(answer) });
    } catch (error) {
      if (!(error instanceof MismatchError) || error.isFinal || repairs <= 0 || attempts >= most) throw error;
      repairs -= 1;
      messages.push(...isEmpty(answer) ? [] : [answer.message], { role: 'user', content: correction(error) });
    }
  }
}

const isEmpty = ({ message }: ChatResponse) => message.content.length === 0;

const set = (object: object, fields: object) => Object.assign(object, fields);

function count(repairs: number): number {
  if (!Number.isSafeInteger(repairs) || repairs < 0) throw invalidInput(`repairs is ${repairs}; it must be a whole number of at least 0`);
  return repairs;
}

/** @internal The values of an answer that is being written. */
export class Values {
  readonly #wanted: Wanted | undefined;
  readonly #json: PartialJson;
  /** The characters since the last value was taken. */
  #fresh = 0;
  #hasGrown = false;

  constructor(wanted: Wanted | undefined) {
    this.#wanted = wanted;
    this.#json = new PartialJson(wanted !== undefined);
  }

  /** Reads the next piece of the text. Returns the grown value, or undefined to go on. */
  feed(piece: string): unknown {
    this.#fresh += piece.length;
    this.#hasGrown = this.#json.feed(piece) || this.#hasGrown;
    // A value costs a copy of what is open. While there is little new text beside it, it waits, so that the work stays
    // proportional to the text.
    return this.#json.width > 256 + 16 * this.#fresh ? undefined : this.take();
  }

  /** The value, if it has grown since it was last taken. */
  take(): unknown {
    if (!this.#hasGrown) return undefined;
    this.#hasGrown = false;
    this.#fresh = 0;
    const { value } = this.#json;
    return (this.#wanted ? this.#wanted.unwrap(value) : value) ?? undefined;
  }
}
