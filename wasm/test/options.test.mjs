// Every option reaches the core with its meaning. Invalid options are refused early, with typed errors.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { InvalidInputError, ClosedError, LlmClient, LlmError, TimeoutError, runWithTimeout, toolResult } from '../dist/node.js';
import { start } from './server.mjs';
import { sources } from './sources.mjs';

let server;
const variables = Object.keys(process.env).filter((name) => /^(LLM_|OPENAI_|DEEPSEEK_|ANTHROPIC_|USE_MOCK)/.test(name));
for (const name of variables) delete process.env[name];
before(async () => { server = await start(); });
after(() => server.stop());

const client = (path, options = {}) => new LlmClient({ baseURL: `${server.base}/${path}/v1`, model: 'm', maxAttempts: 1, ...options });
const sent = async (key, n = 0) => {
  const seen = (await server.requests(key))[n];
  return { headers: Object.fromEntries(seen.headers), body: JSON.parse(seen.body) };
};
const isConfig = (pattern) => (error) => {
  assert.ok(error instanceof LlmError, `${error}`);
  assert.equal(error.code, 'config');
  assert.match(error.message, pattern);
  return true;
};

test('what a call may say is what the provider gets', async () => {
  const tool = { name: 'weather', description: 'tells it', parameters: { type: 'object', properties: { city: { type: 'string' } } }, strict: true };
  const schema = { type: 'object', properties: {} };
  await client('key/all').chatAsync('x', {
    model: 'other', temperature: 0.5, maxTokens: 7, systemPrompt: 'be brief', topP: 0.9, stop: ['a', 'b'], seed: 3,
    tools: [tool], toolChoice: { tool: 'weather' }, reasoningEffort: 'high',
    responseFormat: { type: 'json_schema', name: 'n', schema, strict: true }, extra: { user: 'u' },
  });
  const { body } = await sent('all');
  assert.deepEqual(body, {
    model: 'other', temperature: 0.5, max_tokens: 7, top_p: 0.9, stop: ['a', 'b'], seed: 3, user: 'u',
    messages: [{ role: 'system', content: 'be brief' }, { role: 'user', content: 'x' }],
    tools: [{ type: 'function', function: tool }],
    tool_choice: { type: 'function', function: { name: 'weather' } }, reasoning_effort: 'high',
    response_format: { type: 'json_schema', json_schema: { name: 'n', schema, strict: true } },
    // The model reasons, so the answer may take long.
    stream: true, stream_options: { include_usage: true },
  });
});

test('keys keep their order, so that a model reasons before it answers', async () => {
  const schema = { type: 'object', properties: { steps: { type: 'array', z: 1, a: 2 }, answer: { type: 'string' } } };
  await client('key/order').chatAsync('x', {
    tools: [{ name: 'f', parameters: schema }], extra: { options: schema },
    responseFormat: { type: 'json_schema', name: 'n', schema, strict: true },
  });
  const { body } = await sent('order');
  for (const found of [body.tools[0].function.parameters, body.response_format.json_schema.schema, body.options]) {
    assert.equal(JSON.stringify(found), JSON.stringify(schema));
  }
});

test('a whole answer comes as a stream underneath where that is asked for', async () => {
  const answers = [];
  for (const [key, ofClient, ofCall] of [['never', false, undefined], ['always', undefined, true], ['not this', true, false]]) {
    const one = client(`key/as-stream-${key.replace(' ', '')}`, { fetchAsStream: ofClient });
    answers.push((await one.chatAsync('x', { reasoningEffort: 'high', fetchAsStream: ofCall })).text);
    assert.equal((await sent(`as-stream-${key.replace(' ', '')}`)).body.stream, ofCall ?? ofClient ? true : undefined, key);
  }
  assert.deepEqual(answers, ['echo: x', 'echo: x', 'echo: x']);
});

