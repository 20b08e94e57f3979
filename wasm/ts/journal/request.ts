// A request in the form of OpenAI's Batch API as the arguments of a call, by the same rules as Rust's `journal/jsonl/line.rs`.
import type { BatchRequest, JournalItem } from '../api/journal.js';
import type { ChatOptions } from '../api/options.js';
import type { AnyMessage, AnyTool, JsonObject, JsonValue, OpenAIToolChoice, ResponseFormat, ToolChoice } from '../base/types.js';
import { invalid, said } from './errors.js';
import { misspelt } from './misspelt.js';

/** The only path of OpenAI that is supported. */
const URL = '/v1/chat/completions';

const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

/** @internal Whether an item is in the form of OpenAI's Batch API. */
export const isRequest = (item: object): item is BatchRequest => 'body' in item;

/** @internal A line of the input, in any of its forms, as a BatchRequest. */
export function ofLine(line: JsonObject): BatchRequest {
  const { custom_id, method, url, body, ...own } = line;
  if (body == null) return { custom_id: custom_id as string, method: method as string, url: url as string, body: own };
  const beside = Object.keys(own).filter((name) => own[name] != null);
  for (const name of beside) refuseMisspelt(name);
  if (beside.length > 0) throw invalid('it has both a body and request fields beside the body');
  return line as unknown as BatchRequest;
}

/** @internal Throws an InvalidInputError that says what is wrong. */
export function refuseMisspelt(name: string): void {
  const meant = misspelt(name);
  if (meant !== undefined) throw invalid(`it has the unknown field ${JSON.stringify(name)}; write ${JSON.stringify(meant)}`);
}

/** @internal The arguments of a call. */
export type Call = { messages: readonly AnyMessage[] } & ChatOptions;

/** The calls of requests that were read from lines, so that each is made once. */
const prepared = new WeakMap<BatchRequest, Call>();

/** @internal The same request, after its call was made. Throws an InvalidInputError if the request cannot be run. */
export function prepare(request: BatchRequest): BatchRequest {
  prepared.set(request, made(request));
  return request;
}

/** @internal The arguments of the call. Throws an InvalidInputError if the request cannot be run. */
export const requestOf = (request: BatchRequest): Call => prepared.get(request) ?? made(request);

function made({ method, url, body }: BatchRequest): Call {
  if (method != null && String(method).toUpperCase() !== 'POST') throw invalid('its method is not POST');
  if (url != null && url !== URL) throw invalid(`its url is ${JSON.stringify(url)}; only ${URL} can be run`);
  if (!isObject(body)) throw invalid('its body is not an object');
  const messages: AnyMessage[] = [];
  const extra: JsonObject = {};
  const call: ChatOptions = {};
  for (const [name, value] of Object.entries(body)) {
    if (value != null) set(name, value, messages, call, extra);
  }
  if (messages.length === 0) throw invalid('it has neither a body with messages, nor messages, nor a prompt');
  return { ...call, messages, ...Object.keys(extra).length > 0 && { extra } };
}

function set(name: string, value: JsonValue, messages: AnyMessage[], call: ChatOptions, extra: JsonObject): void {
  switch (name) {
    case 'prompt': messages.push({ role: 'user', content: text(value) }); break;
    case 'system_prompt': messages.unshift({ role: 'system', content: text(value) }); break;
    case 'messages': messages.push(...list('messages', value) as unknown as AnyMessage[]); break;
    case 'model': call.model = text(value); break;
    case 'temperature': call.temperature = number(name, value); break;
    case 'top_p': call.topP = number(name, value); break;
    case 'max_tokens': case 'max_completion_tokens': call.maxTokens = whole(name, value, 0); break;
    case 'seed': call.seed = whole(name, value, -Infinity); break;
    case 'stop': call.stop = typeof value === 'string' ? [value] : list(name, value).map(text); break;
    case 'tools': call.tools = list(name, value).map(tool); break;
    case 'tool_choice': call.toolChoice = toolChoice(value); break;
    case 'reasoning_effort': call.reasoningEffort = text(value); break;
    case 'response_format': call.responseFormat = responseFormat(value); break;
    case 'stream': if (value !== false) throw invalid('it sets stream, but a batch supports only whole answers'); break;
    case 'n': if (value !== 1) throw invalid('its n is not 1: use one line for each answer'); break;
    case 'stream_options': break;
    default:
      refuseMisspelt(name);
      extra[name] = value;
  }
}

