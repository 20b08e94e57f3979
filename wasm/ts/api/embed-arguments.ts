// The arguments of a call for embeddings, serialized for the module, and its answer.
import type { CallContext } from '../border/call-context.js';
import { BadRequestError, badRequest } from '../base/errors.js';
import { ofCall, type HeaderRules } from './headers.js';
import { usage, type UsageView } from '../border/response.js';
import { limits } from './settings.js';
import type { EmbedOptions } from './options.js';
import type { Embeddings } from '../base/types.js';

const KNOWN: ReadonlySet<string> = new Set<keyof Required<EmbedOptions>>([
  'model', 'dimensions', 'extra', 'headers', 'signal', 'timeoutMs', 'timeouts', 'maxRetries', 'waitForQueue',
]);

/** @internal A call for embeddings in the order in which it crosses the border. Throws a BadRequestError. */
export function embedArguments(inputs: string | readonly string[], options: EmbedOptions, rules: HeaderRules, context: CallContext) {
  for (const name in options) {
    if (!KNOWN.has(name)) throw badRequest(`there is no option ${name}; a field of the provider's own goes in extra`);
  }
  const { model, dimensions, extra, headers, timeouts, timeoutMs, maxRetries, waitForQueue } = options;
  for (const [name, number] of Object.entries({ dimensions, maxRetries })) {
    if (number !== undefined && !Number.isFinite(number)) throw badRequest(`${name} is ${String(number)}, which is no number`);
  }
  context.headers = headers && ofCall(headers, rules);
  let texts: string;
  let rest: string;
  try {
    texts = JSON.stringify(typeof inputs === 'string' ? [inputs] : inputs) ?? 'null';
    rest = JSON.stringify({
      model, dimensions, extra, maxRetries, waitForQueue,
      timeouts: timeouts || timeoutMs !== undefined ? limits(timeouts, timeoutMs, badRequest) : undefined,
    });
  } catch (error) {
    // A BigInt, or an object that holds itself.
    throw error instanceof BadRequestError ? error : badRequest('the request cannot be written as JSON', error);
  }
  return [texts, rest, context] as const;
}

/** @internal The answer of the core; the vectors come apart. */
export function embeddings(text: string, vectors: Float32Array<ArrayBuffer>[]): Embeddings {
  const [model, used, requestId, attempts] = JSON.parse(text) as [string, UsageView | null, string | null, number];
  return { vectors, model, usage: used && usage(used), requestId, attempts };
}
