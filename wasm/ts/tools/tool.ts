// A tool that runs: a function with a schema for its arguments.
import { invalidInput } from '../base/errors.js';
import type { AnySchema, OutputOf } from '../base/schema.js';
import type { Extra, JsonObject, Tool } from '../base/types.js';
import { isStandard, jsonSchemaOf } from '../typed/json-schema.js';
import { validated } from '../typed/validate.js';
import { ToolError } from './output.js';

/** One call of a tool, as the tool sees it. */
export interface ToolContext {
  /** The provider's id of the call; empty if the provider gives calls no ids. */
  readonly callId: string;
  /** The tool's name. */
  readonly name: string;
  /** The arguments; `{}` if the model wrote none. */
  readonly arguments: JsonObject;
  /** The turn of the loop in which the model asked for the call, from 1. */
  readonly turn: number;
  /** Aborted when the call's time is up, and when the loop is aborted. Nobody waits for the result then. */
  readonly signal: AbortSignal;
}

/** A tool that runs its calls itself. `tool()` makes one of a function; `mcpTools()` makes those of an MCP server. */
export interface RunnableTool {
  /** The tool's name, description and schema, as they are sent to the model. */
  readonly definition: Tool;
  /** The time limit for one call, in milliseconds; `Infinity` for none. Default: the loop's limit for a call. */
  readonly timeoutMs?: number | undefined;
  /**
   * Whether the arguments are checked against the JSON schema of the definition before the call runs. Default false: the
   * tool checks them.
   */
  readonly checksSchema?: boolean | undefined;
  /**
   * Runs one call. What it returns is sent to the model: a text, a ToolOutput, or any other value as JSON. What it throws
   * is sent as an error, and the loop goes on.
   */
  run(context: ToolContext): unknown;
}

/** Options of `tool()`. */
export interface ToolOptions<S> {
  /** The tool's name. */
  name: string;
  /** What the tool does and when to use it. The model reads this. */
  description?: string;
  /**
   * The schema of the arguments, which must be an object: of a library with Standard Schema, or a JSON schema. Arguments
   * that do not fit are told to the model, and the function does not run. Default: no arguments.
   */
  schema?: S;
  /** The JSON schema of `schema`, for a library that cannot write it. */
  jsonSchema?: object;
  /** Whether the provider must make the model follow the schema, if it can. */
  strict?: boolean;
  /** Fields of the tool that chatcore has no name for, such as `cache_control`. */
  extra?: Extra;
  /** The time limit for one call, in milliseconds; `Infinity` for none. Default: the loop's limit for a call. */
  timeoutMs?: number;
  /** Runs one call with its validated arguments. See `RunnableTool.run` for what it may return and throw. */
  run(input: OutputOf<S>, context: ToolContext): unknown;
}

const FIELDS: ReadonlySet<string> = new Set<keyof ToolOptions<unknown>>(['name', 'description', 'schema', 'jsonSchema', 'strict', 'extra', 'timeoutMs', 'run']);

/** What other packages call a field. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  inputSchema: 'call it schema', input_schema: 'call it schema', parameters: 'call it schema', execute: 'call it run', function: 'call it run',
  callback: 'call it run', handler: 'call it run', needsApproval: 'give the option approval of the loop', outputSchema: 'check the result within run',
};

/** Throws for a field that would be ignored: without its schema, a tool would seem to take no arguments. */
function checkFields(options: object, name: string): void {
  for (const field in options) {
    if (FIELDS.has(field)) continue;
    const advice = Object.hasOwn(OTHER_NAMES, field) ? OTHER_NAMES[field] : `it may have ${[...FIELDS].join(', ')}`;
    throw invalidInput(`the tool ${name} has the unknown field ${field}; ${advice}`);
  }
}

/**
 * Makes a tool of a function.
 *
 * ```js
 * const weather = tool({
 *   name: 'weather', description: 'The weather in a city, now.', schema: z.object({ city: z.string() }),
 *   run: async ({ city }, { signal }) => (await fetch(`https://weather.example/${city}`, { signal })).json(),
 * });
 * ```
 */
export function tool<const S extends AnySchema = Record<never, never>>(options: ToolOptions<S>): RunnableTool {
  const { name, description, schema, jsonSchema, strict, extra, timeoutMs, run } = options;
  if (typeof name !== 'string' || name === '') throw invalidInput('the tool has no name');
  checkFields(options, name);
  if (typeof run !== 'function') throw invalidInput(`the tool ${name} has no function run`);
  const { $schema: _, type, ...parameters } = (jsonSchema ?? (schema ? jsonSchemaOf(schema) : {})) as Record<string, unknown>;
  if (!isObjectType(type)) {
    throw invalidInput(`the schema of the tool ${name} is not one of an object; the model writes the arguments as an object`);
  }
  const definition: Tool = {
    name, ...description === undefined ? {} : { description }, parameters: { type: 'object', properties: {}, ...parameters },
    ...strict === undefined ? {} : { strict }, ...extra === undefined ? {} : { extra },
  };
  const standard = schema && isStandard(schema) ? schema : undefined;
  return {
    definition, timeoutMs, checksSchema: !standard,
    async run(context: ToolContext): Promise<unknown> {
      if (!standard) return run(context.arguments as OutputOf<S>, context);
      const result = await validated(standard, context.arguments);
      if (!('value' in result)) throw doesNotFit(result.fault.path, result.fault.reason);
      // The call may have been stopped meanwhile.
      context.signal.throwIfAborted();
      return run(result.value as OutputOf<S>, context);
    },
  };
}

/**
 * @internal Whether a schema's `type` is missing, or is or includes that of objects. It is sent as `object`: providers refuse
 * `["object", "null"]` at the root, and the model writes an object.
 */
export const isObjectType = (type: unknown) => type === undefined || type === 'object' || (Array.isArray(type) && type.includes('object'));

/** @internal The error for arguments that do not fit, as in core/src/toolbox/runnable.rs. */
export const doesNotFit = (path: string, why: string) =>
  new ToolError(`the arguments do not fit the tool's schema: at ${path}, ${why}; call the tool again with corrected arguments`);