function shortened(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function text(value: JsonValue): string {
  if (typeof value !== 'string') throw invalid(`${shortened(value)} is not a string`);
  return value;
}

function list(name: string, value: JsonValue): JsonValue[] {
  if (!Array.isArray(value)) throw invalid(`its ${name} is wrong: ${shortened(value)} is not an array`);
  return value;
}

function number(name: string, value: JsonValue): number {
  if (typeof value !== 'number') throw invalid(`its ${name} is wrong: ${shortened(value)} is not a number`);
  return value;
}

function whole(name: string, value: JsonValue, least: number): number {
  if (!Number.isSafeInteger(value) || (value as number) < least) throw invalid(`its ${name} is wrong: ${shortened(value)} is not a whole number that it can have`);
  return value as number;
}

function tool(value: JsonValue): AnyTool {
  if (!isObject(value) || value.type !== 'function' || !isObject(value.function)) throw invalid('one of its tools is not of the type function');
  if (typeof value.function.name !== 'string') throw invalid('one of its tools is wrong: it has no name');
  return value as unknown as AnyTool;
}

function toolChoice(value: JsonValue): ToolChoice | OpenAIToolChoice {
  if (value === 'auto' || value === 'none' || value === 'required') return value;
  if (isObject(value) && isObject(value.function) && typeof value.function.name === 'string') return { tool: value.function.name };
  throw invalid('its tool_choice is unknown');
}

function responseFormat(value: JsonValue): ResponseFormat {
  const { type, json_schema: schema } = isObject(value) ? value : {};
  if (type === 'text' || type === 'json_object') return { type };
  if (type !== 'json_schema') throw invalid('its response_format has an unknown type');
  if (!isObject(schema) || typeof schema.name !== 'string') throw invalid('the json_schema of its response_format has no name');
  return { type, name: schema.name, schema: schema.schema as object, strict: schema.strict === true };
}

/** @internal The name of a line, if it has one. `source` is the line, because a number is kept as its text. */
export function nameOf(line: JsonObject, source: string): string | undefined {
  const id = line.custom_id;
  if (id == null || typeof id === 'string') return id ?? undefined;
  if (typeof id !== 'number') throw invalid(`its custom_id is ${shortened(id)}, which is neither a string nor a number`);
  const found = [...source.matchAll(/"custom_id"\s*:\s*(-?\d[\d.eE+-]*)/g)].find(([, digits]) => Number(digits) === id);
  return found?.[1] ?? String(id);
}

/** @internal Parses a line. */
export function parse(source: string): JsonObject {
  let value: JsonValue;
  try {
    value = JSON.parse(source) as JsonValue;
  } catch (error) {
    throw invalid(`it is not the JSON of a request: ${said(error)}`);
  }
  if (!isObject(value)) throw invalid('it is not the JSON of a request: it is not an object');
  return value;
}

/** @internal The content of an item, which decides whether it is the same item when the run is resumed. */
export function contentOf(item: JournalItem): { name?: string | undefined; text: string } {
  if (typeof item === 'string') return { text: JSON.stringify({ prompt: item }) };
  if (Array.isArray(item)) return { text: JSON.stringify({ messages: item }) };
  if (typeof item !== 'object' || item === null) throw invalid('it is neither a prompt nor a conversation');
  if (isRequest(item)) {
    const text = JSON.stringify(item);
    return { name: nameOf(item as unknown as JsonObject, text), text };
  }
  const { customId, prompt, messages, ...options } = item as { customId?: unknown; prompt?: string; messages?: readonly AnyMessage[] } & ChatOptions;
  if (customId !== undefined && typeof customId !== 'string') throw invalid(`its customId is ${shortened(customId)}, which is not a string`);
  const kept = Object.entries(options).filter(([name]) => !APART.has(name)).sort(([one], [other]) => (one < other ? -1 : 1));
  return { name: customId, text: JSON.stringify({ custom_id: customId, prompt, messages, ...Object.fromEntries(kept) }) };
}

/** Options that decide how a request is sent, and not what is asked. */
const APART: ReadonlySet<string> = new Set<keyof ChatOptions>([
  'signal', 'timeoutMs', 'timeouts', 'maxAttempts', 'waitForQueue', 'fetchAsStream', 'headers',
]);
