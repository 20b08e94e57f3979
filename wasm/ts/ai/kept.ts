// Fields of chatcore's parts that `ai` has no name for: signatures of reasoning, unknown fields, unknown blocks. `ai`
// gets them as `providerMetadata.chatcore`, and returns them as `providerOptions.chatcore` in the next turn.
import type { AiMetadata, AiOptions } from './types.js';
import type { JsonValue, Part } from '../base/types.js';

/** @internal The fields of a part except `names`, as metadata; no metadata if there are no other fields. */
export function keep(part: Part, names: readonly string[]): { providerMetadata?: AiMetadata } {
  const rest = Object.entries(part).filter(([name, value]) => !names.includes(name) && value !== undefined);
  return rest.length ? { providerMetadata: { chatcore: Object.fromEntries(rest) as Record<string, JsonValue> } } : {};
}

/** @internal The fields that were kept. */
export const kept = (options: AiOptions | undefined): Record<string, unknown> => options?.chatcore ?? {};

/** @internal The part that was kept whole, if there is one. */
export const partOf = (options: AiOptions | undefined): Part[] => {
  const { type } = kept(options);
  return typeof type === 'string' ? [kept(options) as unknown as Part] : [];
};
