// The files of npm's journal are those of the program `chatcore`: each resumes the other's runs.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { fileJournal, jsonLines } from '../dist/journal-node.js';
import { LlmClient } from '../dist/node.js';
import { environment, folder, options, program, provider, requests } from './batches.mjs';

const ITEMS = 60;
let server, at, chatcore;
before(async () => {
  server = await provider();
  chatcore = program();
});
after(() => server.stop());

/** A fresh folder with an input, and a server that has seen nothing. */
const fresh = (context, input = requests(ITEMS)) => {
  at = folder();
  context.after(() => at.remove());
  at.write('in.jsonl', input);
  server.reset();
  server.free();
};

const words = (...more) => ['batch', 'run', at.path('in.jsonl'), '-o', at.path('out.jsonl'), ...(more.includes('--concurrency') ? [] : ['--concurrency', '8']), ...more];
const run = (...more) => promisify(execFile)(chatcore, words(...more), { env: environment(server.base) });
const resume = (journal = {}, client = {}) => {
  const own = new LlmClient({ ...options(server.base), ...client });
  return own.processBatch(jsonLines(at.path('in.jsonl')), { concurrency: 8, journal: fileJournal(at.path('out.jsonl'), journal) }).finally(() => own.close());
};

function assertWhole() {
  const names = at.lines('out.jsonl').map(({ custom_id: id }) => id);
  assert.equal(names.length, ITEMS);
  assert.equal(new Set(names).size, ITEMS);
  assert.ok(server.total() - ITEMS <= 8, `${server.total() - ITEMS} requests were repeated`);
}

test('npm resumes a run that the program began and that was killed', async (context) => {
  fresh(context);
  server.hold(25);
  const child = spawn(chatcore, words(), { env: environment(server.base), stdio: 'ignore' });
  await server.until(30);
  // While it runs, its lock keeps npm out.
  await assert.rejects(resume(), { code: 'config', providerCode: 'locked' });
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('exit', resolve));
  const had = at.lines('out.jsonl').length;
  assert.ok(had >= 17 && had < ITEMS, `${had}`);
  server.free();
  const results = await resume();
  assert.deepEqual(results.map(({ value }) => value.text), Array.from({ length: ITEMS }, (_, n) => `echo: p${n}`));
  assertWhole();
  assert.deepEqual(results[0].value.usage, { inputTokens: 3, outputTokens: 2 });
});

test('the program resumes a run that npm began', async (context) => {
  fresh(context);
  server.hold(25);
  const client = new LlmClient(options(server.base));
  const controller = new AbortController();
  const begun = client.processBatch(jsonLines(at.path('in.jsonl')), {
    concurrency: 8, journal: fileJournal(at.path('out.jsonl')), signal: controller.signal,
  });
  await server.until(30);
  const locked = await run().catch((error) => error);
  assert.equal(locked.code, 2);
  assert.match(locked.stderr, /another process runs the batch/);
  controller.abort();
  const results = await begun;
  assert.ok(results.some(({ ok }) => ok) && results.length === ITEMS);
  assert.ok(results.every(({ ok, error }) => ok || error.code === 'aborted'));
  server.free();
  await run();
  assertWhole();
  await client.close();
});

test('a finished run is finished for both, and another model is refused by both', async (context) => {
  fresh(context);
  await run();
  const sent = server.total();
  const identity = at.read('out.jsonl.run');
  assert.equal((await resume()).length, ITEMS);
  await run();
  assert.equal(server.total(), sent);
  assert.equal(at.read('out.jsonl.run'), identity);
  await assert.rejects(resume({}, { model: 'other' }), (error) => {
    assert.match(error.message, /model was m and is now other/);
    assert.equal(error.providerCode, 'another_run');
    return true;
  });
  await assert.rejects(resume({}, { apiKey: 'another-key-0123456789' }), /the key has changed/);
  await resume({ force: true }, { model: 'other' });
  const refused = await run().catch((error) => error);
  assert.match(refused.stderr, /model was other and is now m/);
  await run('--force');
});

