// The arguments of one chat call, serialized for the module: its messages and most options as JSON.
import type { CallContext } from '../border/call-context.js';
import { InvalidInputError, invalidInput } from '../base/errors.js';
import { checkCall } from './check.js';
import { ofCall, type HeaderRules, type Headers } from './headers.js';
import { said } from './kinds.js';
import { limits } from './settings.js';
import { formatOf, toolChoiceOf, toolsOf } from './tools.js';
import type { ChatOptions } from './options.js';
import { CONVERSATION } from '../base/tables.js';
import type { AnyMessage } from '../base/types.js';

// These options are not part of the JSON in `rest`.
const APART: ReadonlySet<string> = new Set<keyof ChatOptions>(['systemPrompt', 'temperature', 'maxTokens', 'headers', 'signal']);

/** @internal A call: the messages and most options as JSON, and the headers. NaN means that a number is not set. */
export interface ChatArguments {
  messages: string; temperature: number; maxTokens: number;
  /** Used if the caller set nothing. A default is left out if the model refuses it. */
  defaultTemperature: number; defaultMaxTokens: number;
  /** Empty if there are no other options. */
  rest: string;
  headers: Headers | undefined;
}

/** @internal The defaults of a method, used if the caller sets nothing. */
export interface Wishes { readonly temperature: number; readonly maxTokens: number }

/** @internal No defaults, so that the provider's apply. The core recognizes this by the limit of 0 tokens. */
export const NONE: Wishes = { temperature: NaN, maxTokens: 0 };

/** @internal The arguments of a call in the order in which the module takes them. */
export const inOrder = (call: ChatArguments, context: CallContext) => {
  context.headers = call.headers;
  return [call.messages, call.temperature, call.maxTokens, call.defaultTemperature, call.defaultMaxTokens, call.rest, context] as const;
};

/**
 * @internal
 * Throws an InvalidInputError for unknown options, values of a wrong kind and values that are not valid in JSON. The core
 * checks the rest.
 * `elapsedMs` is the time since the whole call began, of which this request is not the first.
 */
export function chatArguments(
  question: string | readonly AnyMessage[], options: ChatOptions, defaults: Wishes, rules: HeaderRules, patient = false, elapsedMs = 0,
): ChatArguments {
  const messages = messagesOf(question, defaults === CONVERSATION ? 'messages' : 'the prompt');
  let more = patient || elapsedMs > 0;
  checkCall(options, invalidInput);
  for (const name in options) more ||= !APART.has(name);
  const { systemPrompt, temperature: own, maxTokens } = options;
  const headers = options.headers && ofCall(options.headers, rules);
  try {
    return {
      messages: JSON.stringify(systemPrompt == null ? messages : [{ role: 'system', content: systemPrompt }, ...messages]) ?? 'null',
      temperature: own ?? NaN,
      maxTokens: maxTokens ?? NaN,
      // With null, the provider's own default applies.
      defaultTemperature: own === undefined ? defaults.temperature : NaN,
      defaultMaxTokens: maxTokens === undefined || defaults === NONE ? defaults.maxTokens : NaN,
      rest: more ? rest(options, patient, elapsedMs || undefined) : '',
      headers,
    };
  } catch (error) {
    // A BigInt, or an object that contains itself.
    throw error instanceof InvalidInputError ? error : invalidInput('the request cannot be written as JSON', error);
  }
}

/** A prompt or a conversation as messages. The core checks each message. */
function messagesOf(question: unknown, name: string): readonly AnyMessage[] {
  if (typeof question === 'string') return [{ role: 'user', content: question }];
  if (Array.isArray(question)) return question as AnyMessage[];
  throw invalidInput(`${name} ${name === 'messages' ? 'are' : 'is'} ${typeof question === 'number' ? 'a number' : said(question)}; give a text, or an array of messages { role, content }`);
}

function rest(options: ChatOptions, patient: boolean, elapsedMs: number | undefined): string {
  const { timeouts, timeoutMs, maxAttempts, topP, seed } = options;
  return JSON.stringify({
    topP, seed, model: options.model, stop: options.stop, tools: toolsOf(options.tools), extra: options.extra,
    toolChoice: toolChoiceOf(options.toolChoice), reasoningEffort: options.reasoningEffort, responseFormat: formatOf(options.responseFormat),
    maxAttempts, waitForQueue: options.waitForQueue, fetchAsStream: options.fetchAsStream, patient, elapsedMs,
    timeouts: timeouts || timeoutMs !== undefined ? limits(timeouts, timeoutMs, invalidInput) : undefined,
  });
}
