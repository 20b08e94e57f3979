// `toResponse` and `sendResponse` under faults: wrong options, connections that end, and functions that throw.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import * as http2 from 'node:http2';
import { once } from 'node:events';
import { mock, test } from 'node:test';
import { LlmClient } from '../dist/node.js';
import { readResponse, sendResponse, toResponse } from '../dist/response.js';
import { streamTools, tool } from '../dist/tools.js';

const turn = () => new Promise((resolve) => { setImmediate(resolve); });

/** A stream whose events are `events`, after which it waits until it is aborted. */
function streamOf(...events) {
  let end;
  const aborted = new Promise((_, reject) => { end = reject; });
  aborted.catch(() => {});
  return {
    aborts: 0,
    async* [Symbol.asyncIterator]() { yield* events; await aborted; },
    abort() { this.aborts += 1; end(new Error('aborted')); },
    final: () => aborted,
  };
}

/** What `fetch` of a server says, whose only answer is written by `answer(response)`, and what that returned or threw. */
async function served(answer, ask) {
  let result;
  const server = createServer((_, response) => { result = answer(response).catch((error) => error); });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const said = await ask(`http://127.0.0.1:${server.address().port}`);
    return [said, await result];
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test('a wrong option is an error before anything is sent', async () => {
  const client = new LlmClient({ mock: () => assert.fail('sent') });
  for (const [options, said] of [
    [{ status: 99 }, /status is 99/], [{ status: 204 }, /status is 204; it must be one of a response with a body/], [{ format: 'sse' }, /format must be events or text/],
    [{ heartbeatMs: 0 }, /heartbeatMs is 0/], [{ heartbeatMs: NaN }, /heartbeatMs is NaN/], [{ headers: { 'x y': '1' } }, /header name/],
  ]) {
    await assert.rejects(toResponse(client.askStream('x'), options), said);
    await assert.rejects(sendResponse({}, client.askStream('x'), options), said);
  }
});

test('a long heartbeat does not become one of a millisecond', async () => {
  const stream = streamOf({ type: 'text', text: 'a' });
  const timer = mock.method(globalThis, 'setTimeout');
  const reader = (await toResponse(stream, { heartbeatMs: 1e10 })).body.getReader();
  await reader.read();
  const second = reader.read();
  stream.abort();
  assert.match(new TextDecoder().decode((await second).value), /^data: \{"type":"error"/);
  const timers = timer.mock.calls.filter(({ arguments: [, ms] }) => ms > 1e9);
  timer.mock.restore();
  assert.deepEqual(timers, [], 'a timer of the host takes 31 bits');
});

test('two cookies are two fields, and an own field replaces the default', async () => {
  const headers = new Headers([['set-cookie', 'a=1'], ['set-cookie', 'b=2'], ['Cache-Control', 'no-store']]);
  const client = new LlmClient({ mock: true });
  const response = await toResponse(client.askStream('x'), { headers });
  assert.deepEqual([response.headers.getSetCookie(), response.headers.get('cache-control')], [['a=1', 'b=2'], 'no-store']);
  const [sent] = await served((own) => sendResponse(own, client.askStream('x'), { headers }), async (url) => {
    const response = await fetch(url);
    await response.text();
    return response.headers.getSetCookie();
  });
  assert.deepEqual(sent, ['a=1', 'b=2']);
});

test('a head that was already sent ends the call, and onError has the reason', async () => {
  const stream = streamOf({ type: 'text', text: 'a' });
  const told = [];
  await served(async (response) => {
    response.flushHeaders();
    await sendResponse(response, stream, { onError: ({ code }) => { told.push(code); } });
  }, (url) => fetch(url).then((response) => response.text()).catch(() => {}));
  assert.deepEqual([told, stream.aborts > 0], [['ERR_HTTP_HEADERS_SENT'], true]);
});

test('an event that is no JSON ends the call', async () => {
  const stream = streamOf({ type: 'text', text: 'a', count: 1n });
  const errors = [];
  const text = await (await toResponse(stream, { onError: (error) => { errors.push(error.name); } })).text();
  assert.match(text, /^data: \{"type":"error"/);
  assert.deepEqual([errors, stream.aborts > 0], [['TypeError'], true]);
});

test('what onError throws when the page has gone rejects sendResponse, and is not unhandled', async () => {
  const unhandled = [];
  const hear = (error) => { unhandled.push(error); };
  process.on('unhandledRejection', hear);
  try {
    const bug = new Error('a bug in onError');
    const [, result] = await served((response) => sendResponse(response, streamOf({ type: 'text', text: 'a' }), { onError() { throw bug; } }), async (url) => {
      const controller = new AbortController();
      const reader = (await fetch(url, { signal: controller.signal })).body.getReader();
      await reader.read();
      controller.abort();
    });
    assert.equal(result, bug);
    await turn();
    assert.deepEqual(unhandled, []);
  } finally {
    process.off('unhandledRejection', hear);
  }
});

test('a page that leaves while the answer is being validated: onFinal has it once', async () => {
  let valid;
  const kept = [];
  const stream = {
    async* [Symbol.asyncIterator]() { yield { type: 'text', text: 'a' }; },
    abort() {},
    final: () => new Promise((resolve) => { valid = () => resolve({ text: 'a' }); }),
  };
  const reader = (await toResponse(stream, { onFinal: (answer) => { kept.push(answer.text); } })).body.getReader();
  await reader.read();
  const last = reader.read();
  while (!valid) await turn();
  const first = valid;
  const leaving = reader.cancel();
  await turn();
  first();
  valid();
  await leaving;
  await last;
  assert.deepEqual(kept, ['a']);
});

test('the system prompt of a loop of tools is not sent to the page', async () => {
  const client = new LlmClient({ mock: true });
  const messages = [{ role: 'developer', content: 'secret orders' }, { role: 'user', content: 'x' }];
  let kept;
  const tools = [tool({ name: 'now', run: () => 'noon' })];
  const response = await toResponse(streamTools(client, messages, { tools, systemPrompt: 'secret prompt' }), { onFinal: (answer) => { kept = answer; } });
  assert.doesNotMatch(await response.clone().text(), /secret/);
  assert.deepEqual(kept.messages.map(({ role }) => role), ['system', 'developer', 'user', 'assistant']);
  const answer = await readResponse(response).final();
  assert.deepEqual(answer.messages.map(({ role }) => role), ['user', 'assistant']);
  assert.deepEqual([answer.text, answer.turns], [kept.text, 1]);
});

test('a page of HTTP/2 that has gone before', async () => {
  const stream = streamOf({ type: 'text', text: 'a' });
  let result;
  const ended = new Promise((resolve) => { result = resolve; });
  const server = http2.createServer((_, response) => {
    response.on('close', () => result(sendResponse(response, stream, { onError: () => {} })));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const session = http2.connect(`http://127.0.0.1:${server.address().port}`);
  try {
    const request = session.request({ ':path': '/' });
    request.on('error', () => {});
    await once(server, 'request');
    request.close(http2.constants.NGHTTP2_CANCEL);
    await ended;
    assert.ok(stream.aborts > 0);
  } finally {
    session.destroy();
    server.close();
  }
});

test('onError may return a promise, of the message or of an error', async () => {
  const client = new LlmClient({ mock: true });
  const aborted = () => client.askStream('x', { signal: AbortSignal.abort() });
  const response = await toResponse(aborted(), { onError: async () => 'come back later' });
  assert.deepEqual([response.status, (await response.json()).error.message], [499, 'come back later']);
  const bug = new Error('the log is down');
  await assert.rejects(toResponse(aborted(), { onError: async () => { throw bug; } }), bug);
});

test('the time of the signal of the server is up: the page is told of a timeout', async () => {
  const client = new LlmClient({ mock: true });
  const signal = AbortSignal.abort(new DOMException('time', 'TimeoutError'));
  const response = await toResponse(client.askStream('x', { signal }));
  assert.equal(response.status, 504);
  await assert.rejects(readResponse(response).final(), { name: 'TimeoutError', code: 'timeout', retryable: true });
});