for (const [option, value, field, wire] of [
  ['toolChoice', 'none', 'tool_choice', 'none'], ['toolChoice', 'auto', 'tool_choice', 'auto'],
  ['responseFormat', { type: 'json_object' }, 'response_format', { type: 'json_object' }],
  ['responseFormat', { type: 'text' }, 'response_format', { type: 'text' }],
  ['responseFormat', { type: 'json_schema', name: 'n', schema: {} }, 'response_format',
    { type: 'json_schema', json_schema: { name: 'n', schema: {}, strict: false } }],
  ['reasoningEffort', 'its own word', 'reasoning_effort', 'its own word'],
  ['temperature', null, 'temperature', undefined], ['maxTokens', null, 'max_tokens', undefined],
]) {
  test(`${option}: ${JSON.stringify(value)}`, async () => {
    const key = `one-${option}-${JSON.stringify(value).replaceAll(/\W/g, '')}`;
    await client(`key/${key}`).chatAsync('x', { [option]: value });
    assert.deepEqual((await sent(key)).body[field], wire);
  });
}

test('the defaults of a prompt and of a conversation, whole and streamed', async () => {
  const one = client('key/defaults');
  await one.chatAsync('x');
  await one.chatWithContextAsync([{ role: 'user', content: 'x' }]);
  await one.chatStream('x').final();
  await one.chatStream([{ role: 'user', content: 'x' }]).final();
  const bodies = [];
  for (let n = 0; n < 4; n += 1) bodies.push((await sent('defaults', n)).body);
  assert.deepEqual(bodies.map(({ temperature }) => temperature), [0, 0.7, 0, 0.7]);
  assert.deepEqual(bodies.map((body) => body.max_tokens), [256, 256, 256, 256]);
});

test('a conversation with pictures and tools', async () => {
  const call = { type: 'tool_call', id: 'c1', name: 'weather', arguments: '{"city":"Paris"}' };
  await client('key/parts').chatWithContextAsync([
    { role: 'user', content: [{ type: 'text', text: 'x' }, { type: 'image', source: { type: 'url', url: 'https://x.example/a.png' }, detail: 'low' }] },
    { role: 'assistant', content: [call] }, toolResult('c1', 'rain'),
  ]);
  const { messages } = (await sent('parts')).body;
  assert.deepEqual(messages[0].content[1], { type: 'image_url', image_url: { url: 'https://x.example/a.png', detail: 'low' } });
  assert.deepEqual(messages[1].tool_calls[0].function, { name: 'weather', arguments: '{"city":"Paris"}' });
  assert.deepEqual(messages[2], { role: 'tool', tool_call_id: 'c1', content: 'rain' });
});

test('the tools that an answer asks for, and all else that it says', async () => {
  const fetch = async () => Response.json({
    id: 'a', model: 'b', system_fingerprint: 'fp', usage: { prompt_tokens: 1, completion_tokens: 2, cost: 3 },
    choices: [{ finish_reason: 'tool_calls', message: { role: 'assistant', content: null, tool_calls: [
      { id: 'c1', type: 'function', function: { name: 'weather', arguments: '{"city":"Paris"}' } }] } }],
  });
  const one = client('ok', { fetch });
  const answer = await one.chatAsync('x');
  assert.equal(answer.text, '');
  assert.equal(answer.finishReason, 'tool_calls');
  assert.equal(answer.finishReasonRaw, 'tool_calls');
  assert.deepEqual(answer.toolCalls.map(({ id, name }) => [id, name]), [['c1', 'weather']]);
  assert.deepEqual(JSON.parse(answer.toolCalls[0].arguments), { city: 'Paris' });
  assert.equal(answer.refusal, null);
  assert.equal(answer.extra.system_fingerprint, 'fp');
  assert.equal(JSON.parse(answer.usage.rawJson).cost, 3);
  // The part is sent back unchanged.
  await one.chatWithContextAsync([{ role: 'user', content: 'x' }, answer.message, toolResult('c1', 'rain')]);
});

test('headers of one call', async () => {
  const one = client('key/headers', { apiKey: 'k', headers: { 'X-Tenant': 'a' } });
  await one.chatAsync('x', { headers: { 'X-Tenant': 'b', 'Idempotency-Key': '1' } });
  await one.chatStream('x', { headers: { 'X-Tenant': 'c' } }).final();
  await one.chatAsync('x');
  const all = [];
  for (let n = 0; n < 3; n += 1) all.push((await sent('headers', n)).headers);
  assert.deepEqual(all.map((headers) => headers['x-tenant']), ['b', 'c', 'a']);
  assert.deepEqual(all.map((headers) => headers['idempotency-key']), ['1', undefined, undefined]);
  const isRefused = (error) => error instanceof InvalidInputError && error.code === 'invalid_input' && !error.message.includes('secret');
  for (const headers of [{ Authorization: 'Bearer x' }, { 'content-type': 'text/plain' }, { 'a b': 'my secret' }, { a: 'my\nsecret' }, { a: 1 },
    { Host: 'elsewhere' }, { 'X-Api-Key': 'k' }]) await assert.rejects(one.chatAsync('x', { headers }), isRefused);
  assert.equal((await server.requests('headers')).length, 3);
});

