// What the page uses of the npm package, with nothing but `fetch`. The server answers with this file where the package is not built.

/** A client of this server. */
export class LlmClient {
  constructor({ model, apiKey }) {
    this.model = model;
    this.headers = { 'content-type': 'application/json', ...(apiKey ? { authorization: `Bearer ${apiKey}` } : {}) };
  }

  /** An answer, piece by piece: `text()`, then `final()`. */
  chatStream(question, { signal, temperature, maxTokens, systemPrompt }) {
    const asked = typeof question === 'string' ? { message: question } : { messages: question };
    const body = { ...asked, temperature, max_tokens: maxTokens, system_prompt: systemPrompt, model: this.model || undefined };
    const final = {};
    const { headers } = this;
    async function* text() {
      const answer = await fetch('/api/chat/stream', { method: 'POST', headers, signal, body: JSON.stringify(body) });
      if (!answer.ok) throw failure((await answer.json().catch(() => ({}))).error ?? { message: `status ${answer.status}` });
      let written = '';
      for await (const told of events(answer.body)) {
        if (told.type === 'delta') {
          written += told.text;
          yield told.text;
        } else if (told.type === 'error') {
          throw failure(told.error);
        } else if (told.type === 'done') {
          final.whole = { text: written, finishReason: told.finish_reason, usage: { outputTokens: told.usage?.output_tokens ?? 0 } };
        }
      }
      if (!final.whole) throw failure({ code: 'truncated', message: 'the answer ended before its end' });
    }
    return { text, final: async () => final.whole };
  }
}

const failure = ({ message, code }) => Object.assign(new Error(message), { code });

/** The messages of a stream of events. */
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const whole = (rest + value).split('\n\n');
    rest = whole.pop();
    for (const event of whole) if (event.startsWith('data: ')) yield JSON.parse(event.slice(6));
  }
}

/** Runs the tasks, at most `limit` at once. */
export async function gatherWithLimit(tasks, limit) {
  const left = tasks.values();
  const worker = async () => { for (const task of left) await task(); };
  await Promise.all(Array.from({ length: Math.min(limit, tasks.length) }, worker));
}
