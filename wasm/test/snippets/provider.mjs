// A provider that is asked by the programs of the documentation: it calls the first tool once, answers in the schema, and
// otherwise has one sentence.
import { calling, streamed, toolCall, whole } from '../replies.mjs';

/** A value that fits a JSON schema. */
function example(schema) {
  if ('const' in schema) return schema.const;
  if (schema.enum) return schema.enum[0];
  const [type] = [schema.type].flat();
  if (type === 'object') return Object.fromEntries(Object.entries(schema.properties ?? {}).map(([name, one]) => [name, example(one)]));
  if (type === 'array') return [example(schema.items)];
  return { string: 'a text', number: 1, integer: 1, boolean: true, null: null }[type];
}

/** The answer to a request of chat completions. */
export function answerTo({ messages, tools, response_format: format, stream }) {
  if (tools && !messages.some(({ role }) => role === 'tool')) {
    const [{ function: { name, parameters } }] = tools;
    const call = ['call-1', name, example(parameters)];
    return stream ? streamed([{ tool_calls: [toolCall(0, ...call)] }], 'tool_calls') : calling(call);
  }
  const text = format?.json_schema ? JSON.stringify(example(format.json_schema.schema)) : 'Because of the air.';
  return stream ? streamed([...text]) : whole(text);
}
