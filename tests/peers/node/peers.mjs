// Node clients behind the same interface.

const messages = (number) => [{ role: 'user', content: `Why is the sky blue? (${number})` }];
const options = { model: 'bench', temperature: 0, max_tokens: 256 };

/** The npm package of this repository, as Node takes it, and as it was built last. */
async function chatcore(url, atOnce) {
  const { LlmClient } = await import('../../../wasm/dist/node.js');
  const client = new LlmClient({
    provider: 'openai_compatible',
    baseURL: url,
    apiKey: 'sk-bench',
    model: 'bench',
    workers: atOnce,
  });
  const prompt = (number) => messages(number)[0].content;
  return {
    async chat(number) {
      const answer = await client.chatAsync(prompt(number));
      return { bytes: String(answer).length, events: 1 };
    },
    async stream(number) {
      const seen = { bytes: 0, events: 0 };
      for await (const text of client.chatStream(prompt(number)).text()) {
        seen.bytes += text.length;
        seen.events += 1;
      }
      return seen;
    },
    async batch(count, atOnce) {
      const prompts = Array.from({ length: count }, (_, number) => prompt(number));
      const results = await client.processBatch(prompts, { concurrency: atOnce });
      return results.map(({ ok, value, error }) =>
        ok ? { bytes: String(value).length, events: 1 } : { error },
      );
    },
  };
}

async function openai(url) {
  const { default: OpenAI } = await import('openai');
  const client = new OpenAI({ baseURL: url, apiKey: 'sk-bench' });
  return {
    async chat(number) {
      const answer = await client.chat.completions.create({ messages: messages(number), ...options });
      return { bytes: answer.choices[0].message.content.length, events: 1 };
    },
    async stream(number) {
      const seen = { bytes: 0, events: 0 };
      const stream = await client.chat.completions.create({
        messages: messages(number),
        ...options,
        stream: true,
      });
      for await (const event of stream) {
        const text = event.choices[0].delta.content;
        if (!text) continue;
        seen.bytes += text.length;
        seen.events += 1;
      }
      return seen;
    },
  };
}

/** The HTTP client of both, without them. */
async function bareFetch(url) {
  const post = async (number, more) => {
    const answer = await fetch(`${url}/chat/completions`, {
      method: 'POST',
      headers: { authorization: 'Bearer sk-bench', 'content-type': 'application/json' },
      body: JSON.stringify({ messages: messages(number), ...options, ...more }),
    });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    return answer;
  };
  return {
    async chat(number) {
      const answer = await post(number);
      return { bytes: (await answer.arrayBuffer()).byteLength, events: 1 };
    },
    async stream(number) {
      const seen = { bytes: 0, events: 0 };
      for await (const piece of (await post(number, { stream: true })).body) {
        seen.bytes += piece.byteLength;
        seen.events += 1;
      }
      return seen;
    },
  };
}

export const PEERS = { 'chatcore-npm': chatcore, 'openai-node': openai, 'bare-fetch': bareFetch };
