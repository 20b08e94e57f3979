// One call, written down for the core.
import { BadRequestError, badRequest } from './errors.js';
import { limits } from './settings.js';
import type { ChatOptions, Message } from './types.js';

/** @internal Throws a BadRequestError for what JSON cannot say; the core checks the rest. */
export function spec(messages: readonly Message[], options: ChatOptions, temperature: number, patient = false): string {
  const {
    systemPrompt, timeouts, timeoutMs, headers, maxRetries, waitForQueue, signal: _, maxTokens, topP, seed, toolChoice,
    reasoningEffort, responseFormat, model, stop, tools, extra, temperature: own, ...unknown
  } = options;
  for (const name in unknown) {
    throw badRequest(`there is no option ${name}; a field of the provider's own goes in extra`);
  }
  const numbers = {
    temperature: own === undefined ? temperature : own, max_tokens: maxTokens === undefined ? 256 : maxTokens, top_p: topP, seed,
  };
  for (const [name, value] of Object.entries({ ...numbers, maxRetries })) {
    if (value != null && !Number.isFinite(value)) throw badRequest(`${name} is ${String(value)}, which is no number`);
  }
  try {
    return JSON.stringify({
      request: {
        ...numbers, model, stop, tools, extra, tool_choice: toolChoice, reasoning_effort: reasoningEffort,
        response_format: responseFormat,
        messages: systemPrompt === undefined ? messages : [{ role: 'system', content: systemPrompt }, ...messages],
      },
      headers, maxRetries, waitForQueue, patient, timeouts: limits(timeouts, timeoutMs, badRequest),
    });
  } catch (error) {
    // A BigInt, or an object that holds itself.
    throw error instanceof BadRequestError ? error : badRequest('the request cannot be written as JSON', error);
  }
}
