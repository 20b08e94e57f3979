import type { ChatResponse, JsonObject, Message, Part, Usage } from '../base/types.js';

/** @internal An answer as the core writes it. A message that consists of one text is a string. */
export type ResponseView = [
  id: string, model: string, message: string | Message, finishReason: string | null, finishReasonRaw: string,
  usage: UsageView | null, requestId: string | null, attempts: number, skippedEvents: number, extra?: JsonObject,
];
/** @internal */
export type UsageView = [
  inputTokens: number, outputTokens: number, rawJson: string,
  cacheReadTokens: number | null, cacheWriteTokens: number | null, reasoningTokens: number | null,
];

/** @internal */
export function usage([inputTokens, outputTokens, rawJson, cacheRead, cacheWrite, reasoning]: UsageView): Usage {
  const usage: Usage = { inputTokens, outputTokens };
  if (cacheRead !== null) usage.cacheReadTokens = cacheRead;
  if (cacheWrite !== null) usage.cacheWriteTokens = cacheWrite;
  if (reasoning !== null) usage.reasoningTokens = reasoning;
  if (rawJson) usage.rawJson = rawJson;
  return usage;
}

const of = <T extends Part['type']>(parts: readonly Part[], type: T) =>
  parts.filter((part): part is Extract<Part, { type: T }> => part.type === type);

const joined = (parts: readonly { text: string }[]) => parts.map(({ text }) => text).join('');

/** Functions that compute the headers of an answer on demand, because few programs read them. */
const headersOf = new WeakMap<object, () => Readonly<Record<string, string>>>();

// On the prototype, because an answer with a function of its own could not be cloned for another worker.
const methods = {
  toString(this: ChatResponse) { return this.text; },
  get headers() { return headersOf.get(this)?.() ?? {}; },
};

/** @internal `headers` returns the headers of the answer. */
export function response(view: ResponseView, headers?: () => Readonly<Record<string, string>>): ChatResponse {
  const [id, model, said, finishReason, finishReasonRaw, used, requestId, attempts, skippedEvents, extra = {}] = view;
  const message: Message = typeof said === 'string' ? { role: 'assistant', content: said } : said;
  const { content } = message;
  const parts: readonly Part[] = typeof content === 'string' ? [] : content;
  const answer = {
    __proto__: methods,
    text: typeof content === 'string' ? content : joined(of(parts, 'text')),
    reasoning: joined(of(parts, 'reasoning')),
    toolCalls: of(parts, 'tool_call'),
    refusal: of(parts, 'refusal')[0]?.text ?? null,
    message, id, model, finishReason, finishReasonRaw,
    usage: used && usage(used),
    requestId, attempts, skippedEvents, extra,
  } as unknown as ChatResponse;
  if (headers) headersOf.set(answer, headers);
  return answer;
}