test('what the dialect sets itself is not for one call, unless the client has replaced it', async () => {
  const headers = { 'Anthropic-Version': '2020-01-01' };
  const isRefused = (error) => error instanceof InvalidInputError && /anthropic-version/.test(error.message);
  const seen = [];
  const fetch = async (_url, init) => { seen.push(init.headers['anthropic-version']); return Response.json({}, { status: 400 }); };
  const ask = (options) => client('x', { fetch, ...options }).chatAsync('x', { headers });
  await assert.rejects(ask({ provider: 'anthropic' }), isRefused);
  assert.deepEqual(seen, []);
  for (const options of [{ provider: 'anthropic', headers: { 'anthropic-version': '2023-06-01' } }, {}]) {
    await assert.rejects(ask(options), (error) => error.status === 400);
  }
  assert.deepEqual(seen, ['2020-01-01', '2020-01-01']);
});

test('headers go with each attempt, and those of the client may replace the core\'s', async () => {
  const seen = [];
  const fetch = async (...all) => { seen.push([all.length, all[1].headers]); return Response.json({}, { status: 503 }); };
  const one = client('x', { apiKey: 'k', fetch, maxAttempts: 2, headers: { Authorization: 'Basic x', 'x-none': undefined } });
  await assert.rejects(one.chatAsync('x', { headers: { 'X-Mine': '1' } }));
  const headers = { 'content-type': 'application/json', authorization: 'Basic x', 'x-mine': '1' };
  assert.deepEqual(seen, [[2, headers], [2, headers]]);
});

test('a call that cannot be sent rejects, and never throws', async () => {
  const one = client('key/never');
  const circle = {};
  circle.self = circle;
  for (const options of [
    { temperature: NaN }, { maxTokens: Infinity }, { maxTokens: 1.5 }, { temperature: 3 }, { seed: NaN }, { stop: [''] },
    { extra: circle }, { extra: { big: 1n } }, { toolChoice: { tool: 'nobody' } }, { toolChoice: 'maybe' },
    { timeouts: { byteIdle: NaN } }, { max_tokens: 3 }, { timeoutMs: -1 }, { timeoutMs: '1s' },
  ]) {
    const isBad = (error) => error instanceof InvalidInputError && error.code === 'invalid_input' && error.attempts === 0;
    await assert.rejects(one.chatAsync('x', options), isBad);
    await assert.rejects(one.chatStream('x', options).final(), isBad);
  }
  await assert.rejects(one.chatAsync(undefined), InvalidInputError);
  await assert.rejects(one.chatWithContextAsync(undefined), InvalidInputError);
  await assert.rejects(one.chatWithContextAsync([]), InvalidInputError);
  assert.equal((await server.requests('never')).length, 0);
});

test('Infinity lifts a time limit, and a limit of the call replaces the client’s', async () => {
  const one = client('delay/150ms', { timeoutMs: 50 });
  await assert.rejects(one.chatAsync('x'), TimeoutError);
  assert.equal((await one.chatAsync('x', { timeoutMs: Infinity })).text, 'echo: x');
  assert.equal((await one.chatAsync('x', { timeouts: { overall: Infinity } })).text, 'echo: x');
  const patient = client('delay/150ms', { timeoutMs: Infinity });
  assert.equal((await patient.chatAsync('x')).text, 'echo: x');
  await assert.rejects(patient.chatAsync('x', { timeouts: { headers: 20 } }), (error) => error.phase === 'headers');
});

test('a limit of more than 24.8 days, the longest that a host has, does not run out at once', async () => {
  const days = 86_400_000;
  assert.equal((await client('delay/50ms').chatAsync('x', { timeoutMs: 30 * days })).text, 'echo: x');
  assert.equal(await runWithTimeout(() => new Promise((resolve) => setTimeout(resolve, 30, 'done')), 60 * days), 'done');
});

/** A whole answer to a chat, as a provider sends it. */
const answered = (text) => new Response(
  JSON.stringify({ choices: [{ message: { role: 'assistant', content: text }, finish_reason: 'stop' }] }),
  { headers: { 'content-type': 'application/json' } });

