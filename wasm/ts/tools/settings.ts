// The options of a loop, and their defaults, which are those of core/src/toolbox/settings.rs.
import { invalidInput, LlmError } from '../base/errors.js';
import { checkSignal, said } from '../api/kinds.js';
import type { AnySchema } from '../base/schema.js';
import type { AnyTool, ChatResponse, JsonObject } from '../base/types.js';
import type { ChatOptions, SchemaOptions } from '../api/options.js';
import type { Toolbox } from './prepare.js';
import type { RunnableTool, ToolContext } from './tool.js';

const DEFAULT_MAX_TURNS = 10;
const DEFAULT_TOOL_TIMEOUT_MS = 60_000;
const DEFAULT_CONCURRENCY = 8;
const DEFAULT_MAX_RESULT = 256 * 1024;

/**
 * The decision about a call: `true` lets it run; `refuse` is a reason that the model reads; `arguments` lets it run with
 * these arguments, of which the model is not told.
 */
export type Approval = true | { readonly refuse: string } | { readonly arguments: JsonObject };

/** Options of a loop. Those of a call, such as `model` and `maxTokens`, apply to each turn. */
export interface ToolLoopOptions extends Omit<ChatOptions, 'tools'> {
  /**
   * The tools that the model may call, each with a name of its own. A tool without `run` is yours to run: its call ends the
   * loop, and the answer has the call.
   */
  tools: readonly (RunnableTool | AnyTool)[];
  /** How many times the model is asked. Default 10. */
  maxTurns?: number;
  /**
   * After how many tokens, input and output of all turns together, the model is not asked again. A turn may exceed it. The
   * tokens are those that the provider reports; an answer without a report, or with one of zeros, counts with an estimate of
   * its request and its text.
   */
  maxTotalTokens?: number;
  /** What an answer costs, in a currency of your choice. The sum is in the answer and in the events. */
  price?: (answer: ChatResponse) => number;
  /** At which cost of all turns together the model is not asked again. A turn may exceed it. It needs a `price`. */
  maxCost?: number;
  /** The time limit for the whole loop, with all its turns and calls, in milliseconds. Default: none. */
  loopTimeoutMs?: number;
  /** The time limit for one call of a tool that has none of its own, in milliseconds; `Infinity` for none. Default 60,000. */
  toolTimeoutMs?: number;
  /** How many calls of a turn run at once; 1 runs them one after the other, in their order. Default 8. */
  concurrency?: number;
  /**
   * The most text of one result that is sent to the model, in bytes of UTF-8; `Infinity` for no limit. More is cut, and a
   * note tells the model so. Images and files do not count. Default 262,144 (256 KiB).
   */
  maxResult?: number;
  /**
   * Decides about each call before it runs. It is asked about one call at a time, in their order, so that it can talk to a
   * person; calls that are approved run meanwhile. If it throws, the call is refused. Default: every call runs.
   */
  approval?: (call: ToolContext) => Approval | Promise<Approval>;
}

/** Options of a loop whose last answer has a value of a `schema`. Each correction (`repairs`) is a turn. */
export interface TypedToolLoopOptions<S = AnySchema>
  extends Omit<ToolLoopOptions, 'responseFormat'>, Pick<SchemaOptions<S>, 'schema' | 'jsonSchema' | 'schemaName' | 'schemaInPrompt' | 'repairs'> {}

/** @internal The checked options. */
export interface LoopSettings {
  toolbox: Toolbox;
  /** The definitions of all tools. */
  tools: readonly AnyTool[];
  /** The names of the tools that the caller runs. */
  callers: ReadonlySet<string>;
  maxTurns: number;
  maxTotalTokens: number;
  price: ((answer: ChatResponse) => number) | undefined;
  maxCost: number;
  loopTimeoutMs: number;
  toolTimeoutMs: number;
  concurrency: number;
  maxResult: number;
  approval: ToolLoopOptions['approval'];
  schema: Pick<SchemaOptions, 'schema' | 'jsonSchema' | 'schemaName' | 'schemaInPrompt'> | undefined;
  repairs: number;
  signal: AbortSignal | undefined;
  systemPrompt: string | undefined;
  /** The options of each turn. */
  call: ChatOptions;
}