test('both write the same errors, and run them again', async (context) => {
  fresh(context, '{"custom_id":"a","prompt":"bad one"}\n{"custom_id":"b","prompt":"x"}\nnope\n{"custom_id":"c","promt":"x"}\n{"custom_id":"d","body":{"messages":[]},"prompt":"x"}\n');
  server.refuses = true;
  const plain = (lines) => lines.map(({ custom_id: id, response, error }) =>
    [id, response?.status_code, response?.body.error.code, error.code, error.detail.kind, error.detail.status, error.detail.attempts]).sort();
  await run().catch(({ code }) => assert.equal(code, 3));
  const native = plain(at.lines('out.errors.jsonl'));
  const answers = at.lines('out.jsonl').map(({ id }) => id);
  // npm keeps them, reads them, and runs them again only if it is told to.
  const before = server.total();
  const kept = await resume();
  assert.deepEqual(kept.map(({ ok, error }) => (ok ? 'ok' : [error.constructor.name, error.code, error.providerCode, error.status])), [
    ['BadRequestError', 'bad_request', 'bad', 400], 'ok', ['InvalidInputError', 'invalid_input', 'invalid_line', undefined],
    ['InvalidInputError', 'invalid_input', 'invalid_line', undefined], ['InvalidInputError', 'invalid_input', 'invalid_line', undefined],
  ]);
  assert.equal(server.total(), before);
  await resume({ retryErrors: true });
  assert.equal(server.total(), before + 1);
  assert.deepEqual(plain(at.lines('out.errors.jsonl')), native);
  assert.deepEqual(plain(at.lines('out.errors.jsonl.1')), native);
  assert.deepEqual(at.lines('out.jsonl').map(({ id }) => id), answers);
  server.refuses = false;
  await run('--retry-errors').catch(({ code }) => assert.equal(code, 3));
  assert.deepEqual(at.names(), ['in.jsonl', 'out.errors.jsonl', 'out.errors.jsonl.1', 'out.errors.jsonl.2', 'out.jsonl', 'out.jsonl.run']);
  assert.equal(at.lines('out.errors.jsonl').length, 3);
  server.refuses = true;
});

test('both send the same request for each form of a line', async (context) => {
  const lines = [
    { custom_id: 'a', method: 'POST', url: '/v1/chat/completions', body: { model: 'n', messages: [{ role: 'user', content: 'h' }], max_tokens: 7, user: 'me' } },
    { prompt: 'x', system_prompt: 'be brief', temperature: 0.5, top_p: 0.9, seed: -1, stop: 'x', presence_penalty: 1, n: 1, stream: false },
    { prompt: 'x', max_completion_tokens: 9, reasoning_effort: 'low', top_k: 4, stop: ['a', 'b'], seed: null },
    { prompt: 'x', tools: [{ type: 'function', function: { name: 'f', strict: true } }], tool_choice: { type: 'function', function: { name: 'f' } } },
    { prompt: 'x', tools: [{ type: 'function', function: { name: 'f', description: 'd', parameters: { type: 'object', properties: {} } } }], tool_choice: 'required' },
    { prompt: 'x', response_format: { type: 'json_schema', json_schema: { name: 's', schema: { type: 'object' }, strict: true } } },
    { prompt: 'x', response_format: { type: 'json_object' } },
    { messages: [
      { role: 'user', content: [{ type: 'text', text: 'hi' }] },
      { role: 'assistant', content: null, tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }] },
      { role: 'tool', tool_call_id: 'c', content: 'r' },
    ] },
    { custom_id: 7, prompt: 'number' }, { body: { prompt: 'in the body', system_prompt: 's' } },
  ];
  fresh(context, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  await run('--concurrency', '1');
  const native = server.bodies.splice(0);
  assert.equal(native.length, lines.length);
  const client = new LlmClient(options(server.base));
  const results = await client.processBatch(jsonLines(at.path('in.jsonl')), { concurrency: 1, journal: fileJournal(at.path('own.jsonl')) });
  assert.ok(results.every(({ ok }) => ok), JSON.stringify(results.find(({ ok }) => !ok)));
  assert.deepEqual(server.bodies, native);
  const same = (name) => at.lines(name).map(({ id, custom_id: own, response }) => [id, own, response.status_code]).sort();
  assert.deepEqual(same('own.jsonl'), same('out.jsonl'));
  await client.close();
});

test('both write the same settings of a run, for every kind of provider', async (context) => {
  fresh(context, '');
  for (const [LLM_PROVIDER, LLM_BASE_URL] of [
    ['deepseek'], ['openai'], ['openai_chat'], ['openai_responses'], ['anthropic'], ['gemini'], ['mistral'], ['bedrock', 'https://bedrock.example/v1/'],
    ['ollama'], ['openai_compatible', 'https://llm.example/v1/?tenant=a'], ['openai', 'https://gateway.example/openai/v1'],
  ]) {
    const own = { LLM_PROVIDER, LLM_API_KEY: 'test-key-0123456789', LLM_MODEL: 'm', ...LLM_BASE_URL && { LLM_BASE_URL } };
    const output = at.path(`${LLM_PROVIDER}.${LLM_BASE_URL?.length ?? 0}.jsonl`);
    await promisify(execFile)(chatcore, ['batch', 'run', at.path('in.jsonl'), '-o', output], { env: { PATH: process.env.PATH, ...own } });
    const client = new LlmClient({ provider: LLM_PROVIDER, model: 'm', apiKey: own.LLM_API_KEY, ...LLM_BASE_URL && { baseURL: LLM_BASE_URL } });
    // It is refused if anything differs.
    await client.processBatch(jsonLines(at.path('in.jsonl')), { journal: fileJournal(output) });
  }
});
