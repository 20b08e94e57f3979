// Typed answers: any Standard Schema or a JSON schema, validated, corrected, and while they are streamed.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { inspect } from 'node:util';
import * as valibot from 'valibot';
import { toStandardJsonSchema } from '@valibot/to-json-schema';
import { type } from 'arktype';
import { z } from 'zod';
import { z as mini } from 'zod/mini';
import { InvalidInputError, LlmClient, MismatchError, StreamError } from '../dist/node.js';
import { asked, calling, streamed, whole } from './replies.mjs';

const JSON_SCHEMA = {
  type: 'object', properties: { name: { type: 'string' }, age: { type: 'integer', minimum: 0 } }, required: ['name', 'age'], additionalProperties: false,
};
const zod = z.object({ name: z.string(), age: z.int().min(0) });
const SCHEMAS = {
  'zod': zod,
  'zod/mini': mini.object({ name: mini.string(), age: mini.int().check(mini.minimum(0)) }),
  'valibot': valibot.object({ name: valibot.string(), age: valibot.pipe(valibot.number(), valibot.integer(), valibot.minValue(0)) }),
  'valibot with its JSON schema': toStandardJsonSchema(valibot.object({ name: valibot.string(), age: valibot.pipe(valibot.number(), valibot.integer(), valibot.minValue(0)) })),
  'arktype': type({ name: 'string', age: 'number.integer >= 0' }),
  'a JSON schema': JSON_SCHEMA,
};
const ADA = { name: 'Ada', age: 36 };