test('adaptive: the number in flight follows what the provider bears', async () => {
  const [BEARS, delay] = [3, () => new Promise((resolve) => setTimeout(resolve, 5))];
  let [inFlight, refused] = [0, 0];
  const fetch = async () => {
    inFlight += 1;
    try {
      if (inFlight > BEARS) { refused += 1; return new Response('', { status: 429, headers: { 'retry-after': '0' } }); }
      await delay();
      return answered('yes');
    } finally { inFlight -= 1; }
  };
  const client = new LlmClient({ baseURL: 'http://127.0.0.1:1/v1', model: 'm', fetch, adaptive: { start: 12, max: 16 }, maxAttempts: 50 });
  assert.deepEqual([client.status().maxWorkers, client.status().limit], [16, 12]);
  const ask = (length) => client.processBatch(Array.from({ length }, () => 'x'), { concurrency: 20 });
  // The client learns from the refusal.
  await ask(60);
  assert.ok(refused > 0);
  assert.ok(client.status().limit <= BEARS + 1, JSON.stringify(client.status()));
  refused = 0;
  assert.ok((await ask(60)).every(({ ok }) => ok));
  assert.ok(refused <= 6, `${refused} of 60 refused`);
});

test('hedging: a second request when the first content is late, and the late one is aborted', async () => {
  const sent = [];
  const fetch = async (_, { signal }) => {
    sent.push(signal);
    if (sent.length === 2) return answered('the second');
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  };
  const client = new LlmClient({ baseURL: 'http://127.0.0.1:1/v1', model: 'm', fetch, hedging: { afterMs: 20 } });
  assert.equal((await client.chatAsync('x')).text, 'the second');
  assert.deepEqual(sent.map((signal) => signal.aborted), [true, false]);
  assert.equal(client.status().active, 0);
});

test('the constructor tells what is wrong', () => {
  const good = { apiKey: 'k' };
  for (const [options, pattern] of [
    [{ provider: 'opnai' }, /^the provider is opnai, which is not the name of a provider: did you mean openai\? It must be one of/],
    [{ provider: 'Open-AI' }, /did you mean openai\?/],
    [{ provider: 'nobody' }, /: it must be one of deepseek, openai.*; for any other server.* use openai_compatible and set baseURL$/],
    [{ provider: 'openai' }, /^no API key for openai: give the option apiKey, or set the variable OPENAI_API_KEY or LLM_API_KEY/],
    [{}, /DEEPSEEK_API_KEY/],
    [{ ...good, baseUrl: 'https://x.example' }, /unknown option baseUrl/],
    [{ apiKey: '' }, /API key is empty/],
    [{ apiKey: 'sk-\nsecret' }, /line break/],
    [{ ...good, workers: 0 }, /workers is 0; it must be a whole number of at least 1/],
    [{ ...good, workers: 1.5 }, /workers is 1.5/],
    [{ ...good, workers: NaN }, /workers is NaN/],
    [{ ...good, queueSize: -1 }, /queueSize is -1; it must be a whole number of at least 0/],
    [{ ...good, maxAttempts: 0 }, /1 means no retries/],
    [{ ...good, timeoutMs: -5 }, /overall is -5/],
    [{ ...good, timeouts: { byteIdle: 'soon' } }, /byteIdle is soon/],
    [{ ...good, limits: { requestsPerMinute: 0 } }, /limits.requestsPerMinute is 0/],
    [{ ...good, adaptive: { max: 0 } }, /adaptive.max is 0/],
    [{ ...good, hedging: {} }, /afterMs.*or a quantile/],
    [{ ...good, hedging: { quantile: 2 } }, /quantile from 0.5/],
    [{ ...good, hedging: { afterMs: 5, quantile: 0.9 } }, /either afterMs/],
    [{ ...good, headers: { 'a b': 'c' } }, /header "a b" cannot be sent/],
    [{ ...good, provider: 'bedrock', baseURL: 'https://bedrock-mantle.REGION.api.aws/v1', model: 'm' }, /placeholder in it: replace REGION with your own value$/],
    [{ ...good, baseURL: '/api/v1', model: 'm' }, /baseURL "\/api\/v1" is not absolute/],
    [{ ...good, baseURL: 'http://api.openai.com/v1', model: 'm' }, /the API key would be sent unencrypted to api.openai.com.*allowHttp: true/],
    [{ ...good, baseURL: 'ftp://127.0.0.1/v1', model: 'm' }, /neither https nor http/],
    [{ ...good, baseURL: 'https://me:pw@x.example/v1', model: 'm' }, /user name/],
    [{ ...good, baseURL: undefined }, /baseURL is undefined, for example because a variable is not set/],
    [{ ...good, baseURL: '' }, /baseURL is empty/],
    [{ ...good, provider: undefined }, /provider is undefined/],
    [{ ...good, maxRequestBytes: 0 }, /maxRequestBytes is 0/],
    [{ ...good, baseURL: 'https://x.example/v1' }, /openai_compatible has no default model: set model$/],
    [{ ...good, provider: 'openai_compatible', model: 'm' }, /has no default baseURL: set baseURL$/],
    [{ ...good, provider: 'openai_compatible' }, /has no default model and no default baseURL: set model and baseURL$/],
    [{ ...good, provider: 'vertex' }, /vertex has no default baseURL: set baseURL, for example to https:\/\/LOCATION-aiplatform\./],
    [{ ...good, provider: 'bedrock' }, /set model and baseURL, for example to https:\/\/bedrock-mantle\.REGION\.api\.aws\/v1$/],
  ]) {
    assert.throws(() => new LlmClient(options), (error) => {
      assert.ok(!/secret|pw/.test(error.message), error.message);
      return isConfig(pattern)(error);
    }, JSON.stringify(options));
  }
});

