// The tools and the format of a call, in chatcore's form or in the form of OpenAI's chat completions.
import { invalidInput } from '../base/errors.js';
import type { AnyTool, OpenAIResponseFormat, OpenAIToolChoice, ResponseFormat, Tool, ToolChoice } from '../base/types.js';

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Names of other APIs for the schema of the arguments. */
const OTHER_NAMES = ['input_schema', 'inputSchema', 'parametersJsonSchema', 'schema'];

/** @internal The tools in chatcore's form. Throws an InvalidInputError for a value that is no tool. */
export function toolsOf(tools: readonly AnyTool[] | undefined): readonly Tool[] | undefined {
  // If it is no array, the core reports the error.
  return Array.isArray(tools) ? tools.map((tool: unknown, place) => toolOf(tool, `tools[${place}]`)) : tools as undefined;
}

function toolOf(given: unknown, place: string): Tool {
  if (!isObject(given)) throw invalidInput(`${place} is no object; write { name, description, parameters }`);
  const isOpenAI = isObject(given.function);
  const tool = isOpenAI ? flat(given) : given;
  if (typeof tool.name !== 'string') {
    if (isObject(given.definition)) throw invalidInput(`${place} is a tool that runs; give it to runTools or streamTools of chatcore/tools`);
    const { type } = given;
    throw invalidInput(typeof type === 'string' && type !== 'function'
      ? `${place} has the type ${type} and no name; put a tool that the provider runs in extra: { tools: […] }`
      : `${place} has no name; write { name, description, parameters }`);
  }
  // A tool in OpenAI's form without parameters takes no arguments.
  if (tool.parameters == null && isOpenAI) tool.parameters = { type: 'object', properties: {} };
  if (!isObject(tool.parameters)) {
    const other = OTHER_NAMES.find((name) => isObject(tool[name]));
    throw invalidInput(`${place} (${tool.name}) has no parameters; ${other ? `call its ${other} parameters`
      : "write a JSON schema of its arguments, or { type: 'object', properties: {} } where it takes none"}`);
  }
  return tool as unknown as Tool;
}

/** Takes the function out of a tool in OpenAI's form. Fields beside the function are kept as `extra`. */
function flat({ type: _, function: inner, extra, ...beside }: Record<string, unknown>): Record<string, unknown> {
  const { strict, ...fields } = inner as Record<string, unknown>;
  return { ...fields, ...typeof strict === 'boolean' && { strict }, extra: { ...beside, ...isObject(extra) && extra } };
}

/** @internal The choice in chatcore's form. */
export function toolChoiceOf(choice: ToolChoice | OpenAIToolChoice | undefined): ToolChoice | undefined {
  return isObject(choice) && 'function' in choice && isObject(choice.function)
    ? { tool: choice.function.name as string } : choice as ToolChoice | undefined;
}

/** @internal The format in chatcore's form. The description is moved to the schema, where every provider accepts it. */
export function formatOf(format: ResponseFormat | OpenAIResponseFormat | undefined): ResponseFormat | undefined {
  const given: unknown = isObject(format) && 'json_schema' in format ? { ...format.json_schema as object, type: format.type } : format;
  if (!isObject(given) || typeof given.description !== 'string') return given as ResponseFormat | undefined;
  const { description, ...rest } = given;
  return { ...rest, schema: { description, ...rest.schema as object } } as unknown as ResponseFormat;
}
