// WebAssembly memory only grows, so an instance that has grown is replaced when nothing runs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { event, whole } from './raw.mjs';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc');

// The package does not expose its memory, so every instance that it makes is recorded here.
const memories = [];
WebAssembly.Instance = class extends WebAssembly.Instance {
  constructor(...words) {
    super(...words);
    memories.push(new WeakRef(Object.values(this.exports).find((value) => value instanceof WebAssembly.Memory)));
  }
};
const { LlmClient } = await import('../dist/index.js');

const PAGE = 65_536;
/** As after a large answer. */
const grow = () => { memories.at(-1).deref().grow((40 << 20) / PAGE); };
const settled = () => new Promise((resolve) => setTimeout(resolve, 1));

test('a grown instance is replaced, its memory is given back, and the counters go on', async () => {
  const one = new LlmClient({ mock: true });
  const other = new LlmClient({ mock: true });
  await Promise.all([one.chatAsync('a'), other.chatAsync('b')]);
  const before = memories.length;
  grow();
  assert.equal(String(await one.chatAsync('c')), 'mock: c');
  await settled();
  assert.deepEqual([one.status().succeeded, other.status().succeeded], [2, 1]);
  assert.equal(String(await other.chatAsync('d')), 'mock: d');
  assert.equal(memories.length, before + 1);
  assert.deepEqual([one.status().succeeded, other.status().succeeded], [2, 2]);
  // A weak reference that was read keeps its target until the end of the current job.
  for (let n = 0; n < 100; n += 1) {
    await settled();
    gc();
    await settled();
    if (!memories[before - 1].deref()) break;
  }
  assert.equal(memories[before - 1].deref(), undefined);
  await one.close();
  await other.close();
  assert.deepEqual([one.status().succeeded, other.status().succeeded], [2, 2]);
});

test('a call that follows at once has the fresh one, too', async () => {
  const client = new LlmClient({ mock: true });
  await client.chatAsync('a');
  for (let n = 0; n < 3; n += 1) {
    const before = memories.length;
    grow();
    await client.chatAsync('b');
    await client.chatAsync('c');
    assert.equal(memories.length, before + 1);
  }
});

test('not while anything runs: a call, a stream that is open', async () => {
  let answer;
  const client = new LlmClient({
    baseURL: 'http://127.0.0.1:1/v1', model: 'm',
    fetch: async (_url, { body }) => {
      const [{ content }] = JSON.parse(Buffer.from(body)).messages;
      if (content === 'slow') await new Promise((resolve) => { answer = resolve; });
      if (content !== 'stream') return { status: 200, body: whole(content) };
      return { status: 200, headers: { 'content-type': 'text/event-stream' }, body: [event('one'), event('two', 'stop'), 'data: [DONE]\n\n'] };
    },
  });
  await client.chatAsync('a');
  const before = memories.length;
  const slow = client.chatAsync('slow');
  grow();
  await client.chatAsync('b');
  await settled();
  answer();
  assert.equal((await slow).text, 'slow');
  await client.chatAsync('c');
  assert.equal(memories.length, before + 1);
  const events = client.chatStream('stream')[Symbol.asyncIterator]();
  await events.next();
  grow();
  await settled();
  await client.chatAsync('d');
  assert.equal(memories.length, before + 1);
  await events.return();
  await client.chatAsync('e');
  assert.equal(memories.length, before + 2);
});

test('not where a client has limits: what it has used of them would be forgotten', async () => {
  const limited = new LlmClient({ mock: true, limits: { requestsPerMinute: 1000 } });
  await limited.chatAsync('a');
  const before = memories.length;
  grow();
  await limited.chatAsync('b');
  await settled();
  await limited.chatAsync('c');
  assert.equal(memories.length, before);
  await limited.close();
  // An adaptive client is in the same module.
  await new LlmClient({ mock: true, adaptive: true }).chatAsync('d');
  assert.equal(memories.length, before + 1);
});

test('what was found out of the provider is kept', async () => {
  let refuse = true;
  const client = new LlmClient({
    baseURL: 'http://127.0.0.1:1/v1', model: 'm', adaptive: { start: 16, max: 16 }, maxAttempts: 1,
    fetch: async () => (refuse ? { status: 503, body: '{}' } : { status: 200, body: whole('x') }),
  });
  await client.chatAsync('a').catch(() => {});
  const before = memories.length;
  const lowered = client.status().limit;
  assert.ok(lowered < 16, `${lowered}`);
  grow();
  refuse = false;
  await client.chatAsync('c');
  assert.equal(memories.length, before + 1);
  assert.ok(client.status().limit <= lowered + 1, `${client.status().limit} after ${lowered}`);
});
