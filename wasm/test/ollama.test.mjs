// The provider `ollama` in Chromium: its dialect, whose files tests/stranger compiles as an outside crate, reads lines
// of JSON from a loopback server. Also with the recordings in $CHATCORE_CORPUS, if it is set.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { setImmediate as breath } from 'node:timers/promises';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launch, skip } from './chromium.mjs';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const corpus = process.env.CHATCORE_CORPUS ?? path('../../../shared/corpus');
const recorded = `${corpus}/streams_ollama_chat.jsonl`;
const rows = existsSync(recorded) ? readFileSync(recorded, 'utf8').trim().split('\n').map((line) => JSON.parse(line)) : [];

const said = (message, more = {}) => ({ model: 'qwen3:4b', created_at: '2026-11-29T00:00:00Z', message: { role: 'assistant', content: '', ...message }, done: false, ...more });
const end = { done: true, done_reason: 'stop', prompt_eval_count: 11, eval_count: 7 };
const call = { function: { name: 'weather', arguments: { city: '東京', days: [1, 2.5, null] } } };
const lines = (...values) => values.map((value) => `${JSON.stringify(value)}\n`).join('');

/** What the server answers to a chat below each base URL. */
const answers = {
  whole: JSON.stringify(said({ thinking: 'hm, 天気', content: 'It is sunny ☀️.', tool_calls: [call] }, end)),
  stream: lines(said({ thinking: 'hm, ' }), said({ thinking: '天気' }), said({ content: 'It is ' }), said({ content: 'sunny ☀️.' }), said({ tool_calls: [call] }), said({}, end)),
  broken: lines(said({ content: 'It ' }), said({ content: 'is' }), { error: 'llama runner process has terminated: 東京' }),
  cut: lines(said({ content: 'It ' }), said({ content: 'is' })),
  ...Object.fromEntries(rows.map(({ id, input }) => [id, input])),
};
const asked = [];

let browser, server, page;
const errors = [];
before(async () => {
  if (skip) return;
  server = createServer(async (request, response) => {
    const [, folder, rest] = /^\/([^/]*)\/?(.*)$/.exec(request.url);
    if (folder === '') return void response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>ollama</title>');
    if (folder === 'dist') return void response.writeHead(200, { 'content-type': 'text/javascript' }).end(readFileSync(path(`../dist/${rest}`)));
    if (rest !== 'api/chat' || !(folder in answers)) return void response.writeHead(404).end();
    let body = '';
    for await (const piece of request) body += piece;
    asked.push({ folder, body: JSON.parse(body), key: request.headers.authorization });
    response.writeHead(200, { 'content-type': folder === 'whole' ? 'application/json' : 'application/x-ndjson' });
    const bytes = Buffer.from(answers[folder]);
    // Small pieces, which end within lines and within characters.
    for (let at = 0; at < bytes.length; at += 29) {
      response.write(bytes.subarray(at, at + 29));
      await breath();
    }
    response.end();
  });
  await new Promise((listens) => server.listen(0, '127.0.0.1', listens));
  browser = await launch();
  page = await browser.newPage();
  page.on('pageerror', (error) => errors.push(String(error)));
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await page.evaluate(() => {
    /** Cuts the response into pieces of 1 to `most` bytes, because the network may join separate writes of the server. */
    const cut = (most) => async (url, init) => {
      const response = await fetch(url, init);
      let length = 0;
      const cutting = new TransformStream({
        transform(bytes, controller) {
          for (let at = 0; at < bytes.length; at += length) {
            length = length % most + 1;
            controller.enqueue(bytes.subarray(at, at + length));
          }
        },
      });
      return new Response(response.body.pipeThrough(cutting), { status: response.status, headers: response.headers });
    };
    globalThis.ask = async (folder, { most, isStream, ...options } = {}) => {
      const { LlmClient } = await import('/dist/index.js');
      const client = new LlmClient({ provider: 'ollama', model: 'qwen3:4b', baseURL: `/${folder}`, maxAttempts: 1, ...most && { fetch: cut(most) } });
      const messages = [{ role: 'user', content: 'What is the weather in 東京?' }];
      const events = [];
      try {
        if (!isStream) return { answer: await client.chatWithContextAsync(messages, options), events };
        const stream = client.chatStream(messages, options);
        for await (const event of stream) events.push(event);
        return { answer: await stream.final(), events };
      } catch (error) {
        return { error: { name: error.name, code: error.code, message: error.message, partialText: error.partialText, status: error.status }, events };
      }
    };
  });
});
after(async () => {
  if (skip) return;
  await browser?.close();
  server?.close();
  assert.deepEqual(errors, []);
});

