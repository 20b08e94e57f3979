// docs/migrating.md: both programs of each row ask the same server, and have the same result.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import * as ai from 'ai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import OpenAI from 'openai-7';
import { zodResponseFormat } from 'openai-7/helpers/zod';
import { z } from 'zod';
import * as chatcore from '../dist/node.js';
import { toResponse } from '../dist/response.js';
import { runTools, tool } from '../dist/tools.js';
import { path } from './pages.mjs';

const KEY = 'a-key-0123456789';
const head = { id: 'r1', object: 'chat.completion', created: 1, model: 'm' };
const usage = { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 };

/** What the model says: JSON if it is asked for it, else what it was asked, so that a difference between two requests is seen. */
function said({ messages, response_format: format, tools, temperature, stop, service_tier: tier, max_tokens, max_completion_tokens: limit = max_tokens }) {
  if (tools && messages.at(-1).role !== 'tool') return { tool_calls: [{ index: 0, id: 'c1', type: 'function', function: { name: tools[0].function.name, arguments: '{"city":"Rome"}' } }] };
  if (format) return { content: '{"name":"Ada"}' };
  const text = ({ role, content }) => `${role}: ${typeof content === 'string' ? content : JSON.stringify(content)}`;
  const options = JSON.stringify({ temperature, limit, stop, tier });
  return { content: messages.map(text).join('\n') + (options === '{}' ? '' : ` ${options}`) };
}

function reply(url, headers, body) {
  if (headers.authorization !== `Bearer ${KEY}`) return [401, { error: { message: 'wrong key', code: 'invalid_api_key' } }];
  if (body.model === 'limited') return [429, { error: { message: 'later', code: 'rate_limit_exceeded' } }];
  if (body.model === 'unknown') return [404, { error: { message: 'no such model', code: 'model_not_found' } }];
  if (url.endsWith('/models')) return [200, { object: 'list', data: [{ id: 'one', object: 'model' }, { id: 'two', object: 'model' }] }];
  if (url.endsWith('/embeddings')) return [200, { object: 'list', model: 'm', usage, data: body.input.map((text, index) => ({ object: 'embedding', index, embedding: [text.length, 0.5] })) }];
  const message = said(body);
  return [200, { ...head, usage, choices: [{ index: 0, finish_reason: message.tool_calls ? 'tool_calls' : 'stop', message: { role: 'assistant', content: null, ...message } }] }];
}

/** A whole answer as events of a stream, one for each word. */
function* events({ choices: [{ message: { content, tool_calls }, finish_reason }] }) {
  const chunk = (delta, reason = null) => ({ ...head, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: reason }] });
  for (const word of content?.match(/\s*\S+/g) ?? []) yield chunk({ role: 'assistant', content: word });
  if (tool_calls) yield chunk({ role: 'assistant', tool_calls });
  yield chunk({}, finish_reason);
  yield { ...head, choices: [], usage };
}

const server = createServer(async (request, response) => {
  const text = Buffer.concat(await request.toArray()).toString();
  const body = text ? JSON.parse(text) : {};
  const [status, answer] = reply(request.url, request.headers, body);
  const isStream = body.stream && status === 200;
  response.writeHead(status, { 'content-type': isStream ? 'text/event-stream' : 'application/json', 'x-request-id': 'req-1', 'x-own': '1', 'retry-after-ms': '1' });
  if (!isStream) return response.end(JSON.stringify(answer));
  for (const event of events(answer)) response.write(`data: ${JSON.stringify(event)}\n\n`);
  response.end('data: [DONE]\n\n');
});

const names = {};
before(async () => {
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  const url = `http://127.0.0.1:${server.address().port}/v1`;
  const model = 'm';
  const provider = createOpenAICompatible({ name: 'own', baseURL: url, apiKey: KEY, supportsStructuredOutputs: true, includeUsage: true });
  Object.assign(names, {
    OpenAI, zodResponseFormat, z, ...chatcore, runTools, tool, toResponse,
    ...Object.fromEntries(['generateText', 'streamText', 'embedMany', 'Output', 'isStepCount'].map((name) => [name, ai[name]])), aiTool: ai.tool,
    url, apiKey: KEY, model, fetch: globalThis.fetch, signal: new AbortController().signal, schema: z.object({ name: z.string() }),
    messages: [{ role: 'system', content: 'Be brief.' }, { role: 'user', content: 'Why is the sky blue?' }],
    png: Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ', 'base64'),
    openai: new OpenAI({ baseURL: url, apiKey: KEY }), ai: provider(model), aiEmbedding: provider.embeddingModel(model),
    client: new chatcore.LlmClient({ provider: 'openai_chat', baseURL: url, apiKey: KEY, model }),
  });
});
after(() => { server.closeAllConnections(); server.close(); });

/** What a program returns and shows; of a client, what it answers. */
async function run(code) {
  let shown = '';
  const all = { ...names, show: (text) => { shown += text; } };
  const program = /^(const|let|for|return) /.test(code) ? code : `return ${code}`;
  let value = await new Function(...Object.keys(all), `return (async () => { ${program} })()`)(...Object.values(all));
  if (value instanceof OpenAI) value = (await value.chat.completions.create({ model: 'm', messages: names.messages })).choices[0].message.content;
  if (value instanceof chatcore.LlmClient) value = (await value.ask(names.messages)).text;
  return { value, shown };
}

const page = readFileSync(path('../../docs/migrating.md'), 'utf8');
const rows = [...page.matchAll(/^\| `([^\n]*)` \| `([^\n]*)` \|$/gm)].map(([, theirs, ours]) => [theirs, ours]);

test('there are rows', () => assert.ok(rows.length >= 28, `${rows.length}`));

for (const [theirs, ours] of rows) {
  test(ours, async () => {
    const [expected, found] = [await run(theirs), await run(ours)];
    assert.deepEqual(found, expected);
    assert.ok(found.shown || (found.value !== undefined && found.value !== false) || /stop\(\)/.test(ours), JSON.stringify(found));
  });
}
