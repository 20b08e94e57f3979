// Where openai-node ends silently or hangs, and this client does not.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import { LlmClient, StreamError, TimeoutError } from '../dist/index.js';
import { start } from './server.mjs';

let server;
before(async () => { server = await start(); });
after(() => server.stop());

const theirs = async (path) => {
  const client = new OpenAI({ baseURL: `${server.base}/${path}/v1`, apiKey: 'k', maxRetries: 0 });
  const stream = await client.chat.completions.create({
    model: 'm', stream: true, messages: [{ role: 'user', content: 'one two three' }],
  });
  for await (const chunk of stream) void chunk;
  return 'ended';
};
const ours = (path, options) => new LlmClient({ baseURL: `${server.base}/${path}/v1`, model: 'm', maxRetries: 1 })
  .chatStream('one two three', options).final();
const within = (promise) => Promise.race([
  promise.catch(() => 'rejected'), new Promise((resolve) => setTimeout(resolve, 500, 'hangs')),
]);

test('a body without a terminal event', async () => {
  assert.equal(await within(theirs('no-terminal')), 'ended');
  await assert.rejects(ours('no-terminal'), StreamError);
});

test('a stall with pings', async () => {
  assert.equal(await within(theirs('keepalives/60/20ms/stall/0')), 'hangs');
  await assert.rejects(ours('keepalives/60/20ms/stall/0', { timeouts: { firstContent: 200 } }), TimeoutError);
});
