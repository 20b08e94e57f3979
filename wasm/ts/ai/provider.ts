// A provider for Vercel's `ai`. Its models use a client's queue, limits and retries.
import { contentOf, finishOf, metadataOf, usageOf, type Form } from './answer.js';
import { callOf, embedCallOf } from './call.js';
import { messagesOf } from './prompt.js';
import { piecesOf } from './stream.js';
import type { AiAnswer, AiAnswerFile, AiEmbeddingModel, AiLanguageModel, AiStreamPart } from './types.js';
import type { ChatOptions, EmbedOptions } from '../api/options.js';
import type { ChatStream } from '../api/stream.js';
import { LlmError } from '../base/errors.js';
import type { ChatResponse, Embeddings, MediaSource, Message } from '../base/types.js';

/** The parts of a client that are used. An `LlmClient` of any entry fits. */
export interface AiClient {
  ask(messages: readonly Message[], options?: ChatOptions): Promise<ChatResponse>;
  askStream(messages: readonly Message[], options?: ChatOptions): ChatStream;
  embed(inputs: readonly string[], options?: EmbedOptions): Promise<Embeddings>;
  /** @internal */
  readonly onlyChatCompletions?: boolean;
}

/** Options of `createChatcore`. */
export interface AiProviderOptions<V extends 'v3' | 'v4' = 'v4'> {
  /** The version of the interface: `v4` (the default) for `ai` 7, `v3` for `ai` 6. */
  specificationVersion?: V;
}

/** Returns models by name. */
export interface AiProvider<V extends 'v3' | 'v4' = 'v4'> {
  /** The model with this name; the client's own model if no name is given. */
  (modelId?: string): AiLanguageModel<V>;
  readonly specificationVersion: V;
  languageModel(modelId?: string): AiLanguageModel<V>;
  embeddingModel(modelId: string): AiEmbeddingModel<V>;
  /** Always throws, because chatcore makes no images. */
  imageModel(modelId: string): never;
}

/**
 * A provider for Vercel's `ai` that uses a client: `generateText`, `streamText` and the functions built on them get the
 * client's queue, limits, retries and timeouts. Put the provider's own fields in `providerOptions.chatcore`.
 *
 * ```js
 * const model = createChatcore(new LlmClient({ provider: 'openai' }));
 * const { text } = await generateText({ model: model('gpt-6-luna'), prompt: 'Why is the sky blue?' });
 * ```
 */
export function createChatcore<V extends 'v3' | 'v4' = 'v4'>(client: AiClient, options: AiProviderOptions<V> = {}): AiProvider<V> {
  const specificationVersion = options.specificationVersion ?? 'v4' as V;
  const languageModel = (modelId?: string) => languageModelOf(client, specificationVersion, modelId);
  return Object.assign(languageModel, {
    specificationVersion, languageModel,
    embeddingModel: (modelId: string) => embeddingModelOf(client, specificationVersion, modelId),
    imageModel: (modelId: string): never => {
      throw new LlmError(`chatcore cannot make images, so it has no image model ${modelId}`, { code: 'config' });
    },
  });
}

const isLink = (source: MediaSource) => source.type === 'url' && URL.canParse(source.url);

/** The form of each version. */
const FORMS: { [V in 'v3' | 'v4']: Form<AiAnswerFile[V]> } = {
  v3: { hasCustom: false, fileOf: (source) => (source.type === 'base64' ? source.data : undefined) },
  v4: {
    hasCustom: true,
    fileOf: (source) => {
      if (source.type === 'base64') return { type: 'data', data: source.data };
      return source.type === 'url' && isLink(source) ? { type: 'url', url: new URL(source.url) } : undefined;
    },
  },
};

function languageModelOf<V extends 'v3' | 'v4'>(client: AiClient, specificationVersion: V, modelId?: string): AiLanguageModel<V> {
  type File = AiAnswerFile[V];
  const form = FORMS[specificationVersion] as Form<File>;
  return {
    specificationVersion, provider: 'chatcore', modelId: modelId ?? 'default',
    // Keeps `ai` from downloading URLs: chatcore sends them, or reports that the provider cannot fetch them.
    supportedUrls: { '*/*': [/^https?:/] },

    async doGenerate(call): Promise<AiAnswer<File>> {
      const { options, warnings } = callOf(modelId, call, client.onlyChatCompletions ?? true);
      const answer = await client.ask(messagesOf(call.prompt, warnings), options);
      return {
        content: contentOf(answer, form), finishReason: finishOf(answer.finishReason, answer.finishReasonRaw), usage: usageOf(answer.usage),
        providerMetadata: metadataOf(answer), warnings,
        response: { ...answer.id ? { id: answer.id } : {}, ...answer.model ? { modelId: answer.model } : {}, headers: { ...answer.headers } },
      };
    },

    async doStream(call) {
      const { options, warnings } = callOf(modelId, call, client.onlyChatCompletions ?? true);
      const stream = client.askStream(messagesOf(call.prompt, warnings), options);
      const events = stream[Symbol.asyncIterator]();
      // A failure before the first content rejects the call itself.
      const first = await events.next();
      const pieces = piecesOf(stream, first, events, warnings, form, call.includeRawChunks === true);
      return { stream: streamOf(pieces, stream), response: { headers: { ...stream.headers } } };
    },
  };
}

/** Makes pieces on demand. A reader that cancels closes the connection. */
const streamOf = <F>(pieces: AsyncGenerator<AiStreamPart<F>>, stream: ChatStream) => new ReadableStream<AiStreamPart<F>>({
  async pull(controller) {
    const { done, value } = await pieces.next();
    if (done) controller.close();
    else controller.enqueue(value);
  },
  cancel: (reason) => stream.abort(reason),
}, { highWaterMark: 0 });

const embeddingModelOf = <V extends 'v3' | 'v4'>(client: AiClient, specificationVersion: V, modelId: string): AiEmbeddingModel<V> => ({
  specificationVersion, provider: 'chatcore', modelId,
  // The client splits the texts into as many requests as the provider's limit requires.
  maxEmbeddingsPerCall: Infinity, supportsParallelCalls: true,
  async doEmbed({ values, ...call }) {
    const { options, warnings } = embedCallOf(modelId, call);
    const { vectors, usage } = await client.embed(values, options);
    return { embeddings: vectors.map((vector) => [...vector]), ...usage ? { usage: { tokens: usage.inputTokens } } : {}, warnings };
  },
});