for (const [name, schema] of Object.entries(SCHEMAS)) {
  test(`${name}: the answer has the value`, async () => {
    const { client, requests } = asked([JSON.stringify(ADA)], { provider: 'openai_chat', baseURL: 'https://llm.example/v1' });
    const answer = await client.ask('Who?', { schema });
    assert.deepEqual(answer.value, ADA);
    assert.equal(answer.text, JSON.stringify(ADA));
    assert.equal(answer.headers['x-request-id'], 'req-1');
    const { type: kind, json_schema: { strict, schema: sent } } = requests[0].response_format;
    assert.deepEqual([kind, strict, sent.type, sent.additionalProperties], ['json_schema', true, 'object', false]);
    assert.deepEqual(sent.required.toSorted(), ['age', 'name']);
  });

  test(`${name}: an answer that does not fit is an error with its path, its text and its value`, async () => {
    const { client } = asked([JSON.stringify({ name: 'Ada', age: 'sk-secret-1' })]);
    const error = await client.ask('Who?', { schema }).catch((error) => error);
    assert.ok(error instanceof MismatchError && error instanceof StreamError, `${error}`);
    assert.deepEqual([error.name, error.code, error.path, error.attempts], ['MismatchError', 'invalid_output', 'age', 1]);
    assert.deepEqual(error.value, { name: 'Ada', age: 'sk-secret-1' });
    assert.equal(error.partialText, '{"name":"Ada","age":"sk-secret-1"}');
    assert.equal(error.response.usage.inputTokens, 5);
    assert.match(error.message, /^the answer's JSON \(\w+\) does not fit: at age, /);
    assert.match(error.message, /; the schema was only in the prompt, and no JSON mode was used: .*, or set repairs without a stream, so that the model/);
    assert.ok(!error.message.includes('sk-secret'), error.message);
    assert.ok(!inspect({ ...error, partialText: '' }).includes('sk-secret'), inspect(error));
    assert.match(error.stack, /typed\.test\.mjs/);
  });
}

test('an answer that the provider should have held to the schema is told without advice', async () => {
  for (const [options, told] of [
    [{ provider: 'openai_chat', baseURL: 'https://llm.example/v1' }, /^((?!prompt).)*$/],
    [{ provider: 'deepseek', baseURL: 'https://llm.example' }, /only in the prompt, and the provider enforced no more than JSON: .* set repairs without a stream/],
  ]) {
    const { client } = asked(['Sorry.'], options);
    const error = await client.ask('Who?', { schema: zod }).catch((error) => error);
    assert.match(error.message, /at \., the text is not JSON: expected value/);
    assert.match(error.message, told);
    const streaming = await asked([() => streamed(['Sorry.'])], options).client.askStream('Who?', { schema: zod }).final().catch((error) => error);
    assert.match(streaming.message, told);
  }
});

test('what only the validator demands is checked, transforms are applied, and the model is told', async () => {
  const schema = z.object({ when: z.string().transform((text) => new Date(text)), code: z.string().refine((code) => code === 'x', 'must be x') });
  const { client, requests } = asked(['{"when":"2026-01-02","code":"y"}', 'Sorry: ```json\n{"when":"2026-01-02","code":"x"}\n```']);
  const { value, attempts, usage } = await client.ask('When?', { schema, repairs: 1 });
  assert.deepEqual(value, { when: new Date('2026-01-02'), code: 'x' });
  assert.deepEqual([attempts, usage.inputTokens, usage.outputTokens], [2, 10, 14]);
  assert.deepEqual(requests[1].messages.slice(-2), [
    { role: 'assistant', content: '{"when":"2026-01-02","code":"y"}' },
    { role: 'user', content: 'That answer does not match the JSON schema: at code, must be x. Answer again with the whole corrected JSON, and with nothing else.' },
  ]);
});

test('corrections end with the attempts, and are not made for an answer that was cut', async () => {
  const bad = '{"name":"Ada"}';
  const three = asked([bad]);
  const error = await three.client.ask('Who?', { schema: zod, repairs: 9, maxAttempts: 3 }).catch((error) => error);
  assert.deepEqual([error.name, error.attempts, error.path, three.requests.length], ['MismatchError', 3, 'age', 3]);
  const byClient = asked([bad], { maxAttempts: 2 });
  await assert.rejects(byClient.client.ask('Who?', { schema: zod, repairs: 9 }), { attempts: 2 });
  const cut = asked([() => whole('{"name":"Ad', 'length')]);
  const tooLong = await cut.client.ask('Who?', { schema: zod, repairs: 2 }).catch((error) => error);
  assert.match(tooLong.message, /cut before its JSON was complete; raise maxTokens/);
  assert.deepEqual([tooLong.value, cut.requests.length], [{ name: 'Ad' }, 1]);
  const tool = asked([() => calling(['1', 'f', {}])]);
  await assert.rejects(tool.client.ask('Who?', { schema: zod, repairs: 2, tools: [{ name: 'f', parameters: { type: 'object' } }] }), /called a tool instead of answering/);
  const failing = asked([bad, () => Response.json({ error: { message: 'no' } }, { status: 400 })]);
  await assert.rejects(failing.client.ask('Who?', { schema: zod, repairs: 2 }), { code: 'bad_request', attempts: 2 });
});

test('the whole call with its corrections has one time limit', async () => {
  const never = asked(['{}', ({ signal }) => new Promise((_, reject) => { signal.addEventListener('abort', () => reject(signal.reason)); })]);
  await assert.rejects(never.client.ask('Who?', { schema: zod, repairs: 1, timeoutMs: 50 }), { code: 'timeout', phase: 'overall' });
  // The limit is over when the first answer is checked, so that the next one is not waited for.
  const late = asked(['{}', () => new Promise(() => {})]);
  const slow = { '~standard': { ...zod['~standard'], validate: async (value) => {
    await new Promise((later) => { setTimeout(later, 60); });
    return zod['~standard'].validate(value);
  } } };
  await assert.rejects(late.client.ask('Who?', { schema: slow, jsonSchema: JSON_SCHEMA, repairs: 5, timeoutMs: 40 }), { code: 'timeout', phase: 'overall' });
});

test('a schema that is no object is wrapped for the provider, and paths are those of the caller', async () => {
  const { client, requests } = asked(['{"value":[1,2]}', '{"value":[1,"2"]}'], { provider: 'openai_chat', baseURL: 'https://llm.example/v1' });
  assert.deepEqual((await client.ask('Which?', { schema: z.array(z.number()) })).value, [1, 2]);
  assert.equal(requests[0].response_format.json_schema.schema.properties.value.type, 'array');
  await assert.rejects(client.ask('Which?', { schema: z.array(z.number()) }), { path: '[1]' });
});

test('a property that the model had to write as null is left out', async () => {
  const { client } = asked(['{"name":"Ada","age":null}'], { provider: 'openai_chat', baseURL: 'https://llm.example/v1' });
  assert.deepEqual((await client.ask('Who?', { schema: z.object({ name: z.string(), age: z.number().optional() }) })).value, { name: 'Ada' });
});

test('every case of the core’s table is sent as it says', async () => {
  const cases = JSON.parse(readFileSync(new URL('../../core/cases/schemas.json', import.meta.url), 'utf8'));
  const providers = { strict: 'openai_chat', anthropic: 'anthropic', gemini: 'gemini', grammar: 'llamacpp' };
  let refused = 0;
  for (const { name, schema, sent } of cases) {
    for (const [kind, provider] of Object.entries(providers)) {
      const { client, requests } = asked([() => Response.json({}, { status: 418 })], { provider, baseURL: 'https://llm.example', model: 'm' });
      const error = await client.ask('x', { schema }).catch((error) => error);
      if (sent[kind].error) {
        assert.ok(error instanceof InvalidInputError && error.message.includes(sent[kind].error), `${name}, ${kind}: ${error}`);
        assert.match(error.message, /schemaInPrompt: true/);
        assert.equal(requests.length, 0);
        refused += 1;
        continue;
      }
      assert.equal(requests.length, 1, `${name}, ${kind}: ${error}`);
      const [{ response_format, output_config, generationConfig }] = requests;
      const found = response_format?.json_schema?.schema ?? output_config?.format?.schema ?? generationConfig?.responseJsonSchema ?? generationConfig?.responseSchema;
      assert.deepEqual(found, sent[kind], `${name}, ${kind}`);
    }
  }
  assert.ok(refused > 3, `${refused}`);
});

test('a provider with JSON mode only, or with nothing, gets the schema in the prompt', async () => {
  for (const [provider, format] of [['deepseek', { type: 'json_object' }], ['openai_compatible', undefined]]) {
    const { client, requests } = asked(['Here: {"name":"Ada","age":36}.'], { provider });
    const messages = [{ role: 'user', content: [{ type: 'text', text: 'Who?' }, { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } }] }];
    assert.deepEqual((await client.ask(messages, { schema: zod, systemPrompt: 'Be brief.' })).value, ADA);
    assert.deepEqual(requests[0].response_format, format);
    const [system, user] = requests[0].messages;
    assert.match(system.content, /^Be brief\.\n\nAnswer with one JSON object that matches this JSON schema[^]*"age"/);
    assert.equal(user.content[1].image_url.url, 'https://example.com/a.png');
  }
  const strict = asked([JSON.stringify(ADA)], { provider: 'openai_chat', baseURL: 'https://llm.example/v1' });
  await strict.client.ask('Who?', { schema: zod, schemaInPrompt: true });
  assert.equal(strict.requests[0].messages[0].role, 'system');
});

