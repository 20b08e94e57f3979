// The options of a call of `ai` → those of chatcore, and warnings of what cannot be done.
import type { AiCallOptions, AiTool, AiWarning } from './types.js';
import type { ChatOptions } from '../api/options.js';
import type { Extra, Tool, ToolChoice } from '../base/types.js';

/** @internal What is sent, and what could not be. */
export interface AiCall { options: ChatOptions; warnings: AiWarning[] }

/** @internal */
export function callOf(model: string | undefined, call: AiCallOptions): AiCall {
  const warnings: AiWarning[] = [];
  const { chatcore, ...others } = call.providerOptions ?? {};
  for (const name of Object.keys(others)) {
    warnings.push({ type: 'unsupported', feature: `providerOptions.${name}`, details: 'give the fields of the provider as providerOptions.chatcore' });
  }
  const options: ChatOptions = {
    model, temperature: call.temperature, maxTokens: call.maxOutputTokens, stop: call.stopSequences, topP: call.topP, seed: call.seed,
    signal: call.abortSignal, headers: headersOf(call.headers), ...toolsOf(call, warnings), ...formatOf(call),
    reasoningEffort: call.reasoning === 'provider-default' ? undefined : call.reasoning,
    extra: extraOf(call, chatcore),
  };
  return { options: Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)), warnings };
}

function extraOf(call: AiCallOptions, more: Extra | undefined): Extra | undefined {
  const extra = { top_k: call.topK, presence_penalty: call.presencePenalty, frequency_penalty: call.frequencyPenalty, ...more };
  const given = Object.entries(extra).filter(([, value]) => value !== undefined);
  return given.length ? Object.fromEntries(given) : undefined;
}

/** Those of `ai` itself tell its version, which is nobody's business. */
function headersOf(headers: Record<string, string | undefined> | undefined): Record<string, string> | undefined {
  const given = Object.entries(headers ?? {}).filter(([name, value]) => value !== undefined && name.toLowerCase() !== 'user-agent');
  return given.length ? Object.fromEntries(given) as Record<string, string> : undefined;
}

function toolsOf({ tools = [], toolChoice }: AiCallOptions, warnings: AiWarning[]): Pick<ChatOptions, 'tools' | 'toolChoice'> {
  const taken = tools.flatMap((tool) => toolOf(tool, warnings));
  // `ai` names a choice where there is none to make, too.
  if (taken.length === 0) return {};
  return { tools: taken, toolChoice: toolChoice && choiceOf(toolChoice) };
}

function toolOf(tool: AiTool, warnings: AiWarning[]): Tool[] {
  if (tool.type === 'provider') {
    warnings.push({ type: 'unsupported', feature: `tool ${tool.id}`, details: 'a tool that the provider runs goes in providerOptions.chatcore.tools' });
    return [];
  }
  const { name, description, inputSchema, strict, providerOptions } = tool;
  const extra = providerOptions?.chatcore;
  return [{
    name, parameters: inputSchema, ...description === undefined ? {} : { description }, ...strict === undefined ? {} : { strict },
    ...extra ? { extra } : {},
  }];
}

const choiceOf = (choice: NonNullable<AiCallOptions['toolChoice']>): ToolChoice =>
  (choice.type === 'tool' ? { tool: choice.toolName } : choice.type);

function formatOf({ responseFormat: format }: AiCallOptions): Pick<ChatOptions, 'responseFormat'> {
  if (format?.type !== 'json') return {};
  if (!format.schema) return { responseFormat: { type: 'json_object' } };
  // Some providers take letters, digits, `_` and `-` alone.
  const name = (format.name ?? 'answer').replaceAll(/[^\w-]/g, '_');
  return { responseFormat: { type: 'json_schema', name, schema: format.schema, strict: true } };
}
