// The arguments of a call for embeddings, serialized for the module, and its answer.
import type { CallContext } from '../border/call-context.js';
import { InvalidInputError, invalidInput } from '../base/errors.js';
import { checkEmbedding } from './check.js';
import { ofCall, type HeaderRules } from './headers.js';
import { usage, type UsageView } from '../border/response.js';
import { limits } from './settings.js';
import type { EmbedOptions } from './options.js';
import type { Embeddings } from '../base/types.js';

/** @internal The arguments of a call for embeddings in the order in which the module takes them. Throws an InvalidInputError. */
export function embedArguments(inputs: string | readonly string[], options: EmbedOptions, rules: HeaderRules, context: CallContext) {
  checkEmbedding(options, invalidInput);
  const { model, dimensions, extra, headers, timeouts, timeoutMs, maxAttempts, waitForQueue } = options;
  context.headers = headers && ofCall(headers, rules);
  let texts: string;
  let rest: string;
  try {
    texts = JSON.stringify(typeof inputs === 'string' ? [inputs] : inputs) ?? 'null';
    rest = JSON.stringify({
      model, dimensions, extra, maxAttempts, waitForQueue,
      timeouts: timeouts || timeoutMs !== undefined ? limits(timeouts, timeoutMs, invalidInput) : undefined,
    });
  } catch (error) {
    // A BigInt, or an object that contains itself.
    throw error instanceof InvalidInputError ? error : invalidInput('the request cannot be written as JSON', error);
  }
  return [texts, rest, context] as const;
}

/** @internal Builds the result from the core's JSON and the vectors, which the core passes separately. */
export function embeddings(text: string, vectors: Float32Array<ArrayBuffer>[], headers: Embeddings['headers']): Embeddings {
  const [model, used, requestId, attempts] = JSON.parse(text) as [string, UsageView | null, string | null, number];
  return { vectors, model, usage: used && usage(used), requestId, attempts, headers };
}
