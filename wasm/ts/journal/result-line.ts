// Writes a result as a line in OpenAI's Batch format, as Rust's `journal/jsonl/result.rs` does.
import type { LlmError } from '../base/errors.js';
import type { ChatResponse, Extra, JsonObject, Part, ToolCallPart, Usage } from '../base/types.js';
import type { Outcome } from './journal.js';
import { idOf, tagOf } from './tag.js';

/** @internal The line of a result, with its line end. `created` is in seconds since 1970. */
export function resultLine(outcome: Outcome, created = Math.floor(Date.now() / 1000)): string {
  const { id, result } = outcome;
  const line = result.ok
    ? { response: { status_code: 200, request_id: result.value.requestId ?? '', body: body(result.value, created) }, error: null }
    : { response: refusedResponse(result.error), error: failure(result.error) };
  return `${JSON.stringify({ id: idOf(tagOf(outcome)), custom_id: id, ...line })}\n`;
}

function body(answer: ChatResponse, created: number): JsonObject {
  const { text, reasoning, refusal, toolCalls, extra, finishReason, usage } = answer;
  const isEmpty = text === '' && (toolCalls.length > 0 || refusal !== null);
  const more = beyondTheForm(answer);
  return {
    id: answer.id, object: 'chat.completion', created, model: answer.model,
    choices: [{
      index: 0,
      message: {
        role: 'assistant', content: isEmpty ? null : text, refusal,
        ...reasoning !== '' && { reasoning_content: reasoning },
        ...toolCalls.length > 0 && { tool_calls: toolCalls.map(toolCall) },
      },
      logprobs: extra.logprobs ?? null,
      finish_reason: finishReason === 'refusal' || finishReason === 'pause' ? 'stop' : finishReason,
    }],
    ...usage && { usage: usageOf(usage) },
    ...extra.system_fingerprint !== undefined && { system_fingerprint: extra.system_fingerprint },
    ...Object.keys(more).length > 0 && { chatcore: more },
  };
}

function usageOf({ inputTokens, outputTokens, cacheReadTokens, reasoningTokens }: Usage): JsonObject {
  return {
    prompt_tokens: inputTokens, completion_tokens: outputTokens, total_tokens: inputTokens + outputTokens,
    ...cacheReadTokens !== undefined && { prompt_tokens_details: { cached_tokens: cacheReadTokens } },
    ...reasoningTokens !== undefined && { completion_tokens_details: { reasoning_tokens: reasoningTokens } },
  };
}

function toolCall({ id, name, arguments: text, extra = {} }: ToolCallPart): JsonObject {
  // The ids of Responses are left out, because a call with them needs its reasoning item.
  const { openai_chat: own, openai_responses: _, ...others } = extra as JsonObject;
  return { ...others, ...own as JsonObject | undefined, id, type: 'function', function: { name, arguments: text } };
}

/** The fields of an answer that OpenAI's form cannot hold, in the JSON form of Rust's `ChatResponse`. */
function beyondTheForm({ message, extra: { logprobs: _l, system_fingerprint: _s, ...extra }, finishReason, usage }: ChatResponse): JsonObject {
  const more: JsonObject = {};
  const parts = typeof message.content === 'string' ? [] : message.content;
  if (hasMore(message.extra) || !isInTheForm(parts)) more.message = message as unknown as JsonObject;
  if (hasMore(extra)) more.extra = extra;
  if (finishReason === 'refusal' || finishReason === 'pause') more.finish_reason = finishReason;
  if (usage?.cacheWriteTokens !== undefined) {
    more.usage = {
      input_tokens: usage.inputTokens, output_tokens: usage.outputTokens, cache_write_tokens: usage.cacheWriteTokens,
      ...usage.cacheReadTokens !== undefined && { cache_read_tokens: usage.cacheReadTokens },
      ...usage.reasoningTokens !== undefined && { reasoning_tokens: usage.reasoningTokens },
      ...usage.rawJson && { raw_json: usage.rawJson },
    };
  }
  return more;
}

const hasMore = (extra: Extra | undefined) => Object.keys(extra ?? {}).length > 0;

/**
 * Whether OpenAI's form can hold all these parts in their order: reasoning, then text, then a refusal, then tool calls,
 * none of them with extra fields.
 */
function isInTheForm(parts: readonly Part[]): boolean {
  const order = ['reasoning', 'text', 'refusal', 'tool_call'];
  let last = -1;
  return parts.every((part) => {
    const place = order.indexOf(part.type);
    const isWhole = place >= 0 && !('extra' in part && hasMore(part.extra)) && !('signature' in part && part.signature !== undefined)
      && !('encrypted' in part && part.encrypted !== undefined);
    // Several tool calls are allowed, but several texts would be merged into one.
    const isNext = isWhole && (last < place || (last === place && part.type === 'tool_call'));
    last = place;
    return isNext;
  });
}

/** The response to a request that the provider refused; null if there was no such response. */
function refusedResponse({ status, requestId, message, param, providerCode }: LlmError): JsonObject | null {
  if (status === undefined || (status >= 200 && status < 300)) return null;
  return {
    status_code: status, request_id: requestId ?? '',
    body: { error: { message, type: null, param: param ?? null, code: providerCode ?? null } },
  };
}

/** OpenAI's `code` and `message`, and the whole error in the JSON form of Rust's `Error` as `detail`. */
function failure(error: LlmError): JsonObject {
  const { code, message, status, providerCode, param, requestId, body, retryAfterMs, attempts, retryable, partialText } = error;
  const { phase } = error as { phase?: string };
  const fields: [name: string, value: JsonObject[string] | undefined][] = [
    ['status', status], ['code', providerCode], ['param', param], ['request_id', requestId], ['body', body],
    ['retry_after', retryAfterMs === undefined ? undefined : retryAfterMs / 1000], ['should_retry', retryable], ['phase', phase],
    // An error inside a stream comes with the status of the stream.
    ['in_stream', status === 200 ? true : undefined],
    ['partial', partialText ? partial(partialText) : undefined],
  ];
  const known = Object.fromEntries(fields.filter((field): field is [string, JsonObject[string]] => field[1] !== undefined));
  return { code: providerCode ?? code, message, detail: { kind: code, message, ...known, attempts } };
}

/** The text of an answer that was cut, in the JSON form of Rust's `ChatResponse`. */
const partial = (text: string): JsonObject => ({
  id: '', model: '', message: { role: 'assistant', content: text }, finish_reason: null, finish_reason_raw: '', usage: null,
  request_id: null, attempts: 0, skipped_events: 0,
});