/** An option that is null counts as not set, as in a call. */
type Nullable<T> = { [Name in keyof T]: T[Name] | null };

/** @internal Throws an InvalidInputError for options with which no loop can run. */
export function loopSettings(options: ToolLoopOptions | TypedToolLoopOptions): LoopSettings {
  if (typeof options !== 'object' || options === null) throw invalidInput(`the options of the tool loop are ${said(options)}; give { tools }`);
  const {
    tools, maxTurns, maxTotalTokens, price, maxCost, loopTimeoutMs, toolTimeoutMs, concurrency, maxResult, approval, signal, systemPrompt,
    schema, jsonSchema, schemaName, schemaInPrompt, repairs, ...call
  } = options as Nullable<TypedToolLoopOptions & ChatOptions>;
  const counts = { maxTurns: maxTurns ?? DEFAULT_MAX_TURNS, concurrency: concurrency ?? DEFAULT_CONCURRENCY, repairs: repairs ?? 0 };
  const most = {
    maxTotalTokens: maxTotalTokens ?? Infinity, maxCost: maxCost ?? Infinity, loopTimeoutMs: loopTimeoutMs ?? Infinity,
    toolTimeoutMs: toolTimeoutMs ?? DEFAULT_TOOL_TIMEOUT_MS, maxResult: maxResult ?? DEFAULT_MAX_RESULT,
  };
  for (const [name, value] of Object.entries({ price, approval })) {
    if (value != null && typeof value !== 'function') throw invalidInput(`${name} is ${said(value)}; it must be a function`);
  }
  checkSignal(signal, invalidInput);
  for (const [name, value] of Object.entries(counts)) {
    if (!Number.isSafeInteger(value) || value < 0) throw invalidInput(`${name} is ${said(value)}; it must be a whole number of at least 0`);
  }
  if (counts.maxTurns === 0) throw invalidInput('maxTurns is 0, so the model would never be asked');
  for (const [name, value] of Object.entries(most)) {
    if (typeof value === 'number' && value >= 0) continue;
    throw invalidInput(`${name} is ${said(value)}; it must be a number of at least 0${name === 'maxCost' ? ', in the currency of the price' : ''}`);
  }
  if (most.maxCost < Infinity && !price) throw invalidInput('maxCost needs a price: give price: (answer) => …');
  return {
    ...sorted(tools), ...counts, ...most, concurrency: Math.max(1, counts.concurrency), maxResult: Math.floor(most.maxResult),
    price: price ?? undefined, approval: approval ?? undefined,
    schema: schema === undefined ? undefined : { schema, jsonSchema, schemaName, schemaInPrompt } as LoopSettings['schema'],
    signal: signal ?? undefined, systemPrompt: systemPrompt ?? undefined, call: call as ChatOptions,
  };
}

const isRunnable = (tool: RunnableTool | AnyTool): tool is RunnableTool => typeof (tool as Partial<RunnableTool> | null)?.run === 'function';

function sorted(given: readonly (RunnableTool | AnyTool)[] | null | undefined): Pick<LoopSettings, 'toolbox' | 'tools' | 'callers'> {
  if (!Array.isArray(given)) throw invalidInput(`tools is ${said(given)}; give an array of tools made by tool() or mcpTools()`);
  const toolbox = new Map<string, RunnableTool>();
  const callers = new Set<string>();
  const tools = (given as readonly (RunnableTool | AnyTool)[]).map((tool) => {
    const definition = isRunnable(tool) ? tool.definition : tool;
    const name = 'function' in definition ? definition.function.name : definition.name;
    if (toolbox.has(name) || callers.has(name)) {
      throw invalidInput(`the toolbox already has a tool named ${JSON.stringify(name)}; give one of the two another name`);
    }
    if (isRunnable(tool)) toolbox.set(name, tool);
    else callers.add(name);
    return definition;
  });
  return { toolbox, tools, callers };
}

/** @internal What an answer costs; null without a price. */
export function costOf(price: LoopSettings['price'], answer: ChatResponse): number | null {
  if (!price) return null;
  const cost = price(answer);
  if (!Number.isFinite(cost)) throw new LlmError('the price function of the tool loop returned no finite number', { code: 'invalid_input' });
  return cost;
}
