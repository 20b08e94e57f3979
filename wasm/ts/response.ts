import type { ChatResponse, JsonValue, Message, Part, Usage } from './types.js';

/** An answer as the core writes it. */
export interface ResponseView {
  id: string; model: string; message: Message; finish_reason: string | null; usage: UsageView | null;
  request_id: string | null; attempts: number;
}
export interface UsageView {
  input_tokens: number; output_tokens: number; cache_read_tokens?: number; cache_write_tokens?: number;
  reasoning_tokens?: number;
}

export function usage(view: UsageView): Usage {
  const usage: Usage = { inputTokens: view.input_tokens, outputTokens: view.output_tokens };
  if (view.cache_read_tokens !== undefined) usage.cacheReadTokens = view.cache_read_tokens;
  if (view.cache_write_tokens !== undefined) usage.cacheWriteTokens = view.cache_write_tokens;
  if (view.reasoning_tokens !== undefined) usage.reasoningTokens = view.reasoning_tokens;
  return usage;
}

function joined(content: string | Part[], type: string): string {
  if (typeof content === 'string') return type === 'text' ? content : '';
  let text = '';
  for (const part of content) {
    const piece: JsonValue | undefined = part.type === type && 'text' in part ? part.text : undefined;
    if (typeof piece === 'string') text += piece;
  }
  return text;
}

export function response(view: ResponseView): ChatResponse {
  const text = joined(view.message.content, 'text');
  return {
    text,
    reasoning: joined(view.message.content, 'reasoning'),
    message: view.message,
    id: view.id,
    model: view.model,
    finishReason: view.finish_reason,
    usage: view.usage && usage(view.usage),
    requestId: view.request_id,
    attempts: view.attempts,
    toString: () => text,
  };
}
