// `chatcore/ai` with Vercel's own packages: `ai` 7 with version 4 of the interface, and `ai` 6 with version 3.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as seven from 'ai';
import * as six from 'ai-6';
import { z } from 'zod';
import { createChatcore } from '../dist/ai.js';
import { AuthError, LlmClient } from '../dist/node.js';
import { path } from './pages.mjs';

const USAGE = { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12, completion_tokens_details: { reasoning_tokens: 2 } };
const whole = (message, finish_reason = 'stop') => Response.json(
  { id: 'chat-1', model: 'm-2026', choices: [{ index: 0, finish_reason, message: { role: 'assistant', ...message } }], usage: USAGE },
  { headers: { 'x-request-id': 'req-1' } });
const streamed = (deltas, finish_reason = 'stop') => {
  const chunk = (delta, more = {}) => ({ id: 'chat-1', model: 'm-2026', choices: [{ index: 0, delta, ...more }] });
  const events = [...deltas.map((delta) => chunk(delta)), chunk({}, { finish_reason }), { id: 'chat-1', choices: [], usage: USAGE }];
  return new Response([...events.map((event) => JSON.stringify(event)), '[DONE]'].map((data) => `data: ${data}\n\n`).join(''),
    { headers: { 'content-type': 'text/event-stream', 'x-request-id': 'req-1' } });
};
const call = (index, id, name, args) => ({ index, id, type: 'function', function: { name, arguments: args } });

/** A client that gets these answers, one for each request, and the list of its requests. */
function asked(answers, options = {}) {
  const requests = [];
  const fetch = async (url, { body, headers, signal }) => {
    requests.push({ url, headers, signal, ...JSON.parse(new TextDecoder().decode(body)) });
    return answers[Math.min(requests.length, answers.length) - 1]();
  };
  const client = new LlmClient({ provider: 'openai_compatible', baseURL: 'https://llm.example/v1', model: 'm', apiKey: 'k-0123456789', fetch, ...options });
  return { client, requests };
}

