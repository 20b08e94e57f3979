// Whether a call that the model asks for can run. The texts are those of core/src/toolbox/prepare.rs.
import type { AnyMessage, JsonObject, ToolCallPart } from '../base/types.js';
import { failed, messageOf, type Outcome } from './output.js';
import type { RunnableTool } from './tool.js';

/** The most names that an error tells the model. */
const MAX_NAMES = 20;

/** @internal The tools by name. */
export type Toolbox = ReadonlyMap<string, RunnableTool>;

/** @internal A call that can run, or the error that the model gets. The error says what the model can do about it. */
export type Prepared = { tool: RunnableTool; arguments: JsonObject } | { error: Outcome };

/** @internal `isCut`: the answer was cut off, so that its last call may be incomplete. */
export function prepare(toolbox: Toolbox, calls: readonly ToolCallPart[], isCut: boolean): Prepared[] {
  const ids = new Set<string>();
  return calls.map((call, index) => {
    const isSecond = ids.has(call.id);
    if (call.id !== '') ids.add(call.id);
    if (isSecond) {
      return wrong(`not run: another call of this turn has the id ${JSON.stringify(call.id)}; call the tool again, with an id of its own for each call`);
    }
    if (isCut && index === calls.length - 1) {
      return wrong('not run: the answer was cut off at its token limit, so this call may be incomplete; call the tool again, with shorter arguments');
    }
    return ready(toolbox, call);
  });
}

function ready(toolbox: Toolbox, call: ToolCallPart): Prepared {
  const tool = toolbox.get(call.name);
  if (!tool) {
    const names = [...toolbox.keys()].slice(0, MAX_NAMES);
    return wrong(`there is no tool named ${JSON.stringify(call.name)}; ${names.length ? `use one of: ${names.join(', ')}` : 'there are no tools'}`);
  }
  let given: unknown;
  try {
    given = call.arguments.trim() === '' ? {} : JSON.parse(call.arguments);
  } catch (error) {
    return wrong(`not run: the arguments are not valid JSON (${messageOf(error)}); call the tool again with a JSON object that matches its schema`);
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    return wrong('not run: the arguments are not a JSON object; call the tool again with a JSON object that matches its schema');
  }
  return { tool, arguments: given as JsonObject };
}

const wrong = (why: string): Prepared => ({ error: failed(why) });

interface AnyParts { role: string; content?: unknown; tool_calls?: unknown; tool_call_id?: unknown }

const partsOf = ({ content }: AnyParts): { type: string; [field: string]: unknown }[] => (Array.isArray(content) ? content as never : []);

/** The ids of the calls that a message answers; undefined if it has anything else. */
function answeredBy(message: AnyParts): string[] | undefined {
  if (message.role === 'tool' && typeof message.tool_call_id === 'string') return [message.tool_call_id];
  const parts = partsOf(message);
  const results = parts.filter(({ type }) => type === 'tool_result');
  return parts.length > 0 && results.length === parts.length ? results.map(({ call_id }) => String(call_id)) : undefined;
}

function callsOf(message: AnyParts): ToolCallPart[] {
  const own = partsOf(message).filter(({ type }) => type === 'tool_call') as unknown as ToolCallPart[];
  // In the form of chat completions.
  const others = (Array.isArray(message.tool_calls) ? message.tool_calls : []) as { id?: string; function?: { name?: string; arguments?: string } }[];
  return [...own, ...others.map(({ id = '', function: of }): ToolCallPart => ({ type: 'tool_call', id, name: of?.name ?? '', arguments: of?.arguments ?? '' }))];
}

/**
 * @internal
 * The calls of the last answer that no later message has a result for. None, if something other than results follows that
 * answer: then the conversation has gone on without them.
 */
export function openCalls(messages: readonly AnyMessage[]): ToolCallPart[] {
  let at = messages.length - 1;
  const answered: string[] = [];
  for (; at >= 0; at -= 1) {
    const ids = answeredBy(messages[at] as AnyParts);
    if (!ids) break;
    answered.push(...ids);
  }
  const answer = messages[at] as AnyParts | undefined;
  // Several calls may have the same id, and each result belongs to one of them.
  return answer ? callsOf(answer).filter(({ id }) => {
    const place = answered.indexOf(id);
    if (place >= 0) answered.splice(place, 1);
    return place < 0;
  }) : [];
}
