// Values of a wrong kind, unknown options, and the names that other packages have for them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BatchProcessor, InvalidInputError, LlmClient, LlmError, preload } from '../dist/node.js';

const sent = [];
const fetch = async (url, { method, headers, body }) => {
  sent.push({ headers, body: body && JSON.parse(new TextDecoder().decode(body)) });
  if (method === 'GET') return Response.json({ data: [{ id: 'm' }] });
  if (url.endsWith('/embeddings')) return Response.json({ data: [{ index: 0, embedding: [1] }] });
  return Response.json({ choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'hi' } }] });
};
const make = (options = {}) => new LlmClient({ baseURL: 'https://llm.example/v1', model: 'm', apiKey: 'k-0123456789', maxAttempts: 1, fetch, ...options });
const client = make();

/** Values of every kind. None of them is valid for every option. */
const VALUES = [7, -1, 1.5, NaN, 10n, '', 'secret-of-somebody', true, [], [7], {}, { x: 1 }, () => 1, Symbol('s'), new Map(), null, undefined];

/** Errors show a text that was given for a number, an address or a provider. */
const SHOWN = /^(provider|baseURL|workers|queueSize|maxAttempts|maxRequestBytes|timeoutMs)\b/;

/** Fails unless the error is one of chatcore's that names the caller's line and shows no text that was given. */
function isTyped(error, what) {
  const isOwn = error instanceof LlmError && ['invalid_input', 'invalid_output', 'config', 'protocol', 'timeout'].includes(error.code);
  assert.ok(isOwn || error instanceof RangeError, `${what}: ${error.stack}`);
  assert.doesNotMatch(error.message, /a bug in chatcore|Cannot read/, what);
  if (!SHOWN.test(what)) assert.doesNotMatch(error.message, /secret-of-somebody/, what);
  assert.match(error.stack, /kinds\.test\.mjs:\d+/, what);
}

const OF_CALL = [
  'systemPrompt', 'temperature', 'maxTokens', 'topP', 'stop', 'seed', 'tools', 'toolChoice', 'reasoningEffort', 'responseFormat', 'extra',
  'headers', 'signal', 'timeoutMs', 'timeouts', 'maxAttempts', 'waitForQueue', 'fetchAsStream', 'schema', 'jsonSchema', 'schemaInPrompt', 'repairs',
];

test('an option of a call with a value of any kind: an answer, or an error that is typed', async () => {
  for (const name of OF_CALL) {
    for (const value of VALUES) {
      const options = { timeoutMs: 10_000, [name]: value, ...['jsonSchema', 'schemaInPrompt', 'repairs'].includes(name) && { schema: { type: 'string' } } };
      for (const call of [() => client.ask('x', options), () => client.askStream('x', options).final()]) {
        await call().catch((error) => isTyped(error, `${name}: ${typeof value} ${JSON.stringify(value, (_, v) => typeof v === 'bigint' ? '10n' : v)}`));
      }
    }
  }
});

test('options that are no object, and null for no options', async () => {
  const calls = [
    (options) => client.ask('x', options), (options) => client.chatAsync('x', options), (options) => client.askStream('x', options).final(),
    (options) => client.chatStream('x', options).final(), (options) => client.chatWithContextAsync([{ role: 'user', content: 'x' }], options),
    (options) => client.embed('x', options), (options) => client.models(options), (options) => client.processBatch(['x'], options),
  ];
  for (const call of calls) {
    for (const value of [5, 'secret-of-somebody', true, [], () => 1]) {
      await assert.rejects(call(value), (error) => (isTyped(error, String(call)), /^the argument for options is .*; give an object$/.test(error.message)));
    }
    await call(null);
    await call(undefined);
  }
});

test('an option of a client with a value of any kind: a client, or an error that is typed', () => {
  const names = [
    'provider', 'baseURL', 'allowHttp', 'apiKey', 'model', 'workers', 'queueSize', 'waitForQueue', 'timeoutMs', 'timeouts', 'maxAttempts', 'limits',
    'adaptive', 'hedging', 'fetchAsStream', 'maxRequestBytes', 'modelRules', 'betas', 'headers', 'fetch', 'mock', 'dangerouslyAllowBrowser',
  ];
  for (const name of names) {
    for (const value of VALUES) {
      try {
        make({ [name]: value });
      } catch (error) {
        assert.equal(error.code, 'config', `${name}: ${error.stack}`);
        isTyped(error, name);
      }
    }
  }
  for (const [options, said] of [
    [null, /is null; give an object/], ['k-0123456789', /is a text; give an object/], [{ apiKey: 5 }, /^apiKey is 5; it must be a text or a function/],
    [{ fetch: {} }, /^fetch is an object; it must be a function/], [{ timeouts: { first: 1 } }, /^unknown option timeouts\.first; it may have queue,/],
    [{ limits: { rpm: 1 } }, /^unknown option limits\.rpm; it may have requestsPerMinute/], [{ adaptive: { from: 1 } }, /^unknown option adaptive\.from/],
    [{ provider: null }, /^provider is null, for example because a variable is not set/], [{ baseURL: null }, /^baseURL is null/],
  ]) assert.throws(() => new LlmClient(options), (error) => error.code === 'config' && said.test(error.message), String(said));
});