for (const [name, ai, specificationVersion] of [['ai 7', seven, 'v4'], ['ai 6', six, 'v3']]) {
  const { generateText, streamText, embedMany, tool, Output, stepCountIs, isStepCount } = ai;
  const steps = (stepCountIs ?? isStepCount)(3);
  const models = (client) => createChatcore(client, { specificationVersion });
  const weather = (seen = []) => tool({
    description: 'the weather', inputSchema: z.object({ city: z.string() }),
    execute: async ({ city }) => { seen.push(city); return { sky: 'clear', city }; },
  });

  test(`${name}: generateText`, async () => {
    const { client, requests } = asked([() => whole({ content: 'blue', reasoning_content: 'hm' })]);
    const result = await generateText({
      model: models(client)('other'), [name === 'ai 7' ? 'instructions' : 'system']: 'Be brief.', prompt: 'Why?', temperature: 0.3, maxOutputTokens: 9,
      topK: 4, headers: { 'x-own': '1' }, providerOptions: { chatcore: { user: 'u' } },
    });
    assert.equal(result.text, 'blue');
    assert.equal(result.reasoningText, 'hm');
    assert.equal(result.finishReason, 'stop');
    assert.equal(result.usage.inputTokens, 5);
    assert.equal(result.usage.outputTokens, 7);
    assert.equal(result.response.headers['x-request-id'], 'req-1');
    assert.equal(result.response.modelId, 'm-2026');
    assert.deepEqual(result.providerMetadata.chatcore.requestId, 'req-1');
    const [{ model, messages, temperature, max_tokens, top_k, user, headers }] = requests;
    assert.deepEqual({ model, temperature, max_tokens, top_k, user }, { model: 'other', temperature: 0.3, max_tokens: 9, top_k: 4, user: 'u' });
    assert.deepEqual(messages, [{ role: 'system', content: 'Be brief.' }, { role: 'user', content: 'Why?' }]);
    assert.equal(headers['x-own'], '1');
  });

  test(`${name}: what nobody sets is not sent`, async () => {
    const { client, requests } = asked([() => whole({ content: 'blue' })]);
    await generateText({ model: models(client)(), prompt: 'Why?' });
    const { url, headers, signal, ...body } = requests[0];
    assert.deepEqual(body, { model: 'm', messages: [{ role: 'user', content: 'Why?' }] });
  });

  test(`${name}: tools, whole, until the answer`, async () => {
    const seen = [];
    const { client, requests } = asked([
      () => whole({ content: null, tool_calls: [call(0, 'c1', 'weather', '{"city":"Paris"}'), call(1, 'c2', 'weather', '{"city":"Rome"}')] }, 'tool_calls'),
      () => whole({ content: 'Clear.' }),
    ]);
    const result = await generateText({ model: models(client)(), prompt: 'Weather?', tools: { weather: weather(seen) }, stopWhen: steps });
    assert.equal(result.text, 'Clear.');
    assert.deepEqual(seen, ['Paris', 'Rome']);
    assert.equal(requests[0].tools[0].function.name, 'weather');
    assert.deepEqual(requests[0].tools[0].function.parameters.required, ['city']);
    const [, said, one, two] = requests[1].messages;
    assert.deepEqual(said.tool_calls.map(({ id, function: { arguments: args } }) => [id, JSON.parse(args).city]), [['c1', 'Paris'], ['c2', 'Rome']]);
    assert.deepEqual([one, two].map(({ role, tool_call_id, content }) => [role, tool_call_id, JSON.parse(content).sky]), [['tool', 'c1', 'clear'], ['tool', 'c2', 'clear']]);
  });

  test(`${name}: streamText with a tool, and what useChat reads of it`, async () => {
    const answers = () => [
      () => streamed([{ reasoning_content: 'let me' }, { reasoning_content: ' see' }, { tool_calls: [call(0, 'c1', 'weather', '{"ci')] },
        { tool_calls: [{ index: 0, function: { arguments: 'ty":"Paris"}' } }] }], 'tool_calls'),
      () => streamed([{ content: 'It is ' }, { content: 'clear.' }]),
    ];
    const ask = () => streamText({ model: models(asked(answers()).client)(), prompt: 'Weather?', tools: { weather: weather() }, stopWhen: steps });
    const result = ask();
    const pieces = [];
    for await (const piece of result.textStream) pieces.push(piece);
    assert.deepEqual(pieces, ['It is ', 'clear.']);
    assert.equal(await result.finishReason, 'stop');
    assert.equal((await (result.totalUsage ?? result.usage)).outputTokens, 14);

    // A server's route, and the client side of `useChat`.
    const transport = new ai.DefaultChatTransport({ api: 'https://app.example/api/chat', fetch: async () => ask().toUIMessageStreamResponse({ sendReasoning: true }) });
    const stream = await transport.sendMessages({ chatId: '1', trigger: 'submit-message', messages: [{ id: '1', role: 'user', parts: [{ type: 'text', text: 'Weather?' }] }] });
    let message;
    for await (message of ai.readUIMessageStream({ stream }));
    const byType = (type) => message.parts.filter((part) => part.type === type);
    assert.equal(byType('text').map(({ text }) => text).join(''), 'It is clear.');
    assert.equal(byType('reasoning').map(({ text }) => text).join(''), 'let me see');
    const [{ state, input, output }] = byType('tool-weather');
    assert.deepEqual({ state, input, output }, { state: 'output-available', input: { city: 'Paris' }, output: { sky: 'clear', city: 'Paris' } });
  });

  test(`${name}: structured output, whole and streamed`, async () => {
    const output = Output.object({ schema: z.object({ city: z.string() }) });
    const { client, requests } = asked([() => whole({ content: '{"city":"Paris"}' }), () => streamed([{ content: '{"city":' }, { content: '"Paris"}' }])]);
    const model = models(client)();
    assert.deepEqual((await generateText({ model, prompt: 'Which?', output })).output, { city: 'Paris' });
    const result = streamText({ model, prompt: 'Which?', output });
    assert.deepEqual(await result.output, { city: 'Paris' });
    for (const { response_format: { type, json_schema } } of requests) {
      assert.equal(type, 'json_schema');
      assert.deepEqual(json_schema.schema.required, ['city']);
    }
  });

  test(`${name}: signatures of reasoning go back as they came`, async () => {
    const answer = (content, stop_reason) => ({ id: 'x', type: 'message', role: 'assistant', model: 'm', content, stop_reason, usage: { input_tokens: 1, output_tokens: 1 } });
    const thinking = { type: 'thinking', thinking: 'hm', signature: 'proof' };
    const { client, requests } = asked([
      () => Response.json(answer([thinking, { type: 'tool_use', id: 'c1', name: 'weather', input: { city: 'Paris' } }], 'tool_use')),
      () => Response.json(answer([{ type: 'text', text: 'Clear.' }], 'end_turn')),
    ], { provider: 'anthropic', baseURL: 'https://llm.example', model: 'claude-haiku-5-5' });
    const { text } = await generateText({ model: models(client)(), prompt: 'Weather?', maxOutputTokens: 4000, tools: { weather: weather() }, stopWhen: steps });
    assert.equal(text, 'Clear.');
    assert.deepEqual(requests[1].messages[1].content[0], thinking);
  });

  test(`${name}: pictures and documents`, async () => {
    const { client, requests } = asked([() => whole({ content: 'a cat' })]);
    const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
    await generateText({ model: models(client)(), messages: [{ role: 'user', content: [
      { type: 'text', text: 'What?' },
      { type: 'file', data: Uint8Array.from(atob(png), (letter) => letter.charCodeAt(0)), mediaType: 'image/png' },
      { type: 'file', data: new URL('https://example.com/cat.jpg'), mediaType: 'image/jpeg' },
      { type: 'file', data: 'JVBERi0=', mediaType: 'application/pdf', filename: 'a.pdf' },
    ] }] });
    const [text, inline, link, pdf] = requests[0].messages[0].content;
    assert.equal(text.text, 'What?');
    assert.equal(inline.image_url.url, `data:image/png;base64,${png}`);
    assert.equal(link.image_url.url, 'https://example.com/cat.jpg');
    assert.deepEqual(pdf.file, { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' });
  });

  test(`${name}: retries are chatcore's, and so are errors`, async () => {
    const failing = asked([() => Response.json({ error: { message: 'no' } }, { status: 401 })]);
    await assert.rejects(generateText({ model: models(failing.client)(), prompt: 'x' }), (error) => error instanceof AuthError && error.status === 401);
    assert.equal(failing.requests.length, 1);
    const once = asked([() => Response.json({}, { status: 503, headers: { 'retry-after-ms': '1' } }), () => whole({ content: 'ok' })]);
    assert.equal((await generateText({ model: models(once.client)(), prompt: 'x' })).text, 'ok');
    assert.equal(once.requests.length, 2);
    const broken = asked([() => new Response('data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n', { headers: { 'content-type': 'text/event-stream' } })]);
    const errors = [];
    const result = streamText({ model: models(broken.client)(), prompt: 'x', onError: ({ error }) => errors.push(error) });
    const text = [];
    for await (const piece of result.textStream) text.push(piece);
    assert.deepEqual(text, ['a']);
    assert.equal(errors[0].code, 'truncated');
  });

  test(`${name}: calls keep to the client's queue, and an abort ends them`, async () => {
    let open = 0;
    let most = 0;
    const client = new LlmClient({ provider: 'openai_compatible', baseURL: 'https://llm.example/v1', model: 'm', workers: 2, fetch: async () => {
      most = Math.max(most, open += 1);
      for (let turn = 0; turn < 20; turn += 1) await null;
      open -= 1;
      return whole({ content: 'ok' });
    } });
    const model = models(client)();
    await Promise.all(Array.from({ length: 8 }, () => generateText({ model, prompt: 'x' })));
    assert.equal(most, 2);
    const hanging = asked([() => new Promise(() => {})]);
    const controller = new AbortController();
    const waiting = generateText({ model: models(hanging.client)(), prompt: 'x', abortSignal: controller.signal });
    while (hanging.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    await assert.rejects(waiting, { name: 'AbortError' });
    assert.equal(hanging.requests[0].signal.aborted, true);
  });

  test(`${name}: the parts of a stream keep their order, so that the provider gets them back in it`, async () => {
    const events = [
      { type: 'message_start', message: { id: 'x', model: 'm', usage: { input_tokens: 1, output_tokens: 1 } } },
      ...[
        [{ type: 'thinking', thinking: '' }, { type: 'thinking_delta', thinking: 'first' }],
        [{ type: 'tool_use', id: 'c1', name: 'weather', input: {} }, { type: 'input_json_delta', partial_json: '{"city":"Paris"}' }],
        [{ type: 'thinking', thinking: '' }, { type: 'thinking_delta', thinking: 'second' }],
        [{ type: 'tool_use', id: 'c2', name: 'weather', input: {} }, { type: 'input_json_delta', partial_json: '{"city":"Rome"}' }],
      ].flatMap(([content_block, delta], index) => [{ type: 'content_block_start', index, content_block }, { type: 'content_block_delta', index, delta }, { type: 'content_block_stop', index }]),
      { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 2 } }, { type: 'message_stop' },
    ];
    const body = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('');
    const { client } = asked([() => new Response(body, { headers: { 'content-type': 'text/event-stream' } })],
      { provider: 'anthropic', baseURL: 'https://llm.example', model: 'claude-haiku-5-5' });
    const { stream } = await models(client)().doStream({ prompt: [{ role: 'user', content: [{ type: 'text', text: 'x' }] }], maxOutputTokens: 4000 });
    const order = [];
    for await (const piece of stream) if (['reasoning-delta', 'tool-call'].includes(piece.type)) order.push(piece.delta ?? piece.toolCallId);
    assert.deepEqual(order, ['first', 'c1', 'second', 'c2']);
  });

  test(`${name}: calls that a server mixes are put together before they are told`, async () => {
    const part = (index, args) => ({ index, function: { arguments: args } });
    const { client } = asked([() => streamed([{ tool_calls: [call(0, 'c1', 'weather', '{"ci')] }, { tool_calls: [call(1, 'c2', 'weather', '{"city":')] },
      { tool_calls: [part(0, 'ty":"Paris"}')] }, { tool_calls: [part(1, '"Rome"}')] }], 'tool_calls')]);
    const { stream } = await models(client)().doStream({ prompt: [{ role: 'user', content: [{ type: 'text', text: 'x' }] }] });
    const calls = [];
    for await (const piece of stream) if (piece.type === 'tool-call') calls.push([piece.toolCallId, JSON.parse(piece.input).city]);
    assert.deepEqual(calls, [['c1', 'Paris'], ['c2', 'Rome']]);
  });

  test(`${name}: what a dialect has no field for is a warning`, async () => {
    const answer = { id: 'x', type: 'message', role: 'assistant', model: 'm', content: [{ type: 'text', text: 'hi' }], stop_reason: 'end_turn', usage: { input_tokens: 1, output_tokens: 1 } };
    const { client, requests } = asked([() => Response.json(answer)], { provider: 'anthropic', baseURL: 'https://llm.example', model: 'claude-haiku-5-5' });
    const { warnings } = await models(client)().doGenerate({
      prompt: [{ role: 'user', content: [{ type: 'text', text: 'x' }] }], maxOutputTokens: 9, topK: 4, presencePenalty: 1, providerOptions: { chatcore: { top_k: 5 } },
    });
    assert.deepEqual(warnings.map(({ feature }) => feature), ['topK', 'presencePenalty']);
    assert.deepEqual([requests[0].top_k, requests[0].presence_penalty], [5, undefined]);
  });

  test(`${name}: embedMany`, async () => {
    const { client } = asked([() => Response.json({ model: 'e', data: [{ index: 0, embedding: [1, 0.5] }, { index: 1, embedding: [0, 2] }], usage: { prompt_tokens: 3, total_tokens: 3 } })]);
    const { embeddings, usage } = await embedMany({ model: models(client).embeddingModel('e'), values: ['a', 'b'] });
    assert.deepEqual(embeddings, [[1, 0.5], [0, 2]]);
    assert.equal(usage.tokens, 3);
    const { client: own, requests } = asked([() => Response.json({ model: 'e', data: [{ index: 0, embedding: [1] }] })]);
    await embedMany({
      model: models(own).embeddingModel('e'), values: ['a'], headers: { 'x-own': '1' }, providerOptions: { chatcore: { dimensions: 256, user: 'u' } },
    });
    const [{ dimensions, user, headers }] = requests;
    assert.deepEqual({ dimensions, user, own: headers['x-own'] }, { dimensions: 256, user: 'u', own: '1' });
  });
}

test('what a prompt has that chatcore cannot send is a warning; the rest reaches the provider', async () => {
  const { client, requests } = asked([() => whole({ content: 'ok' })]);
  const own = { chatcore: { extra: { cache_control: { type: 'ephemeral' } } } };
  const prompt = [
    { role: 'system', content: 'Be brief.', providerOptions: { chatcore: { extra: { a: 1 } } } },
    { role: 'user', content: [{ type: 'file', data: 'JVBERi0=', mediaType: 'application/pdf', providerOptions: own }], providerOptions: { chatcore: { name: 'ada' } } },
    { role: 'assistant', content: [
      { type: 'custom', kind: 'other.block', providerOptions: { other: { a: 1 } } }, { type: 'reasoning-file', data: { type: 'data', data: 'AA==' }, mediaType: 'image/png' },
      { type: 'tool-call', toolCallId: 's1', toolName: 'search', input: {}, providerExecuted: true },
      { type: 'tool-result', toolCallId: 's1', toolName: 'search', output: { type: 'text', value: 'x' } },
      { type: 'tool-call', toolCallId: 'c1', toolName: 'weather', input: { city: 'Paris' } },
    ] },
    { role: 'tool', content: [
      { type: 'tool-approval-response', approvalId: 'a', approved: true },
      { type: 'tool-result', toolCallId: 'c1', toolName: 'weather', output: { type: 'content', value: [{ type: 'text', text: 'clear' }, { type: 'custom' }, { type: 'custom' }] } },
    ] },
  ];
  const tools = [{ type: 'function', name: 'weather', inputSchema: { type: 'object' }, inputExamples: [{ input: { city: 'Rome' } }] }];
  const responseFormat = { type: 'json', schema: { type: 'object' }, description: 'The sky.' };
  const { warnings } = await createChatcore(client)().doGenerate({ prompt, tools, responseFormat });
  assert.deepEqual(warnings.map(({ type, feature }) => [type, feature]), [
    'inputExamples of the tool weather', 'prompt part custom other.block', 'prompt part reasoning-file', 'prompt part tool-call with providerExecuted',
    'prompt part tool-result', 'prompt part tool-approval-response', 'custom content of a tool result',
  ].map((feature) => ['unsupported', feature]));
  const [{ messages: [system, user, said, result], response_format }] = requests;
  assert.equal(system.a, 1);
  assert.deepEqual([user.name, user.content[0].cache_control], ['ada', { type: 'ephemeral' }]);
  assert.deepEqual(said.tool_calls.map(({ id }) => id), ['c1']);
  assert.equal(result.content, 'clear');
  assert.equal(response_format.json_schema.schema.description, 'The sky.');
});

test('ai 7: a block that only one dialect knows goes back as it came', async () => {
  const block = { type: 'server_tool_use', id: 's1', name: 'web_search', input: { query: 'x' } };
  const answer = (content, stop_reason) => ({ id: 'x', type: 'message', role: 'assistant', model: 'm', content, stop_reason, usage: { input_tokens: 1, output_tokens: 1 } });
  const { client, requests } = asked([
    () => Response.json(answer([block, { type: 'tool_use', id: 'c1', name: 'weather', input: { city: 'Paris' } }], 'tool_use')),
    () => Response.json(answer([{ type: 'text', text: 'Clear.' }], 'end_turn')),
  ], { provider: 'anthropic', baseURL: 'https://llm.example', model: 'claude-haiku-5-5' });
  const weather = seven.tool({ description: 'the weather', inputSchema: z.object({ city: z.string() }), execute: async () => 'clear' });
  await seven.generateText({ model: createChatcore(client)(), prompt: 'Weather?', maxOutputTokens: 4000, tools: { weather }, stopWhen: (seven.stepCountIs ?? seven.isStepCount)(3) });
  assert.deepEqual(requests[1].messages[1].content[0], block);
});

test('the types are those of both versions of the interface', () => {
  const folder = mkdtempSync(path('./ai-types-'));
  try {
    writeFileSync(join(folder, 'a.mts'), `
import { generateText, streamText } from 'ai';
import { generateText as generateSix } from 'ai-6';
import type { EmbeddingModelV4, LanguageModelV4, ProviderV4 } from '@ai-sdk/provider';
import type { EmbeddingModelV3, LanguageModelV3 } from 'ai-sdk-provider-3';
import { LlmClient } from '../../dist/types/entries/index.js';
import { createChatcore } from '../../dist/types/entries/ai.js';
const client = new LlmClient({ mock: true });
const four = createChatcore(client);
four satisfies ProviderV4;
four('m') satisfies LanguageModelV4;
four.embeddingModel('m') satisfies EmbeddingModelV4;
const three = createChatcore(client, { specificationVersion: 'v3' });
three('m') satisfies LanguageModelV3;
three.embeddingModel('m') satisfies EmbeddingModelV3;
void generateText({ model: four(), prompt: 'x' });
void streamText({ model: four('m'), prompt: 'x' });
void generateSix({ model: three('m'), prompt: 'x' });
`);
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ files: ['a.mts'], compilerOptions: {
      strict: true, noEmit: true, skipLibCheck: true, target: 'es2022', lib: ['es2022', 'dom', 'dom.iterable', 'esnext.disposable'], types: ['node'], module: 'nodenext', moduleResolution: 'nodenext',
    } }));
    execFileSync(path('../node_modules/.bin/tsc'), ['-p', folder], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    assert.fail(error.stdout || error);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
