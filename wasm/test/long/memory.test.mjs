// Memory is flat over 100,000 calls: whole and streamed, answered, failed, aborted. About 20 seconds.
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc');

// The package does not expose its memory, so the instance that it makes is recorded here.
const memories = [];
WebAssembly.Instance = class extends WebAssembly.Instance {
  constructor(...words) {
    super(...words);
    // The build gives exports short names.
    memories.push(Object.values(this.exports).find((value) => value instanceof WebAssembly.Memory));
  }
};
const { LlmClient } = await import('../../dist/index.js');

/** Bytes of heap per call that count as a leak. A leaked listener or promise is larger. */
const LEAK = 20;

async function sizes() {
  for (let n = 0; n < 3; n += 1) { gc(); await new Promise(setImmediate); }
  const { heapUsed, external } = process.memoryUsage();
  return { heap: heapUsed + external, wasm: memories.map((memory) => memory.buffer.byteLength) };
}

test('memory after 100,000 calls is what it was after 10,000', async () => {
  const client = new LlmClient({
    mock: (messages) => { if (messages[0].content === 'fail') throw new Error('mine'); return 'yes, and some more words'; },
    workers: 50, maxAttempts: 1,
  });
  const { signal } = new AbortController();
  const counts = { answered: 0, failed: 0, aborted: 0 };
  const count = (call, as) => call.then(
    () => { assert.equal(as, 'answered'); counts.answered += 1; },
    (error) => { assert.equal(error.code, as === 'failed' ? 'connection' : 'aborted', error.stack); counts[as] += 1; });
  const aborted = (begin) => {
    const controller = new AbortController();
    const call = begin(controller.signal);
    queueMicrotask(() => controller.abort());
    return call;
  };
  const left = async (stream) => { for await (const text of stream.text()) if (text) break; };
  const some = () => Promise.all(Array.from({ length: 5 }, () => [
    count(client.chatAsync('hello', { signal }), 'answered'),
    count(client.chatStream('hello', { signal }).final(), 'answered'),
    count(client.chatAsync('fail', { signal }), 'failed'),
    count(client.chatStream('fail', { signal }).final(), 'failed'),
    count(aborted((signal) => client.chatAsync('hello', { signal })), 'aborted'),
    count(aborted((signal) => client.chatStream('hello', { signal }).final()), 'aborted'),
    count(left(client.chatStream('hello', { signal })), 'answered'),
    count(client.chatAsync('hello', { headers: { 'x-mine': '1' }, tools: [{ name: 'f', parameters: {} }] }), 'answered'),
    count(client.chatWithContextAsync([{ role: 'user', content: [{ type: 'text', text: 'hello' }] }], { signal }), 'answered'),
    count(client.processBatch(['hello'], { signal }), 'answered'),
  ]).flat());
  const measure = async (calls) => {
    for (let n = 0; n < calls; n += 50) await some();
    return sizes();
  };
  const before = await measure(10_000);
  const begin = performance.now();
  const after = await measure(100_000);
  console.log(`100,000 calls in ${((performance.now() - begin) / 1000).toFixed(1)} s; JavaScript ${(before.heap / 1e6).toFixed(2)} → `
    + `${(after.heap / 1e6).toFixed(2)} MB, WebAssembly ${before.wasm} → ${after.wasm} bytes`);
  assert.equal(counts.answered + counts.failed + counts.aborted, 110_000);
  assert.deepEqual(Object.values(counts), [66_000, 22_000, 22_000]);
  assert.ok(after.heap - before.heap < 100_000 * LEAK, 'the heap of JavaScript grew');
  assert.deepEqual(after.wasm, before.wasm, 'the memory of WebAssembly grew');
  assert.equal(getEventListeners(signal, 'abort').length, 0);
});

test('a client that nobody holds any more gives its memory back', async () => {
  const measure = async () => {
    for (let n = 0; n < 2_000; n += 50) {
      await Promise.all(Array.from({ length: 50 }, () => new LlmClient({ mock: true }).chatAsync('x')));
    }
    return sizes();
  };
  const before = await measure();
  let after = before;
  for (let n = 0; n < 4; n += 1) after = await measure();
  console.log(`2,000 clients, five times: WebAssembly ${before.wasm} → ${after.wasm} bytes`);
  assert.deepEqual(after.wasm, before.wasm, 'the memory of WebAssembly grew');
});

test('a stream that nobody holds any more closes its connection', async () => {
  let signal;
  const event = 'data: {"choices":[{"index":0,"delta":{"content":"yes"},"finish_reason":null}]}\n\n';
  const client = new LlmClient({
    baseURL: 'http://127.0.0.1:1/v1', model: 'm',
    fetch: async (url, init) => {
      ({ signal } = init);
      const body = new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode(event)) });
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
    },
  });
  await (async () => { await client.chatStream('hello')[Symbol.asyncIterator]().next(); })();
  assert.equal(client.status().active, 1);
  // The host decides when it collects garbage.
  for (let n = 0; n < 500 && !signal.aborted; n += 1) { gc(); await new Promise((resolve) => setTimeout(resolve, 10)); }
  assert.ok(signal.aborted);
  assert.equal(client.status().active, 0);
});
