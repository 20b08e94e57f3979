// Cases in which openai-node ends silently, hangs, or throws an untyped error. This client rejects with the right typed
// error.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import { AbortError, LlmClient, StreamError, TimeoutError } from '../dist/node.js';
import { start } from './server.mjs';

let server, pinging;
before(async () => {
  server = await start();
  // Some text, then comments forever.
  pinging = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(`data: ${JSON.stringify({ choices: [{ delta: { content: 'one' } }] })}\n\n`);
    const pings = setInterval(() => response.write(': ping\n\n'), 10);
    response.on('close', () => clearInterval(pings));
  });
  await new Promise((listening) => pinging.listen(0, '127.0.0.1', listening));
});
after(() => { server.stop(); pinging.closeAllConnections(); pinging.close(); });

const base = (path) => (path === 'pings' ? `http://127.0.0.1:${pinging.address().port}` : `${server.base}/${path}/v1`);

/** What openai-node does: `ended`, the error, or `hangs` (with its own timeout of 200 ms). */
async function theirs(path, { abort = false } = {}) {
  const controller = new AbortController();
  const work = async () => {
    const client = new OpenAI({ baseURL: base(path), apiKey: 'k', maxRetries: 0, timeout: 200 });
    const stream = await client.chat.completions.create(
      { model: 'm', stream: true, messages: [{ role: 'user', content: 'one two three' }] }, { signal: controller.signal });
    for await (const chunk of stream) if (abort && chunk.choices[0]?.delta.content) controller.abort();
    return 'ended';
  };
  let clear;
  const late = new Promise((resolve) => { clear = setTimeout(resolve, 1000, 'hangs'); });
  try {
    return await Promise.race([work().catch((error) => error), late]);
  } finally {
    clearTimeout(clear);
    controller.abort();
  }
}

/** The error of this client. */
async function ours(path, { abort = false, ...options } = {}) {
  const controller = new AbortController();
  const client = new LlmClient({ baseURL: base(path), model: 'm', maxAttempts: 1 });
  try {
    for await (const text of client.chatStream('one two three', { signal: controller.signal, ...options }).text()) {
      if (abort && text) controller.abort('enough');
    }
  } catch (error) {
    return error;
  }
  return assert.fail('it ended without an error');
}

for (const path of ['no-terminal', 'close-delimited/no-terminal', 'close-delimited/cut/500']) {
  test(`a body that ends without a terminal event (${path}): theirs ends silently`, async () => {
    assert.equal(await theirs(path), 'ended');
    const error = await ours(path);
    assert.ok(error instanceof StreamError, `${error}`);
    assert.equal(error.code, 'truncated');
    assert.match(error.partialText, /^echo: /);
  });
}

test('a stall with pings before the first content: theirs hangs', async () => {
  assert.equal(await theirs('keepalives/forever/10ms'), 'hangs');
  const error = await ours('keepalives/forever/10ms', { timeouts: { firstContent: 200 } });
  assert.ok(error instanceof TimeoutError, `${error}`);
  assert.equal(error.phase, 'first_content');
});

test('a stall with pings after some content: theirs hangs', async () => {
  assert.equal(await theirs('pings'), 'hangs');
  const error = await ours('pings', { timeouts: { contentIdle: 200 } });
  assert.ok(error instanceof TimeoutError, `${error}`);
  assert.equal(error.phase, 'content_idle');
  assert.equal(error.partialText, 'one');
});

test('an abort in mid-stream: theirs ends silently', async () => {
  assert.equal(await theirs('stall/2', { abort: true }), 'ended');
  const error = await ours('stall/2', { abort: true });
  assert.ok(error instanceof AbortError, `${error}`);
  assert.equal(error.cause, 'enough');
  assert.match(error.partialText, /^echo: /);
});

test('a socket reset in the middle of a body: theirs is a bare TypeError without what had come', async () => {
  const raw = await theirs('reset/500');
  assert.ok(raw instanceof TypeError && !(raw instanceof OpenAI.OpenAIError), `${raw}`);
  const error = await ours('reset/500');
  assert.ok(error instanceof StreamError, `${error}`);
  assert.equal(error.code, 'truncated');
  assert.equal(error.retryable, true);
  assert.match(error.partialText, /^echo: /);
  // The host's own error is kept.
  assert.equal(error.cause.code, 'ECONNRESET');
});
