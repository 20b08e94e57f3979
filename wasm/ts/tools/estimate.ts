// Estimates the tokens of an answer without a report of its usage, as core/src/policy/estimate.rs does; core/cases/estimate.json
// has cases for both. It is written anew here, so that a page need not load the module with everything for it.
import type { AnyMessage, AnyTool } from '../base/types.js';

/** Tokens around each message: its role and its delimiters. */
const MESSAGE = 4;
/** Tokens of media, whose size in bytes says little about them. */
const MEDIA = { image: 1_200, file: 6_000, audio: 600 };

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null;

/** Quarters of a token: an ASCII character counts one, one of two bytes in UTF-8 two, of three bytes four, of four bytes eight. */
function quarters(text: unknown): number {
  let count = 0;
  for (const letter of typeof text === 'string' ? text : '') {
    const code = letter.codePointAt(0)!;
    count += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 4 : 8;
  }
  return count;
}

function json(value: unknown): number {
  if (typeof value === 'string') return 2 + quarters(value);
  if (!isObject(value)) return 4;
  return 2 + (Array.isArray(value) ? sum(value, json) : members(value));
}

const members = (fields: Fields) => sum(Object.entries(fields), ([name, value]) => 4 + quarters(name) + json(value));

const sum = <T>(items: readonly T[], of: (item: T) => number) => items.reduce((all, item) => all + of(item), 0);

/** A part in chatcore's form, or in that of OpenAI's chat completions. */
function part(given: unknown): number {
  if (!isObject(given)) return quarters(given);
  switch (given.type) {
    case 'text': case 'reasoning': return quarters(given.text);
    case 'refusal': return quarters(given.text ?? given.refusal);
    case 'image': case 'image_url': return 4 * MEDIA.image;
    case 'audio': case 'input_audio': return 4 * MEDIA.audio;
    case 'file': {
      const { text } = isObject(given.source) ? given.source : {} as Fields;
      return typeof text === 'string' ? quarters(text) : 4 * MEDIA.file;
    }
    case 'tool_call': return call(given);
    case 'tool_result': return 4 * MESSAGE + content(given.content);
    case 'other': return json(given.value);
    default: return json(given);
  }
}

const content = (given: unknown) => (Array.isArray(given) ? sum(given, part) : quarters(given));

const call = (given: unknown) => {
  const { name, arguments: text } = given as Fields;
  return 4 * MESSAGE + quarters(name) + quarters(isObject(text) ? JSON.stringify(text) : text);
};

function message(given: AnyMessage): number {
  const {
    role: _, name, content: said, extra, tool_calls: calls, tool_call_id: id, refusal, reasoning_content: reasoning, ...rest
  } = given as unknown as Fields;
  const isResult = typeof id === 'string' && !(Array.isArray(said) && said.some((part: Fields) => part.type === 'tool_result'));
  return 4 * MESSAGE + quarters(name) + content(said) + quarters(refusal) + quarters(reasoning) + (isResult ? 4 * MESSAGE : 0)
    + (Array.isArray(calls) ? sum(calls as Fields[], (of) => call(of.function)) : 0) + members({ ...rest, ...isObject(extra) && extra });
}

function tool(given: AnyTool): number {
  const { name, description, parameters } = ('function' in given ? given.function : given) as Fields;
  return 4 * MESSAGE + quarters(name) + quarters(description) + json(parameters ?? { type: 'object', properties: {} });
}

/** @internal An estimate of the tokens of messages, the last of which is the answer, and of tools. */
export const estimate = (messages: readonly AnyMessage[], tools: readonly AnyTool[]): number => Math.ceil((sum(messages, message) + sum(tools, tool)) / 4);
