// The arguments of one chat call, serialized for the module: its messages and most options as JSON.
import type { CallContext } from '../border/call-context.js';
import { InvalidInputError, invalidInput } from '../base/errors.js';
import { ofCall, type HeaderRules, type Headers } from './headers.js';
import { limits } from './settings.js';
import { toolChoiceOf, toolsOf } from './tools.js';
import type { ChatOptions } from './options.js';
import { CONVERSATION } from '../base/tables.js';
import type { AnyMessage } from '../base/types.js';

const KNOWN: ReadonlySet<string> = new Set<keyof Required<ChatOptions>>([
  'systemPrompt', 'timeouts', 'timeoutMs', 'headers', 'maxAttempts', 'waitForQueue', 'signal', 'maxTokens', 'topP', 'seed',
  'toolChoice', 'reasoningEffort', 'responseFormat', 'model', 'stop', 'tools', 'extra', 'temperature', 'fetchAsStream',
]);

/** @internal Whether an option of a call has this name. */
export const isOption = (name: string) => KNOWN.has(name);

const finite = (name: string, value: unknown) => {
  if (value != null && !Number.isFinite(value)) throw invalidInput(`${name} is ${String(value)}, which is not a number`);
};

// Of these the core learns in other ways than as JSON, or not at all.
const APART: ReadonlySet<string> = new Set<keyof ChatOptions>(['systemPrompt', 'temperature', 'maxTokens', 'headers', 'signal']);

/** @internal A call: the messages and most options as JSON, and headers. A number that is not given is NaN. */
export interface ChatArguments {
  messages: string; temperature: number; maxTokens: number;
  /** What is asked for where the caller set nothing: wishes, which are left out where the model refuses them. */
  defaultTemperature: number; defaultMaxTokens: number;
  /** Empty where there are no other options. */
  rest: string;
  headers: Headers | undefined;
}

/** @internal What is asked for where the caller sets nothing. */
export interface Wishes { readonly temperature: number; readonly maxTokens: number }

/** @internal Nothing: the provider's own defaults hold. The core knows it by the limit of 0 tokens. */
export const NONE: Wishes = { temperature: NaN, maxTokens: 0 };

/** @internal A call in the order in which it crosses the border. */
export const inOrder = (call: ChatArguments, context: CallContext) => {
  context.headers = call.headers;
  return [call.messages, call.temperature, call.maxTokens, call.defaultTemperature, call.defaultMaxTokens, call.rest, context] as const;
};

/** @internal Throws a InvalidInputError for what JSON cannot say; the core checks the rest. */
export function chatArguments(
  question: string | readonly AnyMessage[], options: ChatOptions, defaults: Wishes, rules: HeaderRules, patient = false,
): ChatArguments {
  const messages = messagesOf(question, defaults === CONVERSATION ? 'messages' : 'the prompt');
  let more = patient;
  for (const name in options) {
    if (!KNOWN.has(name)) throw invalidInput(`unknown option ${name}; put a field of the provider's own in extra`);
    more ||= !APART.has(name);
  }
  const { systemPrompt, temperature: own, maxTokens } = options;
  finite('temperature', own);
  finite('maxTokens', maxTokens);
  const headers = options.headers && ofCall(options.headers, rules);
  try {
    return {
      messages: JSON.stringify(systemPrompt === undefined ? messages : [{ role: 'system', content: systemPrompt }, ...messages]) ?? 'null',
      temperature: own ?? NaN,
      maxTokens: maxTokens ?? NaN,
      // Null leaves it to the provider.
      defaultTemperature: own === undefined ? defaults.temperature : NaN,
      defaultMaxTokens: maxTokens === undefined || defaults === NONE ? defaults.maxTokens : NaN,
      rest: more ? rest(options, patient) : '',
      headers,
    };
  } catch (error) {
    // A BigInt, or an object that holds itself.
    throw error instanceof InvalidInputError ? error : invalidInput('the request cannot be written as JSON', error);
  }
}

/** A prompt or a conversation as messages. The core checks each message. */
function messagesOf(question: unknown, name: string): readonly AnyMessage[] {
  if (typeof question === 'string') return [{ role: 'user', content: question }];
  if (Array.isArray(question)) return question as AnyMessage[];
  const what = question == null ? String(question) : typeof question === 'object' ? 'an object' : `a ${typeof question}`;
  throw invalidInput(`${name} ${name === 'messages' ? 'are' : 'is'} ${what}; give a text, or an array of messages { role, content }`);
}

function rest(options: ChatOptions, patient: boolean): string {
  const { timeouts, timeoutMs, maxAttempts, topP, seed } = options;
  finite('topP', topP);
  finite('seed', seed);
  finite('maxAttempts', maxAttempts);
  return JSON.stringify({
    topP, seed, model: options.model, stop: options.stop, tools: toolsOf(options.tools), extra: options.extra,
    toolChoice: toolChoiceOf(options.toolChoice), reasoningEffort: options.reasoningEffort, responseFormat: options.responseFormat,
    maxAttempts, waitForQueue: options.waitForQueue, fetchAsStream: options.fetchAsStream, patient,
    timeouts: timeouts || timeoutMs !== undefined ? limits(timeouts, timeoutMs, invalidInput) : undefined,
  });
}
