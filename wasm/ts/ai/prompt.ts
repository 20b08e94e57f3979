// Converts a prompt of `ai` to messages of chatcore.
import { base64Of, typeOf } from '../base/media.js';
import { kept, partOf } from './kept.js';
import type { AiFileData, AiMessage, AiPart, AiResultContent, AiToolOutput, AiToolResult, AiWarning } from './types.js';
import type { MediaSource, Message, Part } from '../base/types.js';

/** Adds a warning, once for each feature. */
type Warn = (feature: string, details: string) => void;

/** @internal Parts that chatcore's messages cannot express are left out, with a warning. */
export function messagesOf(prompt: readonly AiMessage[], warnings: AiWarning[]): Message[] {
  const warn: Warn = (feature, details) => {
    if (!warnings.some((known) => known.feature === feature)) warnings.push({ type: 'unsupported', feature, details });
  };
  return prompt.flatMap((message) => messageOf(message, warn));
}

function messageOf(message: AiMessage, warn: Warn): Message[] {
  const more = kept(message.providerOptions);
  if (message.role === 'system') return [{ role: 'system', content: message.content, ...more }];
  const parts = message.content;
  if (message.role !== 'tool') return [{ role: message.role, content: parts.flatMap((part) => partOfPrompt(part, warn)), ...more }];
  // Each result becomes a separate message, as the dialects require.
  return parts.flatMap((part): Message[] => {
    if (part.type === 'tool-result') return [{ ...result(part, warn), ...more }];
    warn(`prompt part ${part.type}`, 'an approval of a tool that the provider runs is not sent');
    return [];
  });
}

function partOfPrompt(part: AiPart, warn: Warn): Part[] {
  switch (part.type) {
    case 'text': return [{ type: 'text', text: part.text, ...kept(part.providerOptions) }];
    case 'reasoning': return [{ type: 'reasoning', text: part.text, ...kept(part.providerOptions) }];
    case 'file': return [{ ...file(part.data, part.mediaType, part.filename), ...kept(part.providerOptions) }];
    case 'tool-call': {
      const { toolCallId: id, toolName: name, input, providerExecuted } = part;
      if (providerExecuted) {
        warn('prompt part tool-call with providerExecuted', 'the call of a tool that another provider ran is not sent');
        return [];
      }
      return [{ type: 'tool_call', id, name, arguments: typeof input === 'string' ? input : JSON.stringify(input), ...kept(part.providerOptions) }];
    }
    // A call of a tool that the provider ran itself is one of the provider's own blocks.
    case 'custom': {
      const parts = partOf(part.providerOptions);
      if (parts.length === 0) warn(`prompt part custom ${part.kind}`, 'a block that another provider made is not sent');
      return parts;
    }
    default:
      warn(`prompt part ${part.type}`, 'chatcore has no form for it, so it is not sent');
      return [];
  }
}

function result({ toolCallId, output, providerOptions }: AiToolResult, warn: Warn): Message {
  return {
    role: 'tool',
    content: [{
      type: 'tool_result', call_id: toolCallId, content: resultContent(output, warn), is_error: /^error|denied$/.test(output.type),
      ...kept(providerOptions),
    }],
  };
}

function resultContent(output: AiToolOutput, warn: Warn): Part[] {
  switch (output.type) {
    case 'text': case 'error-text': return [text(output.value)];
    case 'json': case 'error-json': return [text(JSON.stringify(output.value) ?? 'null')];
    case 'execution-denied': return [text(output.reason ?? 'The user denied the call.')];
    case 'content': return output.value.flatMap((item) => resultPart(item, warn));
  }
}

function resultPart(item: AiResultContent, warn: Warn): Part[] {
  switch (item.type) {
    case 'text': return [text(item.text)];
    case 'file': case 'file-data': return [file(item.data, item.mediaType, item.filename)];
    case 'image-data': return [file(item.data, item.mediaType)];
    case 'file-url': return [file(new URL(item.url), item.mediaType ?? 'application/octet-stream')];
    case 'image-url': return [file(new URL(item.url), item.mediaType ?? 'image/*')];
    case 'file-id': return [{ type: 'file', source: { type: 'file', file_id: idOf(item.fileId) } }];
    case 'image-file-id': return [{ type: 'image', source: { type: 'file', file_id: idOf(item.fileId) } }];
    case 'custom':
      warn('custom content of a tool result', 'it is not sent');
      return [];
  }
}

const text = (text: string): Part => ({ type: 'text', text });

/** A picture, an audio or a document, by the media type. */
function file(data: AiFileData, mediaType: string, name?: string): Part {
  const [kind] = mediaType.split('/');
  const source = sourceOf(data, mediaType);
  if (kind === 'image') return { type: 'image', source };
  if (kind === 'audio') return { type: 'audio', source };
  return { type: 'file', source, ...name === undefined ? {} : { name } };
}

function sourceOf(data: AiFileData, mediaType: string): MediaSource {
  if (data instanceof URL) return atUrl(data, mediaType);
  if (typeof data === 'string' || data instanceof Uint8Array) return here(data, mediaType);
  switch (data.type) {
    case 'data': return here(data.data, mediaType);
    case 'url': return atUrl(data.url, mediaType);
    case 'text': return { type: 'text', text: data.text };
    case 'reference': return { type: 'file', file_id: idOf(data.reference) };
  }
}

function here(data: Uint8Array | string, mediaType: string): MediaSource {
  const base64 = typeof data === 'string' ? data : base64Of(data);
  return { type: 'base64', media_type: isWhole(mediaType) ? mediaType : typeOf(base64) ?? 'image/png', data: base64 };
}

const atUrl = ({ href }: URL, mediaType: string): MediaSource =>
  ({ type: 'url', url: href, ...isWhole(mediaType) ? { media_type: mediaType } : {} });

/** Whether it is a full media type, and not only its first half (`image`, `image/*`). */
const isWhole = (mediaType: string) => /^[^/*]+\/[^*]+$/.test(mediaType);

/** The id, or the first of the ids by provider. */
const idOf = (id: string | Record<string, string>) => (typeof id === 'string' ? id : Object.values(id)[0] ?? '');
