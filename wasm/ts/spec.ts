// One call, written down for the core.
import { BadRequestError } from './errors.js';
import { limits } from './settings.js';
import type { ChatOptions, Message } from './types.js';

const fail = (message: string, cause?: unknown) => new BadRequestError(message, { code: 'invalid_request', cause });

/** Throws a BadRequestError for what JSON cannot say; the core checks the rest. */
export function spec(messages: readonly Message[], options: ChatOptions, temperature: number): string {
  const { systemPrompt, timeouts, timeoutMs, headers, maxRetries, waitForQueue } = options;
  const numbers = {
    temperature: options.temperature === undefined ? temperature : options.temperature,
    max_tokens: options.maxTokens === undefined ? 256 : options.maxTokens,
    top_p: options.topP, seed: options.seed,
  };
  for (const [name, value] of Object.entries({ ...numbers, maxRetries })) {
    if (value != null && !Number.isFinite(value)) throw fail(`${name} is ${String(value)}, which is no number`);
  }
  try {
    return JSON.stringify({
      request: {
        ...numbers, model: options.model,
        messages: systemPrompt === undefined ? messages : [{ role: 'system', content: systemPrompt }, ...messages],
        stop: options.stop, tools: options.tools, tool_choice: options.toolChoice,
        reasoning_effort: options.reasoningEffort, response_format: options.responseFormat, extra: options.extra,
      },
      headers, maxRetries, waitForQueue, timeouts: limits(timeouts, timeoutMs, fail),
    });
  } catch (error) {
    // A BigInt, or an object that holds itself.
    throw error instanceof BadRequestError ? error : fail('the request cannot be written as JSON', error);
  }
}
