// Converts an answer of chatcore to the form that `ai` reads.
import { keep } from './kept.js';
import type { AiContent, AiCustom, AiFinishReason, AiMetadata, AiUsage } from './types.js';
import type { ChatResponse, JsonObject, MediaSource, Part, Usage } from '../base/types.js';

/** @internal The differences between the versions of the interface. */
export interface Form<F> {
  /** Converts a file's data; undefined if this version has no form for it. */
  fileOf(source: MediaSource): F | undefined;
  /** Whether this version has content of the type `custom`. */
  hasCustom: boolean;
}

/** @internal The parts of an answer. */
export function contentOf<F>({ message: { content } }: ChatResponse, form: Form<F>): AiContent<F>[] {
  const parts: readonly Part[] = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
  return parts.flatMap((part) => partContent(part, form));
}

/** @internal One part of an answer. */
export function partContent<F>(part: Part, form: Form<F>): AiContent<F>[] {
  switch (part.type) {
    case 'text': return part.text ? [{ type: 'text', text: part.text, ...keep(part, ['type', 'text']) }] : [];
    case 'refusal': return [{ type: 'text', text: part.text }];
    case 'reasoning': return [{ type: 'reasoning', text: part.text, ...keep(part, ['type', 'text']) }];
    case 'tool_call': return [{
      type: 'tool-call', toolCallId: part.id, toolName: part.name, input: part.arguments || '{}',
      ...keep(part, ['type', 'id', 'name', 'arguments']),
    }];
    case 'image': case 'audio': case 'file': {
      const data = form.fileOf(part.source);
      const mediaType = 'media_type' in part.source ? part.source.media_type : undefined;
      return data === undefined ? [] : [{ type: 'file', mediaType: mediaType ?? `${part.type === 'file' ? 'application' : part.type}/*`, data }];
    }
    // A block that only one dialect knows, such as the result of a tool that the provider runs. It is sent back unchanged.
    case 'other': return form.hasCustom ? [{ type: 'custom', kind: `chatcore.${part.dialect}`, ...keep(part, []) } as AiCustom<F>] : [];
    default: return [];
  }
}

const REASONS: Record<string, AiFinishReason['unified']> = {
  stop: 'stop', length: 'length', tool_calls: 'tool-calls', content_filter: 'content-filter', refusal: 'content-filter', pause: 'other',
};

/** @internal */
export const finishOf = (reason: string | null, raw: string): AiFinishReason =>
  ({ unified: REASONS[reason ?? ''] ?? 'other', raw: raw || undefined });

/** @internal */
export function usageOf(usage: Usage | null): AiUsage {
  const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, reasoningTokens, rawJson } = usage ?? {} as Partial<Usage>;
  return {
    inputTokens: {
      total: inputTokens, cacheRead: cacheReadTokens, cacheWrite: cacheWriteTokens,
      noCache: inputTokens === undefined ? undefined : inputTokens - (cacheReadTokens ?? 0) - (cacheWriteTokens ?? 0),
    },
    outputTokens: {
      total: outputTokens, reasoning: reasoningTokens,
      text: outputTokens === undefined ? undefined : outputTokens - (reasoningTokens ?? 0),
    },
    ...rawJson ? { raw: JSON.parse(rawJson) as JsonObject } : {},
  };
}

/** @internal The fields of an answer that `ai` has no name for. */
export const metadataOf = ({ requestId, attempts, extra }: ChatResponse): AiMetadata => ({ chatcore: { requestId, attempts, extra } });
