// The module for pages lacks embeddings, the list of models, limits and hedging, and reads and writes floats with JavaScript's functions.
// A client that needs more moves to the module with everything.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LlmClient } from '../dist/index.js';
import { LlmClient as Whole } from '../dist/whole.js';

const ANSWER = { choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'hi' } }] };
const answers = {
  'chat/completions': () => Response.json(ANSWER),
  embeddings: () => Response.json({ model: 'e', data: [{ index: 0, embedding: [0.25, -1e-3] }] }),
  models: () => Response.json({ data: [{ id: 'one' }, { id: 'two' }] }),
};
const options = (fetch, more = {}) => ({ provider: 'openai_compatible', baseURL: 'https://llm.example/v1', model: 'm', maxAttempts: 1, fetch, ...more });
const client = (more) => new LlmClient(options(async (url) => answers[url.slice('https://llm.example/v1/'.length)](), more));

test('floats are sent and read as by the other modules', async () => {
  const numbers = [0.7, 0.1 + 0.2, 2.5e-7, 1e21, 1.7976931348623157e308, 5e-324, -1.25, 123456789.5, 1, -7, 2 ** 53];
  const seen = [];
  for (const Client of [LlmClient, Whole]) {
    let sent;
    const fetch = async (_, { body }) => {
      sent = new TextDecoder().decode(body);
      return new Response(`{"scores":[1.50,-2e-3,1E2,0.1,-0.0,7],${JSON.stringify(ANSWER).slice(1)}`, { headers: { 'content-type': 'application/json' } });
    };
    const answer = await new Client(options(fetch)).ask('x', { temperature: 0.7, topP: 1, extra: { numbers } });
    assert.deepEqual(answer.extra.scores, [1.5, -0.002, 100, 0.1, -0, 7]);
    const body = JSON.parse(sent);
    assert.deepEqual(body.numbers, numbers);
    assert.match(sent, /"temperature":0\.7,/);
    seen.push(body);
  }
  assert.deepEqual(seen[0], seen[1]);
});

test('an invalid number in a retry header is ignored', async () => {
  for (const [value, expected] of [['1.5', 1500], ['0x1', undefined], ['.5', 500], ['1_0', undefined]]) {
    const fetch = async () => Response.json({ error: { message: 'later' } }, { status: 429, headers: { 'retry-after': value } });
    await assert.rejects(new LlmClient(options(fetch)).ask('x'), (error) => {
      assert.equal(error.retryAfterMs, expected, value);
      return true;
    });
  }
});

test('a client moves to the module with everything for its first embedding, and keeps its counters', async () => {
  const own = client();
  assert.equal(String(await own.chatAsync('x')), 'hi');
  assert.deepEqual((await own.embed(['x'])).vectors, [new Float32Array([0.25, -1e-3])]);
  assert.deepEqual((await own.models()).map(({ id }) => id), ['one', 'two']);
  assert.equal(String(await own.chatAsync('x')), 'hi');
  const { started, succeeded, failed, active } = own.status();
  assert.deepEqual({ started, succeeded, failed, active }, { started: 4, succeeded: 4, failed: 0, active: 0 });
  await own.close();
  assert.equal(own.status().succeeded, 4);
  await assert.rejects(own.models(), { name: 'ClosedError' });
});

