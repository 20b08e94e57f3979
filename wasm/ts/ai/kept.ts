// What a part of chatcore has and a part of `ai` has no name for: signatures of reasoning, unknown fields, unknown blocks.
// It goes out as `providerMetadata.chatcore`, and comes back as `providerOptions.chatcore` when the conversation goes on.
import type { AiMetadata, AiOptions } from './types.js';
import type { JsonValue, Part } from '../base/types.js';

/** @internal The fields of a part, without those of these names; nothing where there are no others. */
export function keep(part: Part, names: readonly string[]): { providerMetadata?: AiMetadata } {
  const rest = Object.entries(part).filter(([name, value]) => !names.includes(name) && value !== undefined);
  return rest.length ? { providerMetadata: { chatcore: Object.fromEntries(rest) as Record<string, JsonValue> } } : {};
}

/** @internal The fields that were kept. */
export const kept = (options: AiOptions | undefined): Record<string, unknown> => options?.chatcore ?? {};

/** @internal The part that was kept whole. */
export const partOf = (options: AiOptions | undefined): Part[] => {
  const { type } = kept(options);
  return typeof type === 'string' ? [kept(options) as unknown as Part] : [];
};
