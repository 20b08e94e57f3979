// One call, written down for the core.
import { BadRequestError, badRequest } from './errors.js';
import { ofCall, type Headers } from './headers.js';
import { limits } from './settings.js';
import type { ChatOptions, Message } from './types.js';

const KNOWN: ReadonlySet<string> = new Set<keyof Required<ChatOptions>>([
  'systemPrompt', 'timeouts', 'timeoutMs', 'headers', 'maxRetries', 'waitForQueue', 'signal', 'maxTokens', 'topP', 'seed',
  'toolChoice', 'reasoningEffort', 'responseFormat', 'model', 'stop', 'tools', 'extra', 'temperature',
]);

const finite = (name: string, value: unknown) => {
  if (value != null && !Number.isFinite(value)) throw badRequest(`${name} is ${String(value)}, which is no number`);
};

/** @internal A call: JSON for the core, and headers. */
export interface Spec { json: string; headers: Headers | undefined }

/** @internal Throws a BadRequestError for what JSON cannot say; the core checks the rest. */
export function spec(messages: readonly Message[], options: ChatOptions, temperature: number, patient = false): Spec {
  for (const name in options) {
    if (!KNOWN.has(name)) throw badRequest(`there is no option ${name}; a field of the provider's own goes in extra`);
  }
  const { systemPrompt, timeouts, timeoutMs, maxRetries, maxTokens = 256, topP, seed, temperature: own = temperature } = options;
  finite('temperature', own);
  finite('max_tokens', maxTokens);
  finite('top_p', topP);
  finite('seed', seed);
  finite('maxRetries', maxRetries);
  const headers = options.headers && ofCall(options.headers);
  try {
    const json = JSON.stringify({
      request: {
        temperature: own, max_tokens: maxTokens, top_p: topP, seed, model: options.model, stop: options.stop,
        tools: options.tools, extra: options.extra, tool_choice: options.toolChoice,
        reasoning_effort: options.reasoningEffort, response_format: options.responseFormat,
        messages: systemPrompt === undefined ? messages : [{ role: 'system', content: systemPrompt }, ...messages],
      },
      maxRetries, waitForQueue: options.waitForQueue, patient,
      timeouts: timeouts || timeoutMs !== undefined ? limits(timeouts, timeoutMs, badRequest) : undefined,
    });
    return { json, headers };
  } catch (error) {
    // A BigInt, or an object that holds itself.
    throw error instanceof BadRequestError ? error : badRequest('the request cannot be written as JSON', error);
  }
}
