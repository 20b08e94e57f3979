import { LlmClient } from './chatcore/whole.js';

const ANTHROPIC = {
  id: 'x', type: 'message', role: 'assistant', model: 'm', content: [{ type: 'text', text: 'hello' }], stop_reason: 'end_turn',
  usage: { input_tokens: 1, output_tokens: 1 },
};

addEventListener('install', () => skipWaiting());
addEventListener('activate', (event) => event.waitUntil(clients.claim()));
addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  if (url.pathname.endsWith('/ask')) event.respondWith(answer(url.searchParams.get('base')));
});

async function answer(base) {
  const chat = await new LlmClient({ baseURL: `${base}/ok/v1`, model: 'm' }).ask('hi');
  const other = new LlmClient({ provider: 'anthropic', baseURL: 'https://llm.example', model: 'm', fetch: async () => Response.json(ANTHROPIC) });
  return new Response(`${chat}, ${await other.ask('hi')}`);
}
