// The offline model. It answers in the format of OpenAI's chat completions.
import type { AnyResponse } from '../border/body.js';
import { Decoder } from '../base/text.js';
import type { Mock } from './options.js';
import type { Message } from '../base/types.js';

/** @internal */
export function mockFetch(mock: Mock): typeof globalThis.fetch {
  const mocked: (url: unknown, init?: RequestInit) => Promise<AnyResponse> = async (url, init) => {
    if (!/\/chat\/completions(\?|$)/.test(String(url))) {
      return answer('application/json', '{"error":{"message":"the offline model answers chats only"}}', 404);
    }
    const body = init?.body as Uint8Array<ArrayBuffer>;
    const request = JSON.parse(new Decoder().decode(body)) as { messages: Message[]; stream?: boolean; model?: string };
    const last = request.messages.at(-1)?.content;
    const said = typeof last === 'string' ? last : JSON.stringify(last ?? '');
    const text = typeof mock === 'function' ? await mock(request.messages) : `mock: ${said}`;
    const head = { id: 'mock', model: request.model ?? 'mock' };
    const usage = { prompt_tokens: said.length, completion_tokens: text.length };
    if (!request.stream) {
      return answer('application/json', JSON.stringify({
        ...head, usage, choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }],
      }));
    }
    const events = [...(text.match(/\S+\s*|\s+/g) ?? [])].map((content) => ({ ...head, choices: [{ index: 0, delta: { content } }] }));
    const end = { ...head, usage, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] };
    const lines = [...events, end].map((event) => `data: ${JSON.stringify(event)}\n\n`);
    return answer('text/event-stream', lines.join('') + 'data: [DONE]\n\n');
  };
  return mocked as unknown as typeof globalThis.fetch;
}

/** Not a `Response`, which not every host has. */
const answer = (type: string, body: string, status = 200): AnyResponse => ({ status, headers: { 'content-type': type }, body });