test('and so for the environment', () => {
  const set = (name, value, pattern) => {
    process.env[name] = value;
    try {
      if (pattern) assert.throws(() => new LlmClient({ apiKey: 'k' }), isConfig(pattern), name);
      else return new LlmClient({ apiKey: 'k' });
    } finally {
      delete process.env[name];
    }
  };
  set('LLM_ASYNC_WORKERS', 'many', /LLM_ASYNC_WORKERS is many/);
  set('LLM_MAX_RETRIES', '0', /LLM_MAX_RETRIES is 0/);
  set('LLM_PROVIDER', 'skynet', /the provider is skynet/);
  set('LLM_BASE_URL', 'nonsense', /baseURL does not begin with https/);
  set('LLM_BASE_URL', 'https://x.example/v1', /openai_compatible has no default model/);
  set('LLM_BASE_URL', 'https://API.DeepSeek.com/v1');
  assert.equal(set('LLM_ASYNC_WORKERS', '7').status().maxWorkers, 7);
  assert.equal(set('LLM_ASYNC_ENABLED', 'no').status().maxWorkers, 1);
  process.env['OPENAI_API_KEY'] = 'k';
  new LlmClient({ provider: 'openai' });
  delete process.env['OPENAI_API_KEY'];
});

test('what only the core knows is told by the first call, as code config', async () => {
  const one = new LlmClient({ baseURL: 'https://x.example/v1', model: 'm', modelRules: [{ models: 'm', reasoning: 'perhaps' }] });
  await assert.rejects(one.chatAsync('x'), isConfig(/reasoning is not one of its allowed values/));
});

test('each provider that the types name is one of the core', async () => {
  const { tables } = await sources({ tables: 'base/tables.ts' });
  // Requests that the loopback server does not support.
  const candidates = [{ content: { role: 'model', parts: [{ text: 'echo: x' }] }, finishReason: 'STOP', index: 0 }];
  const others = {
    ollama: { message: { role: 'assistant', content: 'echo: x' }, done: true, done_reason: 'stop' },
    gemini: { candidates }, vertex: { candidates },
  };
  for (const provider of Object.keys(tables.PROVIDERS)) {
    const fetch = others[provider] && (async () => Response.json(others[provider]));
    const one = new LlmClient({ provider, baseURL: `${server.base}/ok/v1`, model: 'm', fetch });
    assert.equal((await one.chatAsync('x')).text, 'echo: x', provider);
  }
});

test('no key is sent, and none demanded, with apiKey: null', async () => {
  const seen = [];
  const fetch = async (_url, init) => { seen.push(Object.keys(init.headers).sort()); return Response.json({}, { status: 401 }); };
  process.env['ANTHROPIC_API_KEY'] = 'of the environment';
  try {
    const one = new LlmClient({ provider: 'anthropic', baseURL: 'https://gateway.example/llm', apiKey: null, fetch });
    await assert.rejects(one.chatAsync('x'), { code: 'auth' });
  } finally {
    delete process.env['ANTHROPIC_API_KEY'];
  }
  assert.deepEqual(seen, [['anthropic-version', 'content-type']]);
});

