// Invalid arguments of a call: the error says what to write instead. OpenAI's forms are accepted.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvalidInputError, LlmClient } from '../dist/node.js';

const body = { choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'hi' } }] };
const client = (options = {}) => {
  const bodies = [];
  const fetch = async (_url, init) => {
    bodies.push(JSON.parse(new TextDecoder().decode(init.body)));
    return Response.json(body);
  };
  return { bodies, client: new LlmClient({ baseURL: 'https://llm.example/v1', model: 'm', apiKey: 'k-0123456789', maxAttempts: 1, fetch, ...options }) };
};
const schema = { type: 'object', properties: { city: { type: 'string' } } };

test('a prompt that is none', async () => {
  const { client: llm, bodies } = client();
  for (const [call, said] of [
    [() => llm.ask(undefined), /^the prompt is undefined; give a text/], [() => llm.ask(null), /^the prompt is null;/],
    [() => llm.chatAsync(undefined), /^the prompt is undefined;/], [() => llm.chatStream(undefined).final(), /^the prompt is undefined;/],
    [() => llm.askStream(7).final(), /^the prompt is a number;/], [() => llm.ask({ role: 'user', content: 'x' }), /^the prompt is an object; .* an array of messages/],
    [() => llm.chatWithContextAsync(undefined), /^messages are undefined;/],
    [() => llm.ask(undefined, { systemPrompt: 's' }), /^the prompt is undefined;/],
  ]) await assert.rejects(call, (error) => error instanceof InvalidInputError && said.test(error.message), String(call));
  assert.deepEqual(bodies, []);
});

test('an item of a batch with neither prompt nor messages', async () => {
  const { client: llm, bodies } = client();
  const results = await llm.processBatch([{ promt: 'x', seed: 1 }, { seed: 1 }, { prompt: undefined }, null]);
  const said = results.map(({ ok, error }) => ok || (error instanceof InvalidInputError && error.message));
  assert.match(said[0], /neither prompt nor messages, and the unknown promt;/);
  assert.match(said[1], /neither prompt nor messages; give/);
  assert.match(said[2], /^the prompt is undefined;/);
  assert.match(said[3], /neither a prompt nor a conversation/);
  assert.deepEqual(bodies, []);
  assert.deepEqual((await llm.processBatch([{ prompt: 'x' }, [{ role: 'user', content: 'x' }]])).map(({ ok }) => ok), [true, true]);
});

test('tools and their choice in OpenAI\'s form', async () => {
  const { client: llm, bodies } = client();
  const own = { name: 'weather', description: 'tells it', parameters: schema, strict: true };
  const openai = { type: 'function', function: own };
  const choice = { type: 'function', function: { name: 'weather' } };
  await llm.ask('x', { tools: [own], toolChoice: { tool: 'weather' } });
  await llm.ask('x', { tools: [openai], toolChoice: choice });
  assert.deepEqual(bodies[0].tools, [openai]);
  assert.deepEqual(bodies[1], bodies[0]);
  // Without parameters the tool takes none. A field beside the function is kept there. A null field is left out.
  await llm.ask('x', { tools: [{ type: 'function', function: { name: 'now', strict: null }, cache_control: { type: 'ephemeral' } }] });
  assert.deepEqual(bodies[2].tools, [
    { type: 'function', function: { name: 'now', parameters: { type: 'object', properties: {} } }, cache_control: { type: 'ephemeral' } },
  ]);
});

test('what is no tool', async () => {
  const { client: llm, bodies } = client();
  for (const [tool, said] of [
    [{ name: 'now' }, /^tools\[0\] \(now\) has no parameters; write .* \{ type: 'object', properties: \{\} \} where it takes none/],
    [{ name: 'now', input_schema: schema }, /call its input_schema parameters/],
    [{ parameters: schema }, /^tools\[0\] has no name; write \{ name, description, parameters \}/],
    [{ definition: { name: 'now', parameters: schema }, run() {} }, /^tools\[0\] is a tool that runs; give it to runTools or streamTools of chatcore\/tools/],
    [{ type: 'web_search' }, /has the type web_search .*extra: \{ tools: /],
    [{ type: 'function', function: { parameters: schema } }, /has no name/], ['weather', /is no object/], [null, /is no object/],
  ]) await assert.rejects(llm.ask('x', { tools: [tool] }), (error) => error instanceof InvalidInputError && said.test(error.message), JSON.stringify(tool));
  await assert.rejects(llm.ask('x', { tools: 'weather' }), { code: 'invalid_input' });
  assert.deepEqual(bodies, []);
});

test('an error of embeddings names baseURL', async () => {
  for (const answer of [() => new Response('<html>', { headers: { 'content-type': 'text/html' } }), () => new Response('', { status: 404 }), () => Response.json({})]) {
    const { client: llm } = client({ fetch: async () => answer() });
    await assert.rejects(llm.embed('x'), (error) => /\(baseURL\)/.test(error.message) && !/LLM_/.test(error.message));
  }
});