test('the names that other packages and Rust have for options', async () => {
  for (const [options, said] of [
    [{ baseUrl: 'x' }, 'baseUrl; write baseURL'], [{ base_url: 'x' }, 'base_url; write baseURL'], [{ api_key: 'x' }, 'api_key; write apiKey'],
    [{ maxRetries: 2 }, 'maxRetries; use maxAttempts, which counts the first attempt, too'], [{ timeout: 1 }, 'timeout; use timeoutMs, in milliseconds'],
    [{ defaultHeaders: {} }, 'defaultHeaders; use headers'], [{ concurrency: 1 }, 'concurrency; use workers'], [{ temperature: 1 }, 'temperature; it is an option of a call'],
    [{ organization: 'x' }, "organization; use headers: { 'openai-organization': … }"], [{ apiVersion: 'x' }, 'apiVersion; use a query in baseURL'],
    [{ stream: true }, 'stream; use askStream() or chatStream(); for tools that run, streamTools() of chatcore/tools'],
    [{ schema: {} }, 'schema; it is an option of a call'], [{ colour: 1 }, 'colour'],
  ]) assert.throws(() => make(options), { code: 'config', message: `unknown option ${said}` });
  for (const [options, said] of [
    [{ max_tokens: 1 }, 'max_tokens; write maxTokens'], [{ top_p: 1 }, 'top_p; write topP'], [{ maxOutputTokens: 1 }, 'maxOutputTokens; use maxTokens'],
    [{ abortSignal: null }, 'abortSignal; use signal'], [{ stopSequences: [] }, 'stopSequences; use stop'], [{ max_retries: 1 }, 'max_retries; use maxAttempts, which counts the first attempt, too'],
    [{ max_completion_tokens: 1 }, 'max_completion_tokens; use maxTokens'], [{ maxSteps: 2 }, 'maxSteps; use maxTurns of runTools() in chatcore/tools'],
    [{ stopWhen: () => true }, 'stopWhen; use maxTurns of runTools() in chatcore/tools'], [{ maxToolRoundtrips: 1 }, 'maxToolRoundtrips; use maxTurns of runTools() in chatcore/tools'],
    [{ n: 2 }, 'n; use several calls, because an answer is one message; processBatch() sends many'],
    [{ stream: true }, 'stream; use askStream() or chatStream(); for tools that run, streamTools() of chatcore/tools'],
    [{ stream_options: {} }, 'stream_options; use the event usage, which a stream has by default'], [{ output: {} }, 'output; use schema'],
    [{ functions: [] }, 'functions; use tools'], [{ function_call: 'auto' }, 'function_call; use toolChoice'], [{ reasoning: {} }, 'reasoning; use reasoningEffort'],
    [{ input: 'x' }, 'input; use the first argument'], [{ text: {} }, 'text; use responseFormat'], [{ providerOptions: {} }, "providerOptions; use extra for fields of the provider's own"],
    [{ apiKey: 'x' }, 'apiKey; it is an option of the client'], [{ colour: 1 }, "colour; put a field of the provider's own in extra"],
  ]) {
    for (const more of [{}, { schema: { type: 'string' } }]) {
      await assert.rejects(client.ask('x', { ...options, ...more }), { code: 'invalid_input', message: `unknown option ${said}` });
    }
  }
  await assert.rejects(client.processBatch(['x'], { maxWorkers: 2 }), { message: 'unknown option maxWorkers; use concurrency' });
  assert.throws(() => BatchProcessor.chats(client, { concurrency: 2 }), { message: 'unknown option concurrency; use maxWorkers' });
});

test('preload refuses what no client accepts', async () => {
  for (const [argument, said] of [
    [null, /^the argument of preload is null; give the name of a provider, or an object with options of a client$/], [5, /^the argument of preload is 5;/],
    [['openai'], /^the argument of preload is an array;/], ['opena', /^the provider is opena, .*did you mean openai\?/], ['', /^the provider is , which is not/],
    [{ provider: 'opena' }, /did you mean openai\?/], [{ provider: 5 }, /^provider is 5; it must be a text/], [{ providers: 'openai' }, /^unknown option providers/],
    [{ limits: { rpm: 1 } }, /^unknown option limits\.rpm; it may have/], [{ hedge: {} }, /^unknown option hedge/], [{ maxRetries: 1 }, /; use maxAttempts/],
  ]) {
    await assert.rejects(preload(argument), (error) => isTyped(error, String(said)) === undefined && error.code === 'config' && said.test(error.message), String(said));
  }
  for (const argument of [undefined, 'openai', { provider: 'anthropic' }, {}, { limits: { requestsPerMinute: 1 }, model: 'm' }]) assert.equal(await preload(argument), undefined);
});

