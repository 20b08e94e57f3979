// Converts the options of a call of `ai` to chatcore's options, with warnings for those that are not supported.
import type { AiCallOptions, AiTool, AiWarning } from './types.js';
import type { ChatOptions, EmbedOptions } from '../api/options.js';
import type { Extra, Tool, ToolChoice } from '../base/types.js';

/** @internal The options to send, and warnings for those that are not supported. */
export interface AiCall { options: ChatOptions; warnings: AiWarning[] }

/** @internal */
export function callOf(model: string | undefined, call: AiCallOptions, onlyChatCompletions: boolean): AiCall {
  const warnings: AiWarning[] = [];
  const chatcore = ownOptions(call.providerOptions, warnings);
  const options: ChatOptions = {
    model, temperature: call.temperature, maxTokens: call.maxOutputTokens, stop: call.stopSequences, topP: call.topP, seed: call.seed,
    signal: call.abortSignal, headers: headersOf(call.headers), ...toolsOf(call, warnings), ...formatOf(call),
    reasoningEffort: call.reasoning === 'provider-default' ? undefined : call.reasoning,
    extra: extraOf(call, chatcore, onlyChatCompletions, warnings),
  };
  return { options: given(options), warnings };
}

/** @internal The options of a call for embeddings. The field `dimensions` becomes chatcore's option of that name. */
export function embedCallOf(
  model: string, { abortSignal: signal, headers, providerOptions }: Pick<AiCallOptions, 'abortSignal' | 'headers' | 'providerOptions'>,
): { options: EmbedOptions; warnings: AiWarning[] } {
  const warnings: AiWarning[] = [];
  const { dimensions, ...more } = ownOptions(providerOptions, warnings) ?? {};
  const extra = Object.keys(more).length ? more : undefined;
  return { options: given({ model, signal, headers: headersOf(headers), dimensions: dimensions as number | undefined, extra }), warnings };
}

const given = <T extends object>(options: T): T =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;

/** The fields under `chatcore`. Warns of all others. */
function ownOptions({ chatcore, ...others }: AiCallOptions['providerOptions'] = {}, warnings: AiWarning[]): Extra | undefined {
  for (const name of Object.keys(others)) {
    warnings.push({ type: 'unsupported', feature: `providerOptions.${name}`, details: 'give the fields of the provider as providerOptions.chatcore' });
  }
  return chatcore as Extra | undefined;
}

/** Fields of chat completions for which chatcore has no option. Other dialects have other names for them, or none. */
function extraOf(call: AiCallOptions, more: Extra | undefined, onlyChatCompletions: boolean, warnings: AiWarning[]): Extra | undefined {
  const fields = { top_k: call.topK, presence_penalty: call.presencePenalty, frequency_penalty: call.frequencyPenalty };
  const features = { top_k: 'topK', presence_penalty: 'presencePenalty', frequency_penalty: 'frequencyPenalty' };
  const extra: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    if (onlyChatCompletions) extra[name] = value;
    else warnings.push({ type: 'unsupported', feature: features[name as keyof typeof fields], details: "give the provider's own field as providerOptions.chatcore" });
  }
  Object.assign(extra, more);
  return Object.keys(extra).length ? extra as Extra : undefined;
}

/** The call's headers, without `user-agent`: `ai` sets it to its own version, which providers need not know. */
function headersOf(headers: Record<string, string | undefined> | undefined): Record<string, string> | undefined {
  const given = Object.entries(headers ?? {}).filter(([name, value]) => value !== undefined && name.toLowerCase() !== 'user-agent');
  return given.length ? Object.fromEntries(given) as Record<string, string> : undefined;
}

function toolsOf({ tools = [], toolChoice }: AiCallOptions, warnings: AiWarning[]): Pick<ChatOptions, 'tools' | 'toolChoice'> {
  const taken = tools.flatMap((tool) => toolOf(tool, warnings));
  // `ai` sets a choice even if there are no tools.
  if (taken.length === 0) return {};
  return { tools: taken, toolChoice: toolChoice && choiceOf(toolChoice) };
}

function toolOf(tool: AiTool, warnings: AiWarning[]): Tool[] {
  if (tool.type === 'provider') {
    warnings.push({ type: 'unsupported', feature: `tool ${tool.id}`, details: 'a tool that the provider runs goes in providerOptions.chatcore.tools' });
    return [];
  }
  const { name, description, inputSchema, inputExamples, strict, providerOptions } = tool;
  if (inputExamples?.length) {
    warnings.push({ type: 'unsupported', feature: `inputExamples of the tool ${name}`, details: "use ai's addToolInputExamplesMiddleware, which puts them into the description" });
  }
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
  // Some providers accept only letters, digits, `_` and `-`.
  const name = (format.name ?? 'answer').replaceAll(/[^\w-]/g, '_');
  const { description, schema } = format;
  return { responseFormat: { type: 'json_schema', name, schema: description === undefined ? schema : { description, ...schema }, strict: true } };
}
