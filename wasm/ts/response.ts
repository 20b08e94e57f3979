import type { ChatResponse, JsonObject, Message, Part, Usage } from './types.js';

/** @internal An answer as the core writes it. */
export interface ResponseView {
  id: string; model: string; message: Message; finish_reason: string | null; finish_reason_raw: string;
  usage: UsageView | null; request_id: string | null; attempts: number; skipped_events: number; extra?: JsonObject;
}
/** @internal */
export interface UsageView {
  input_tokens: number; output_tokens: number; cache_read_tokens?: number; cache_write_tokens?: number;
  reasoning_tokens?: number; raw_json?: string;
}

/** @internal */
export function usage(view: UsageView): Usage {
  const usage: Usage = { inputTokens: view.input_tokens, outputTokens: view.output_tokens };
  if (view.cache_read_tokens !== undefined) usage.cacheReadTokens = view.cache_read_tokens;
  if (view.cache_write_tokens !== undefined) usage.cacheWriteTokens = view.cache_write_tokens;
  if (view.reasoning_tokens !== undefined) usage.reasoningTokens = view.reasoning_tokens;
  if (view.raw_json) usage.rawJson = view.raw_json;
  return usage;
}

const of = <T extends Part['type']>(parts: readonly Part[], type: T) =>
  parts.filter((part): part is Extract<Part, { type: T }> => part.type === type);

const joined = (parts: readonly { text: string }[]) => parts.map(({ text }) => text).join('');

/** @internal */
export function response(view: ResponseView): ChatResponse {
  const { content } = view.message;
  const parts: readonly Part[] = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
  const text = joined(of(parts, 'text'));
  const answer = {
    text,
    reasoning: joined(of(parts, 'reasoning')),
    toolCalls: of(parts, 'tool_call'),
    refusal: of(parts, 'refusal')[0]?.text ?? null,
    message: view.message,
    id: view.id,
    model: view.model,
    finishReason: view.finish_reason,
    finishReasonRaw: view.finish_reason_raw,
    usage: view.usage && usage(view.usage),
    requestId: view.request_id,
    attempts: view.attempts,
    skippedEvents: view.skipped_events,
    extra: view.extra ?? {},
  };
  // Not enumerable: a function cannot be cloned for another worker.
  return Object.defineProperty(answer, 'toString', { value: () => text });
}