const ask = (folder, options) => page.evaluate(([folder, options]) => ask(folder, options), [folder, options]);
const tools = [{ name: 'weather', description: 'The weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } }];

function check({ text, reasoning, toolCalls, finishReason, finishReasonRaw, usage }) {
  assert.deepEqual(
    [text, reasoning, finishReason, finishReasonRaw, usage.inputTokens, usage.outputTokens],
    ['It is sunny ☀️.', 'hm, 天気', 'tool_calls', 'stop', 11, 7]);
  assert.deepEqual(toolCalls.map(({ name, arguments: given }) => [name, JSON.parse(given)]), [['weather', call.function.arguments]]);
}

test('a whole answer with reasoning and a tool call, and the conversation goes on', { skip }, async () => {
  const { answer, error } = await ask('whole', { tools, reasoningEffort: 'low', temperature: 0.5, maxTokens: 99, fetchAsStream: false });
  assert.equal(error, undefined);
  check(answer);
  const { body, key } = asked.pop();
  assert.deepEqual([body.model, body.stream, body.think, body.options, key], ['qwen3:4b', false, 'low', { temperature: 0.5, num_predict: 99 }, undefined]);
  assert.deepEqual(body.tools.map(({ function: { name } }) => name), ['weather']);
  const seen = await page.evaluate(async (message) => {
    const { LlmClient, toolResult } = await import('/dist/index.js');
    const client = new LlmClient({ provider: 'ollama', model: 'm', baseURL: '/stream' });
    const [{ id }] = message.content.filter(({ type }) => type === 'tool_call');
    return (await client.chatWithContextAsync([{ role: 'user', content: 'x' }, message, toolResult(id, 'sunny')])).text;
  }, answer.message);
  assert.equal(seen, 'It is sunny ☀️.');
  const [, assistant, tool] = asked.pop().body.messages;
  assert.deepEqual([assistant.tool_calls[0].function, tool.role, tool.content, tool.tool_name], [call.function, 'tool', 'sunny', 'weather']);
});

test('the same as a stream, in pieces of any size', { skip }, async () => {
  for (const most of [undefined, 1, 5]) {
    const { answer, events, error } = await ask('stream', { isStream: true, most, tools });
    assert.equal(error, undefined);
    check(answer);
    const of = (wanted) => events.filter(({ type }) => type === wanted);
    assert.deepEqual(of('text').map(({ text }) => text).join(''), answer.text);
    assert.ok(of('text').length > 1 && of('reasoning').length > 1, JSON.stringify(events));
    assert.deepEqual(of('tool_call_start').map(({ name }) => name), ['weather']);
    assert.equal(events.at(-1).type, 'finish');
    assert.equal(asked.pop().body.stream, true);
  }
});

test('an error within a stream, and a stream that ends too early', { skip }, async () => {
  for (const most of [undefined, 1]) {
    const { error, events } = await ask('broken', { isStream: true, most });
    assert.deepEqual([error.name, error.status, error.partialText], ['StreamError', 200, 'It is']);
    assert.match(error.message, /llama runner process has terminated: 東京/);
    assert.equal(events.filter(({ type }) => type === 'text').map(({ text }) => text).join(''), 'It is');
    const cut = await ask('cut', { isStream: true, most });
    assert.deepEqual([cut.error.name, cut.error.code, cut.error.partialText], ['StreamError', 'truncated', 'It is']);
    const whole = await ask('broken', { most });
    assert.deepEqual([whole.error.name, whole.error.partialText], ['StreamError', 'It is']);
  }
});

test('the recordings', { skip: skip || (rows.length === 0 && `no ${recorded}`) }, async (t) => {
  for (const { id, expect } of rows) {
    await t.test(id, async () => {
      for (const [isStream, most] of [[true, undefined], [true, 3], [true, 17], [false, undefined]]) {
        const { answer, error } = await ask(id, { isStream, most });
        assert.equal(error, undefined);
        const calls = (list) => list.map(({ id, name, arguments: given }) => ({ id, name, arguments: JSON.parse(given || '{}') }));
        assert.deepEqual(
          { text: answer.text, reasoning: answer.reasoning, calls: calls(answer.toolCalls), finish: answer.finishReasonRaw, usage: JSON.parse(answer.usage.rawJson) },
          { text: expect.text, reasoning: expect.reasoning, calls: calls(expect.tool_calls), finish: expect.finish_reason, usage: expect.usage });
      }
    });
  }
});