test('a stream that runs while its client moves is counted, read to its end, and waited for by close', async () => {
  let body;
  const piece = (content, finish = null) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: finish }] })}\n\n`;
  const own = new LlmClient(options(async (url) => {
    if (!url.endsWith('completions')) return answers[url.slice('https://llm.example/v1/'.length)]();
    return new Response(new ReadableStream({ start(controller) { body = controller; controller.enqueue(new TextEncoder().encode(piece('one '))); } }),
      { headers: { 'content-type': 'text/event-stream' } });
  }));
  const texts = own.chatStream('x').text();
  assert.equal((await texts.next()).value, 'one ');
  assert.equal((await own.embed(['x'])).vectors.length, 1);
  assert.deepEqual([own.status().active, own.status().started, own.status().succeeded], [1, 2, 1]);
  let isClosed = false;
  const closing = own.close().then(() => { isClosed = true; });
  await new Promise((resolve) => { setImmediate(resolve); });
  assert.equal(isClosed, false);
  body.enqueue(new TextEncoder().encode(`${piece('two', 'stop')}data: [DONE]\n\n`));
  body.close();
  assert.equal((await texts.next()).value, 'two');
  assert.equal((await texts.next()).done, true);
  await closing;
  assert.deepEqual([own.status().active, own.status().succeeded, own.status().closed], [0, 2, true]);
});

test('the limit on requests in flight holds while a client moves', async () => {
  const piece = (content, finish = null) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: finish }] })}\n\n`;
  const bodies = [];
  let [inFlight, most] = [0, 0];
  const fetch = async (url) => {
    inFlight += 1;
    most = Math.max(most, inFlight);
    const done = () => { inFlight -= 1; };
    if (url.endsWith('completions')) {
      const body = new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode(piece('one ')));
          bodies.push(() => {
            controller.enqueue(new TextEncoder().encode(`${piece('two', 'stop')}data: [DONE]\n\n`));
            controller.close();
            done();
          });
        },
        cancel: done,
      });
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
    }
    await new Promise((resolve) => { setImmediate(resolve); });
    done();
    return answers[url.slice('https://llm.example/v1/'.length)]();
  };
  const turns = async () => { for (let n = 0; n < 20; n += 1) await new Promise((resolve) => { setImmediate(resolve); }); };
  const own = new LlmClient(options(fetch, { workers: 2 }));
  const finals = ['a', 'b', 'c'].map((prompt) => own.chatStream(prompt).final());
  while (bodies.length < 2) await turns();
  assert.deepEqual([inFlight, own.status().active, own.status().queued], [2, 2, 1]);
  // Two of the three streams run, and the third is ahead of these.
  let isDone = false;
  const jobs = Promise.all([own.embed(['x']), own.models(), own.embed(['y'], { waitForQueue: false })]).then(() => { isDone = true; });
  await assert.rejects(own.embed(['z'], { timeoutMs: 20 }), { code: 'timeout' });
  assert.deepEqual([isDone, inFlight, own.status().limit, own.status().active, own.status().queued], [false, 2, 2, 2, 4]);
  bodies.shift()();
  await turns();
  assert.deepEqual([isDone, inFlight], [false, 2]);
  bodies.shift()();
  await jobs;
  // One of them ended, so that the jobs ran one after the other beside the last.
  assert.deepEqual([most, inFlight], [2, 1]);
  bodies.shift()();
  await Promise.all(finals);
  await Promise.all([own.embed(['x']), own.models(), own.embed(['y'])]);
  assert.equal(most, 2);
  assert.deepEqual([own.status().limit, own.status().active, own.status().started], [2, 0, 10]);
  await own.close();
});

test('an aborted stream of the first module gives its place to a job in the second', async () => {
  const own = new LlmClient(options(async (url) => (url.endsWith('completions') ? new Response(new ReadableStream({}), { headers: { 'content-type': 'text/event-stream' } })
    : answers[url.slice('https://llm.example/v1/'.length)]()), { workers: 1 }));
  const stream = own.chatStream('x');
  const reading = stream.final().catch(() => {});
  await new Promise((resolve) => { setImmediate(resolve); });
  const job = own.embed(['x']);
  await new Promise((resolve) => { setImmediate(resolve); });
  assert.equal(own.status().queued, 1);
  stream.abort();
  await reading;
  assert.equal((await job).vectors.length, 1);
  assert.deepEqual([own.status().cancelled, own.status().succeeded], [1, 1]);
});

test('a client with limits, an adaptive limit or hedging begins in the module that has them', async () => {
  const own = client({ limits: { requestsPerMinute: 2 } });
  await own.chatAsync('x');
  await own.models();
  await assert.rejects(own.embed(['x'], { timeoutMs: 50 }), { code: 'timeout', phase: 'overall' });
  const adaptive = client({ adaptive: { start: 2, max: 4 } });
  assert.equal(String(await adaptive.chatAsync('x')), 'hi');
  assert.equal(adaptive.status().limit, 2);
  let count = 0;
  const late = (_, { signal }) => {
    count += 1;
    if (count > 1) return Response.json(ANSWER);
    return new Promise((_, reject) => { signal.addEventListener('abort', () => reject(signal.reason)); });
  };
  const hedged = new LlmClient(options(late, { hedging: { afterMs: 5 } }));
  assert.equal(String(await hedged.chatAsync('x')), 'hi');
  assert.equal(count, 2);
});
