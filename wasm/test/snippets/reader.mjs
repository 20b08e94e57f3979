// The names that are the reader's own, for the programs of the documentation. `reader.d.ts` has their types.
import { z } from 'zod';
import { LlmClient } from '../../dist/node.js';
import { tool } from '../../dist/tools.js';
import { answerTo } from './provider.mjs';

// Of the network there is only the provider, and texts at other addresses.
globalThis.fetch = async (url, { body } = {}) => (body ? answerTo(JSON.parse(new TextDecoder().decode(body))) : new Response('18 degrees'));

Object.assign(globalThis, {
  client: new LlmClient({ mock: false, provider: 'openai_chat', apiKey: 'a-key', fetch: globalThis.fetch }),
  prompts: ['one', 'two', 'three'],
  pages: ['one', 'two'],
  load: async (page) => page,
  show: (finished, total) => console.log(finished, total),
  signal: new AbortController().signal,
  tokens: { current: async () => ({ value: 'a-key-that-changes' }) },
  pdf: Buffer.from('%PDF-1.4'),
  run: (name) => `${name} has run`,
  weather: tool({ name: 'weather', schema: z.object({ city: z.string() }), run: () => '18 degrees' }),
  z,
});