test('beside tools, a provider that cannot have both gets the schema in the prompt', async () => {
  const { client, requests } = asked([JSON.stringify(ADA)], { provider: 'llamacpp', baseURL: 'http://127.0.0.1:9/v1', model: 'm' });
  const tools = [{ type: 'function', function: { name: 'f' } }];
  assert.deepEqual((await client.ask('Who?', { schema: zod, tools })).value, ADA);
  assert.equal(requests[0].response_format, undefined);
  assert.match(requests[0].messages[0].content, /matches this JSON schema/);
});

test('every part of a conversation reaches the request as without a schema', async () => {
  const messages = [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: [{ type: 'text', text: 'a', extra: { cache_control: { type: 'ephemeral' } } }] },
    { role: 'assistant', content: [
      { type: 'reasoning', text: 'hm', signature: 'proof' }, { type: 'text', text: 'calling' }, { type: 'tool_call', id: 'c1', name: 'f', arguments: '{"a":1}' },
    ] },
    { role: 'tool', content: [{ type: 'tool_result', call_id: 'c1', content: [{ type: 'text', text: '1' }], is_error: true }] },
    { role: 'assistant', content: 'done' },
    { role: 'user', content: [{ type: 'file', name: 'a.pdf', source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' } }] },
  ];
  const bodies = [];
  for (const more of [{}, { schema: zod }]) {
    const { client, requests } = asked([() => Response.json({}, { status: 418 })], { provider: 'anthropic', baseURL: 'https://llm.example', model: 'claude-haiku-5-5' });
    await client.ask(messages, { maxTokens: 5000, ...more }).catch(() => {});
    bodies.push(requests[0]);
  }
  assert.deepEqual(bodies[1].messages, bodies[0].messages);
  assert.deepEqual(bodies[1].system, bodies[0].system);
});

test('a stream grows a value, and ends in a validated one', async () => {
  const pieces = ['{"na', 'me":"A', 'da","a', 'ge":3', '6}'];
  const { client } = asked([() => streamed(pieces)]);
  const stream = client.askStream('Who?', { schema: zod });
  const values = [];
  for await (const value of stream.partial()) values.push(value);
  assert.deepEqual(values, [{}, { name: 'A' }, { name: 'Ada' }, ADA]);
  const answer = await stream.final();
  assert.deepEqual(answer.value, ADA);
  assert.equal(await stream.final(), answer);
  // A wrapped schema grows without its wrapper; text that was read before counts.
  const list = asked([() => streamed(['Here: {"value":["a', 'b","', 'c"]}'])]).client.chatStream('Which?', { schema: z.array(z.string()) });
  const events = list[Symbol.asyncIterator]();
  while ((await events.next()).value.type !== 'text');
  const grown = [];
  for await (const value of list.partial()) grown.push(value);
  assert.deepEqual(grown, [['ab', ''], ['ab', 'c']]);
  assert.deepEqual((await list.final()).value, ['ab', 'c']);
  // Without a schema, any JSON.
  const free = asked([() => streamed(['[1,', '2]'])]).client.askStream('Which?');
  const seen = [];
  for await (const value of free.partial()) seen.push(value);
  assert.deepEqual(seen, [[1], [1, 2]]);
});

test('a stream that does not fit is an error at its end; leaving it ends the call; a wrong schema is told before', async () => {
  const stream = asked([() => streamed(['{"age":1,"name":', '1}'])]).client.askStream('Who?', { schema: zod });
  const values = [];
  for await (const value of stream.partial()) values.push(value);
  assert.deepEqual(values, [{ age: 1 }, { age: 1, name: 1 }]);
  await assert.rejects(stream.final(), (error) => error instanceof MismatchError && error.path === 'name' && /typed\.test/.test(error.stack));
  const body = new ReadableStream({ start(controller) { controller.enqueue(new TextEncoder().encode('data: {"choices":[{"index":0,"delta":{"content":"{\\"name\\":"}}]}\n\n')); } });
  const { client, requests } = asked([() => new Response(body, { headers: { 'content-type': 'text/event-stream' } })]);
  for await (const value of client.askStream('Who?', { schema: zod }).partial()) {
    assert.deepEqual(value, {});
    break;
  }
  assert.equal(requests[0].signal.aborted, true);
  await client.close();
  await assert.rejects(asked(['']).client.askStream('x', { schema: z.object({ when: z.date() }) }).final(), /give the JSON schema as jsonSchema/);
});

test('what is wrong with a schema is told before anything is sent', async () => {
  const { client, requests } = asked(['{}']);
  const unknown = { '~standard': { version: 1, vendor: 'other', validate: (value) => ({ value }) } };
  const loop = {};
  loop.properties = loop;
  for (const [options, why] of [
    [{ schema: 'x' }, /neither a Standard Schema/], [{ schema: unknown }, /\(of other\) has no JSON schema of its own; give it as jsonSchema/],
    [{ schema: z.bigint() }, /cannot be written as a JSON schema/], [{ schema: loop }, /cannot be written as JSON/],
    [{ schema: zod, repairs: -1 }, /repairs is -1/], [{ schema: zod, max_tokens: 1 }, /unknown option max_tokens/],
  ]) {
    await assert.rejects(client.ask('x', options), (error) => {
      assert.ok(error instanceof InvalidInputError, inspect(error));
      assert.match(error.message, why);
      return true;
    });
  }
  assert.equal(requests.length, 0);
  assert.deepEqual((await client.ask('x', { schema: unknown, jsonSchema: { type: 'object' } })).value, {});
});

test('an abort ends a typed call, also while it is corrected', async () => {
  const controller = new AbortController();
  await assert.rejects(asked(['{}']).client.ask('x', { schema: zod, signal: AbortSignal.abort() }), { code: 'aborted' });
  const { client, requests } = asked(['{}', () => { controller.abort(); return new Promise(() => {}); }]);
  await assert.rejects(client.ask('x', { schema: zod, repairs: 3, signal: controller.signal }), { name: 'AbortError' });
  assert.equal(requests.length, 2);
});

test('a client that closes waits for typed calls, and accepts no more', async () => {
  const { client, requests } = asked(['{}', JSON.stringify(ADA)]);
  const answer = client.ask('x', { schema: zod, repairs: 1 });
  await client.close();
  assert.deepEqual((await answer).value, ADA);
  assert.equal(requests.length, 2);
  await assert.rejects(client.ask('x', { schema: zod }), { code: 'closed' });
});

test('batches take schemas', async () => {
  const { client } = asked([JSON.stringify(ADA)]);
  const [one, two] = await client.processBatch([{ prompt: 'a', schema: zod }, { messages: [{ role: 'user', content: 'b' }], schema: z.string() }]);
  assert.deepEqual(one.value.value, ADA);
  assert.ok(!two.ok && two.error instanceof MismatchError);
});

test('JSON schemas in the form of chat completions', async () => {
  const { client, requests } = asked(['{}'], { provider: 'openai_chat', baseURL: 'https://llm.example/v1' });
  const json_schema = { name: 'n', schema: { type: 'object', properties: {} }, strict: true, description: 'A person.' };
  await client.ask('x', { responseFormat: { type: 'json_schema', json_schema } });
  assert.deepEqual(requests[0].response_format, {
    type: 'json_schema', json_schema: { name: 'n', strict: true, schema: { description: 'A person.', type: 'object', properties: {} } },
  });
  const spaced = asked([() => Response.json({}, { status: 418 })], { provider: 'anthropic', baseURL: 'https://llm.example', model: 'claude-haiku-5-5' });
  await spaced.client.ask('x', { responseFormat: { type: 'json_schema', json_schema } }).catch(() => {});
  assert.equal(spaced.requests[0].output_config.format.schema.description, 'A person.');
});

test('a mock answers a typed call', async () => {
  const client = new LlmClient({ mock: () => JSON.stringify(ADA) });
  assert.deepEqual((await client.chatAsync('Who?', { schema: zod })).value, ADA);
});