test('the status is right before the first call, too', async () => {
  const one = client('ok', { workers: 3, queueSize: 4 });
  const before = one.status();
  assert.deepEqual([before.maxWorkers, before.queueSize, before.started], [3, 4, 0]);
  await one.chatAsync('x');
  const { started, succeeded, ...rest } = one.status();
  assert.deepEqual([started, succeeded], [1, 1]);
  assert.deepEqual({ ...rest, started: 0, succeeded: 0 }, before);
});

test('a client that is closed gives back what it held, finishes what runs, and remembers its counters', async () => {
  const one = client('delay/50ms', { workers: 1 });
  const calls = [one.chatAsync('a'), one.chatAsync('b')];
  await new Promise((resolve) => setTimeout(resolve, 20));
  const [first, second] = [one.close(), one.close()];
  await assert.rejects(one.chatAsync('c'), ClosedError);
  await assert.rejects(one.chatStream('c').final(), ClosedError);
  await Promise.all([first, second]);
  assert.deepEqual((await Promise.all(calls)).map(({ text }) => text), ['echo: a', 'echo: b']);
  const { closed, succeeded, active } = one.status();
  assert.deepEqual({ closed, succeeded, active }, { closed: true, succeeded: 2, active: 0 });
  await one.close();
  await assert.rejects(one.chatAsync('d'), ClosedError);
  const never = client('ok');
  await never.close();
  await assert.rejects(never.chatAsync('x'), ClosedError);
});

test('a batch waits where the queue is full, whatever the shape of its items', async () => {
  const one = client('every/1ms', { workers: 1, queueSize: 0 });
  const items = ['a', [{ role: 'user', content: 'b' }], { prompt: 'c' }, { messages: [{ role: 'user', content: 'd' }] }];
  const results = await one.processBatch(items, { concurrency: 4 });
  assert.deepEqual(results.map((result) => result.value?.text ?? result.error), ['echo: a', 'echo: b', 'echo: c', 'echo: d']);
  const [, full] = await one.processBatch(['a', { prompt: 'b', waitForQueue: false }], { concurrency: 2 });
  assert.equal(full.error?.code, 'queue_full');
});

test('a batch wider than its client loses no item to the clock', async () => {
  const one = client('delay/800ms', { workers: 1, queueSize: 0, timeoutMs: 3_000 });
  const results = await one.processBatch(['a', 'b', 'c', 'd', 'e'], { concurrency: 5 });
  assert.deepEqual(results.map(({ ok }) => ok), [true, true, true, true, true]);
  const [late] = await client('delay/500ms', { timeoutMs: 50 }).processBatch(['a']);
  assert.equal(late.error.name, 'TimeoutError');
  assert.equal(late.error.phase, 'attempt');
  const [, limited] = await one.processBatch(['a', { prompt: 'b', timeouts: { total: 30 } }], { concurrency: 2 });
  assert.equal(limited.error.name, 'TimeoutError');
});

test('the signal of a batch and that of an item both abort', async () => {
  const one = client('key/both/silent');
  const [whole, single] = [new AbortController(), new AbortController()];
  const running = one.processBatch(
    [{ prompt: 'a', signal: single.signal }, 'b', { prompt: 'c', signal: single.signal }, 'd'], { concurrency: 3, signal: whole.signal });
  await server.waitRequest('both', 3);
  single.abort('one');
  await server.waitRequest('both', 4);
  whole.abort('all');
  const results = await running;
  assert.deepEqual(results.map(({ error }) => [error.name, error.cause]),
    [['AbortError', 'one'], ['AbortError', 'all'], ['AbortError', 'one'], ['AbortError', 'all']]);
});

test('what onProgress throws loses no answer', async (context) => {
  const written = context.mock.method(console, 'error', () => {});
  const results = await new LlmClient({ mock: true }).processBatch(['a', 'b'], { onProgress: () => { throw new Error('mine'); } });
  assert.deepEqual(results.map(({ ok }) => ok), [true, true]);
  assert.equal(written.mock.callCount(), 2);
});