test('the items of a batch', async () => {
  for (const items of [undefined, null, 5, 'a text', {}, () => 1]) {
    await assert.rejects(client.processBatch(items), (error) => error instanceof InvalidInputError && /^the items are .*; give an array$/.test(error.message));
  }
  await assert.rejects(client.processBatch((async function* () { yield 'x'; })()), /takes a journal/);
  for (const journal of [5, {}]) await assert.rejects(client.processBatch(['x'], { journal }), /^InvalidInputError: journal is .* fileJournal/);
  assert.deepEqual((await client.processBatch(new Set(['a', 'b']))).map(({ ok }) => ok), [true, true]);
});

test('a fetch that returns the answer of axios is told what to return', async () => {
  const axios = async () => ({ status: 200, headers: {}, data: '{}', config: {} });
  await assert.rejects(make({ fetch: axios }).ask('x'), /the response of the given fetch has no body; return \{ status, headers, body \}/);
});

test('an error as JSON has its name and its message', async () => {
  const error = await make({ fetch: async () => Response.json({ error: { message: 'too many' } }, { status: 429 }) }).ask('x').catch((error) => error);
  const { name, message, code, status } = JSON.parse(JSON.stringify({ error })).error;
  assert.deepEqual([name, message, code, status], ['RateLimitError', error.message, 'rate_limited', 429]);
  assert.match(message, /too many/);
});

test('an option that is null counts as not set', async () => {
  const base = { provider: 'openai', apiKey: 'k-0123456789' };
  const idle = new LlmClient(base).status();
  for (const name of [
    'model', 'allowHttp', 'workers', 'queueSize', 'waitForQueue', 'timeoutMs', 'timeouts', 'maxAttempts', 'limits', 'adaptive', 'hedging', 'fetchAsStream',
    'maxRequestBytes', 'modelRules', 'betas', 'headers', 'fetch', 'mock', 'dangerouslyAllowBrowser',
  ]) assert.deepEqual(new LlmClient({ ...base, [name]: null }).status(), idle, name);
  for (const options of [
    { limits: { requestsPerMinute: null } }, { timeouts: { headers: null } }, { hedging: { afterMs: 9, quantile: null } }, { adaptive: { min: null } },
  ]) new LlmClient({ ...base, ...options });
  for (const name of OF_CALL.filter((name) => name !== 'schema')) await client.ask('x', { [name]: null });
  await client.ask('x', { timeouts: { headers: null } });
  await client.ask('x', { schema: { type: 'string' }, systemPrompt: null, repairs: null, schemaName: null, schemaInPrompt: null }).catch(({ code, message }) => {
    assert.equal(code, 'invalid_output', message);
  });
  assert.ok(sent.at(-1).body.messages.every(({ content }) => content !== null));
  const processor = new BatchProcessor(async (item) => item, null);
  await processor.close();
  new BatchProcessor(async (item) => item, { batchSize: null, onProgress: null });
});

test('an address of the options on their prototype is not lost', async () => {
  class Config { get baseURL() { return 'https://llm.example/v1'; } }
  for (const options of [Object.create({ baseURL: 'https://llm.example/v1' }), new Config()]) {
    let url;
    await new LlmClient(Object.assign(options, { model: 'm', apiKey: 'k-0123456789', fetch: async (to, init) => { url = to; return fetch(to, init); } })).ask('x');
    assert.equal(url, 'https://llm.example/v1/chat/completions');
  }
});

test('options of typed answers without a schema', async () => {
  await assert.rejects(client.ask('x', { schema: undefined }), { code: 'invalid_input', message: 'schema is undefined; give a schema, or leave the option out' });
  await assert.rejects(client.ask('x', { repairs: 2 }), { message: 'repairs is an option of typed answers: give a schema, too' });
  await assert.rejects(client.askStream('x', { jsonSchema: {} }).final(), { message: 'jsonSchema is an option of typed answers: give a schema, too' });
});

test('null does not turn on the offline model', async () => {
  assert.equal(String(await make({ mock: null }).ask('x')), 'hi');
});

test('headers as an object, as Headers, as a Map and as pairs', async () => {
  const pairs = [['X-Tenant', 'a'], ['x-run', '7']];
  for (const headers of [Object.fromEntries(pairs), new Headers(pairs), new Map(pairs), pairs]) {
    await client.ask('x', { headers });
    await make({ headers }).ask('x');
    for (const seen of sent.splice(-2)) assert.deepEqual([seen.headers['x-tenant'], seen.headers['x-run']], ['a', '7'], headers.constructor.name);
  }
  for (const headers of [[['only one']], [5], new Map([[5, 'x']])]) await assert.rejects(client.ask('x', { headers }), /cannot be sent/);
});

test('one text that ends the answer, no system prompt, and a base URL that is a URL', async () => {
  await make({ baseURL: new URL('https://llm.example/v1') }).ask('x', { stop: '.', systemPrompt: null });
  const { body } = sent.at(-1);
  assert.deepEqual([body.stop, body.messages], [['.'], [{ role: 'user', content: 'x' }]]);
});
