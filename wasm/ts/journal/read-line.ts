// Reads a line of results, as npm or Rust wrote it.
import { fromView, type ErrorCode, type LlmError, type TimeoutPhase } from '../base/errors.js';
import { response, type UsageView } from '../border/response.js';
import type { ChatResponse, JsonObject, JsonValue, Message, Part, Settled } from '../base/types.js';
import type { Outcome } from './journal.js';
import { readTag } from './tag.js';

const object = (value: JsonValue | undefined): JsonObject => (typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {});
const text = (value: JsonValue | undefined): string | undefined => (typeof value === 'string' ? value : undefined);
const number = (value: JsonValue | undefined): number | undefined => (typeof value === 'number' ? value : undefined);
const list = (value: JsonValue | undefined): JsonValue[] => (Array.isArray(value) ? value : []);

/** @internal The outcome in a line; undefined if the line is not a result. `tookMs` is not stored. */
export function readLine(source: string): Outcome | undefined {
  const tag = readTag(source);
  if (!tag) return undefined;
  const line = JSON.parse(source) as JsonObject;
  const result: Settled<ChatResponse> = line.error === null
    ? { ok: true, value: answer(object(line.response)) } : { ok: false, error: failure(object(line.error)) };
  return { place: tag.place, id: String(line.custom_id), tag: tag.digest, result, tookMs: 0 };
}

/** What is not stored has its usual value: one attempt, no headers. */
function answer({ request_id: requestId, body: given }: JsonObject): ChatResponse {
  const body = object(given);
  const choice = object(list(body.choices)[0]);
  const more = object(body.chatcore);
  const { logprobs } = choice;
  const extra: JsonObject = {
    ...object(more.extra), ...logprobs != null && { logprobs }, ...body.system_fingerprint !== undefined && { system_fingerprint: body.system_fingerprint },
  };
  const reason = text(choice.finish_reason) ?? null;
  return response([
    text(body.id) ?? '', text(body.model) ?? '', more.message === undefined ? message(object(choice.message)) : more.message as unknown as Message,
    text(more.finish_reason) ?? reason, text(more.finish_reason) ?? reason ?? '', usage(more.usage === undefined ? body.usage : more.usage),
    text(requestId) || null, 1, 0, extra,
  ]);
}

function message({ content, refusal, reasoning_content: reasoning, tool_calls: calls }: JsonObject): string | Message {
  const said = text(content);
  const parts: Part[] = [];
  if (text(reasoning)) parts.push({ type: 'reasoning', text: text(reasoning)! });
  if (said) parts.push({ type: 'text', text: said });
  if (typeof refusal === 'string') parts.push({ type: 'refusal', text: refusal });
  for (const call of list(calls).map(object)) {
    const { name, arguments: given } = object(call.function);
    parts.push({ type: 'tool_call', id: text(call.id) ?? '', name: text(name) ?? '', arguments: text(given) ?? '' });
  }
  return parts.length === 0 || (parts.length === 1 && said) ? said ?? '' : { role: 'assistant', content: parts };
}

/** Usage in the form of OpenAI or of Rust. */
function usage(given: JsonValue | undefined): UsageView | null {
  if (given == null) return null;
  const of = object(given);
  return [
    number(of.prompt_tokens) ?? number(of.input_tokens) ?? 0, number(of.completion_tokens) ?? number(of.output_tokens) ?? 0, text(of.raw_json) ?? '',
    number(object(of.prompt_tokens_details).cached_tokens) ?? number(of.cache_read_tokens) ?? null, number(of.cache_write_tokens) ?? null,
    number(object(of.completion_tokens_details).reasoning_tokens) ?? number(of.reasoning_tokens) ?? null,
  ];
}

/** Kinds of errors after which the same request may succeed. */
const RETRYABLE: ReadonlySet<string> = new Set(['rate_limited', 'overloaded', 'server', 'connection', 'timeout', 'truncated']);

const isRetryable = ({ kind, phase, should_retry: own }: JsonObject) =>
  (typeof own === 'boolean' ? own : RETRYABLE.has(String(kind)) && phase !== 'queue' && phase !== 'overall');

function failure({ message, detail: given }: JsonObject): LlmError {
  const detail = object(given);
  const kind = text(detail.kind) ?? 'internal';
  const after = number(detail.retry_after);
  return fromView({
    code: kind as ErrorCode, message: text(message) ?? '', status: number(detail.status),
    retryable: isRetryable(detail),
    retry_after_ms: after === undefined ? undefined : after * 1000, request_id: text(detail.request_id), attempts: number(detail.attempts) ?? 0,
    phase: text(detail.phase) as TimeoutPhase | undefined, partial_text: partial(object(detail.partial)),
    provider_code: text(detail.code) ?? text(detail.error_type), param: text(detail.param), body: text(detail.body), in_stream: detail.in_stream === true,
  });
}

/** The text of an answer that was cut. */
function partial(answer: JsonObject): string | undefined {
  const { content } = object(answer.message);
  const texts = list(content).map(object).filter(({ type }) => type === 'text').map((part) => text(part.text) ?? '');
  return text(content) ?? (texts.join('') || undefined);
}
