// The parts of the language-model interface of Vercel's `ai` that are used here: versions 4 (`ai` 7) and 3 (`ai` 6). The
// types are declared here, so that the package needs no dependency; a test compares them with `@ai-sdk/provider`.
import type { JsonObject, JsonValue } from '../base/types.js';

/** Options that only one provider understands, by the provider's name. */
export type AiOptions = Record<string, Record<string, unknown>>;

/** Metadata of one provider's own, by the provider's name. */
export type AiMetadata = Record<string, Record<string, JsonValue | undefined>>;

/** Bytes, text or a URL. Version 3 has only bytes, strings and URLs, without a `type`. */
export type AiFileData =
  | Uint8Array | string | URL
  | { type: 'data'; data: Uint8Array | string }
  | { type: 'url'; url: URL }
  | { type: 'reference'; reference: Record<string, string> & { type?: never } }
  | { type: 'text'; text: string };

export interface AiFilePart { type: 'file'; filename?: string; data: AiFileData; mediaType: string; providerOptions?: AiOptions }

/** One item of the content of a tool's result. */
export type AiResultContent =
  | { type: 'text'; text: string }
  | { type: 'file'; filename?: string; data: AiFileData; mediaType: string }
  | { type: 'file-data' | 'image-data'; data: string; mediaType: string; filename?: string }
  | { type: 'file-url' | 'image-url'; url: string; mediaType?: string }
  | { type: 'file-id' | 'image-file-id'; fileId: string | Record<string, string> }
  | { type: 'custom' };

/** The output of a tool. */
export type AiToolOutput =
  | { type: 'text' | 'error-text'; value: string }
  | { type: 'json' | 'error-json'; value: unknown }
  | { type: 'execution-denied'; reason?: string }
  | { type: 'content'; value: readonly AiResultContent[] };

/** The result of a tool call. */
export interface AiToolResult { type: 'tool-result'; toolCallId: string; toolName: string; output: AiToolOutput; providerOptions?: AiOptions }

/** A part of a prompt. */
export type AiPart =
  | { type: 'text' | 'reasoning'; text: string; providerOptions?: AiOptions }
  | AiFilePart
  | { type: 'tool-call'; toolCallId: string; toolName: string; input: unknown; providerExecuted?: boolean; providerOptions?: AiOptions }
  | AiToolResult
  | { type: 'custom'; kind: string; providerOptions?: AiOptions }
  | { type: 'reasoning-file' | 'tool-approval-response' };

/** A message of a prompt. */
export type AiMessage =
  | { role: 'system'; content: string; providerOptions?: AiOptions }
  | { role: 'user' | 'assistant' | 'tool'; content: readonly AiPart[]; providerOptions?: AiOptions };

/** A tool of a call. */
export type AiTool =
  | {
    type: 'function'; name: string; description?: string; inputSchema: object; inputExamples?: readonly { input: object }[]; strict?: boolean;
    providerOptions?: AiOptions;
  }
  | { type: 'provider'; id: string; name: string };

/** A call. */
export interface AiCallOptions {
  prompt: readonly AiMessage[];
  maxOutputTokens?: number;
  temperature?: number;
  stopSequences?: string[];
  topP?: number;
  topK?: number;
  presencePenalty?: number;
  frequencyPenalty?: number;
  responseFormat?: { type: 'text' } | { type: 'json'; schema?: object; name?: string; description?: string };
  seed?: number;
  tools?: readonly AiTool[];
  toolChoice?: { type: 'auto' | 'none' | 'required' } | { type: 'tool'; toolName: string };
  includeRawChunks?: boolean;
  abortSignal?: AbortSignal;
  headers?: Record<string, string | undefined>;
  reasoning?: 'provider-default' | 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max';
  providerOptions?: AiOptions;
}

/** A feature of a call that is not supported. */
export type AiWarning = { type: 'unsupported'; feature: string; details?: string };

export interface AiFinishReason {
  unified: 'stop' | 'length' | 'content-filter' | 'tool-calls' | 'error' | 'other';
  raw: string | undefined;
}

export interface AiUsage {
  inputTokens: { total: number | undefined; noCache: number | undefined; cacheRead: number | undefined; cacheWrite: number | undefined };
  outputTokens: { total: number | undefined; text: number | undefined; reasoning: number | undefined };
  raw?: JsonObject;
}

/** A part of an answer. In version 3 a file's data has no wrapper object. */
export type AiContent<F> =
  | { type: 'text' | 'reasoning'; text: string; providerMetadata?: AiMetadata }
  | { type: 'file'; mediaType: string; data: F; providerMetadata?: AiMetadata }
  | { type: 'tool-call'; toolCallId: string; toolName: string; input: string; providerMetadata?: AiMetadata }
  | AiCustom<F>;

/** A block that only one provider knows. Version 3 has none; its `F` is a string. */
export type AiCustom<F> = F extends string ? never : { type: 'custom'; kind: `${string}.${string}`; providerMetadata?: AiMetadata };

export interface AiAnswer<F> {
  content: AiContent<F>[];
  finishReason: AiFinishReason;
  usage: AiUsage;
  providerMetadata?: AiMetadata;
  response: { id?: string; modelId?: string; timestamp?: Date; headers?: Record<string, string> };
  warnings: AiWarning[];
}

/** One piece of a streamed answer. */
export type AiStreamPart<F> =
  | { type: 'stream-start'; warnings: AiWarning[] }
  | { type: 'response-metadata'; id?: string; modelId?: string; timestamp?: Date }
  | { type: 'text-start' | 'text-end' | 'reasoning-start' | 'reasoning-end' | 'tool-input-end'; id: string; providerMetadata?: AiMetadata }
  | { type: 'text-delta' | 'reasoning-delta' | 'tool-input-delta'; id: string; delta: string }
  | { type: 'tool-input-start'; id: string; toolName: string }
  | Exclude<AiContent<F>, { text: string } | { type: 'custom' }>
  | AiCustom<F>
  | { type: 'raw'; rawValue: unknown }
  | { type: 'error'; error: unknown }
  | { type: 'finish'; usage: AiUsage; finishReason: AiFinishReason; providerMetadata?: AiMetadata };

/** A file's data in an answer, by the version of the interface. */
export type AiAnswerFile = { v3: string; v4: { type: 'data'; data: string } | { type: 'url'; url: URL } };

/** A language model. */
export interface AiLanguageModel<V extends 'v3' | 'v4' = 'v4'> {
  readonly specificationVersion: V;
  readonly provider: string;
  readonly modelId: string;
  readonly supportedUrls: Record<string, RegExp[]>;
  doGenerate(options: AiCallOptions): Promise<AiAnswer<AiAnswerFile[V]>>;
  doStream(options: AiCallOptions): Promise<{
    stream: ReadableStream<AiStreamPart<AiAnswerFile[V]>>; response: { headers: Record<string, string> };
  }>;
}

/** A model for embeddings. */
export interface AiEmbeddingModel<V extends 'v3' | 'v4' = 'v4'> {
  readonly specificationVersion: V;
  readonly provider: string;
  readonly modelId: string;
  readonly maxEmbeddingsPerCall: number;
  readonly supportsParallelCalls: boolean;
  doEmbed(options: {
    values: string[]; abortSignal?: AbortSignal; headers?: Record<string, string | undefined>; providerOptions?: AiOptions;
  }): Promise<{
    embeddings: number[][]; usage?: { tokens: number }; warnings: AiWarning[];
  }>;
}
