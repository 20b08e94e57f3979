// `chatcore/response`: a stream as the response of a route, and how a page reads it.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { mock, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import * as chatcore from '../dist/node.js';
import { partialOf, readResponse, sendResponse, toResponse } from '../dist/response.js';
import { streamTools, tool } from '../dist/tools.js';

const { LlmClient } = chatcore;
const encode = (text) => new TextEncoder().encode(text);
const event = (content) => encode(`data: ${JSON.stringify({ id: 'r1', model: 'm', choices: [{ index: 0, delta: { content } }] })}\n\n`);
const END = encode(`data: ${JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })}\n\ndata: [DONE]\n\n`);
const EVENTS = { headers: { 'content-type': 'text/event-stream' } };

/** A provider whose answer is written by `start(controller)`, or is the response that it returns. */
function provider(start, more = {}) {
  let gone;
  const closed = new Promise((resolve) => { gone = resolve; });
  const fetch = async (_, { signal }) => {
    signal.addEventListener('abort', gone);
    let other;
    const body = new ReadableStream({ start(controller) { other = start(controller); }, cancel: gone });
    return other instanceof Response ? other : new Response(body, EVENTS);
  };
  return { client: new LlmClient({ baseURL: 'https://llm.example/v1', model: 'm', fetch, maxAttempts: 1, timeoutMs: Infinity, ...more }), closed };
}
const words = (...pieces) => provider((controller) => { for (const piece of [...pieces.map(event), END]) controller.enqueue(piece); controller.close(); });
const stalls = (...pieces) => provider((controller) => { for (const piece of pieces) controller.enqueue(event(piece)); });
const refuses = (status, error, headers = {}) => provider(() => Response.json({ error }, { status, headers }));
const textOf = async (stream) => {
  let text = '';
  for await (const piece of stream.text()) text += piece;
  return text;
};

test('a page gets every event, and the same answer as the server', async () => {
  const { client } = words('Hello ', 'wörld\n', '漢字 🎉');
  const events = [];
  for await (const event of client.askStream('x')) events.push(event);
  const kept = [];
  const response = await toResponse(client.askStream('x'), { onFinal: (answer) => { kept.push(answer); }, headers: { 'x-own': '1' }, status: 201 });
  assert.equal(response.status, 201);
  assert.deepEqual(['content-type', 'cache-control', 'x-accel-buffering', 'x-own'].map((name) => response.headers.get(name)),
    ['text/event-stream; charset=utf-8', 'no-cache, no-transform', 'no', '1']);
  const stream = readResponse(response);
  const seen = [];
  for await (const event of stream) seen.push(event);
  assert.deepEqual(seen, events);
  const answer = await stream.final();
  assert.equal(String(answer), 'Hello wörld\n漢字 🎉');
  assert.deepEqual(JSON.parse(JSON.stringify(answer)), JSON.parse(JSON.stringify(kept[0])));
  assert.equal(kept.length, 1);
});

test('a body that is cut at every byte is read the same', async () => {
  const { client } = words('wörld ', '🎉');
  const bytes = new Uint8Array(await (await toResponse(client.askStream('x'))).arrayBuffer());
  const single = new ReadableStream({ start(controller) { for (const byte of bytes) controller.enqueue(Uint8Array.of(byte)); controller.close(); } });
  assert.equal(await textOf(readResponse(new Response(single, EVENTS))), 'wörld 🎉');
});

test('plain text', async () => {
  const { client } = words('a ', 'b');
  const response = await toResponse(client.askStream('x'), { format: 'text', headers: new Map([['content-type', 'text/markdown']]) });
  assert.equal(response.headers.get('content-type'), 'text/markdown');
  assert.equal(await response.text(), 'a b');
  await assert.rejects(readResponse(await toResponse(words('a').client.askStream('x'), { format: 'text' })).final(), { code: 'protocol', message: /text\/plain.*format events/ });
});

test('a call that fails before its answer is a status, in words that name no account', async () => {
  for (const [failing, status, code, name, more] of [
    [refuses(429, { message: 'limit of org-secret' }, { 'retry-after': '7' }), 429, 'rate_limited', 'RateLimitError', { retryAfterMs: 7000, retryable: true }],
    [refuses(401, { message: 'Incorrect key' }), 502, 'server', 'ServerError', { retryable: false }],
    [refuses(400, { message: 'org-secret has no such model' }), 502, 'server', 'ServerError', { retryable: false }],
    [refuses(503, { message: 'overloaded' }), 503, 'overloaded', 'ServerError', { retryable: true }],
    [provider(() => { throw new TypeError('down'); }), 502, 'connection', 'ConnectionError', { retryable: true }],
  ]) {
    const told = [];
    const response = await toResponse(failing.client.askStream('x'), { onError: (error) => { told.push(error); } });
    assert.equal(response.status, status);
    assert.equal(response.headers.get('retry-after'), more.retryAfterMs ? '7' : null);
    const copy = response.clone();
    assert.doesNotMatch(await copy.text(), /secret|key/);
    await assert.rejects(readResponse(response).final(), (error) => {
      assert.ok(error instanceof chatcore.LlmError && error instanceof chatcore[error.name]);
      assert.deepEqual({ name: error.name, code: error.code, status: error.status }, { name, code, status });
      for (const [field, value] of Object.entries(more)) assert.equal(error[field], value, `${code}: ${field}`);
      return true;
    });
    assert.equal(told.length, 1);
    assert.ok(told[0] instanceof chatcore.LlmError);
  }
  const invalid = await toResponse(new LlmClient({ mock: true }).askStream([]));
  assert.equal(invalid.status, 400);
});

test('an error within the answer comes after its text, with the message of onError', async () => {
  const breaking = provider((controller) => { controller.enqueue(event('half')); controller.enqueue(encode('data: {"error":{"message":"org-secret is blocked"}}\n\n')); controller.close(); });
  const stream = readResponse(await toResponse(breaking.client.askStream('x'), { onError: () => 'Sorry.' }));
  const seen = [];
  await assert.rejects(async () => { for await (const text of stream.text()) seen.push(text); }, { message: 'Sorry.', partialText: 'half' });
  assert.deepEqual(seen, ['half']);
  await assert.rejects(stream.final(), { message: 'Sorry.' });
});

test('an answer that cannot be stored is an error in the page', async () => {
  const told = [];
  const options = { onFinal: async () => { throw new Error('disk full at /var/secret'); }, onError: (error) => { told.push(error.message); } };
  await assert.rejects(readResponse(await toResponse(words('a').client.askStream('x'), options)).final(), { code: 'server', message: 'the request failed', partialText: 'a' });
  assert.deepEqual(told, ['disk full at /var/secret']);
});

test('a page that goes away aborts the call, and the server learns what had come', async () => {
  for (const leave of [(stream) => stream.stop(), (stream) => stream.abort('bye')]) {
    const { client, closed } = stalls('one ');
    let told;
    const failed = new Promise((resolve) => { told = resolve; });
    const stream = readResponse(await toResponse(client.askStream('x'), { onError: told }));
    const iterator = stream.text();
    assert.equal((await iterator.next()).value, 'one ');
    const pending = iterator.next();
    leave(stream);
    await pending.catch((error) => assert.equal(error.name, 'AbortError'));
    await closed;
    const error = await failed;
    assert.deepEqual([error.name, error.partialText], ['AbortError', 'one ']);
    await assert.rejects(stream.final(), { name: 'AbortError', partialText: 'one ' });
  }
});

test('stop() ends a loop without an error; a signal of fetch and an abort are AbortErrors', async () => {
  const { client } = stalls('one');
  const stream = readResponse(await toResponse(client.askStream('x')));
  let text = '';
  for await (const piece of stream.text()) {
    text += piece;
    queueMicrotask(() => stream.stop());
  }
  assert.equal(text, 'one');
  const never = readResponse(new Promise(() => {}));
  const pending = never.final();
  never.abort('why');
  await assert.rejects(pending, { name: 'AbortError', cause: 'why' });
  await assert.rejects(readResponse(Promise.reject(AbortSignal.abort().reason)).final(), { name: 'AbortError', code: 'aborted' });
  await assert.rejects(readResponse(Promise.reject(new TypeError('fetch failed'))).final(), { name: 'ConnectionError', retryable: true });
});

test('a response that ends early, and what no toResponse made', async () => {
  const cut = new Response('data: {"type":"text","text":"a"}\n\n', EVENTS);
  await assert.rejects(readResponse(cut).final(), { name: 'StreamError', code: 'truncated', partialText: 'a' });
  await assert.rejects(readResponse(new Response('data: nonsense\n\n', EVENTS)).final(), { code: 'protocol' });
  await assert.rejects(readResponse(new Response('<html>')).final(), { code: 'protocol' });
  for (const [status, name] of [[401, 'AuthError'], [404, 'BadRequestError'], [429, 'RateLimitError'], [500, 'ServerError']]) {
    await assert.rejects(readResponse(new Response('<html>', { status })).final(), { name, status });
  }
  await assert.rejects(readResponse(new Response('', { status: 404 })).final(), { message: 'the server answered with the status 404; check the path of the route' });
});

test('a silent connection is kept open by comments, and begins without an event', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    let controller;
    const { client } = provider((own) => { controller = own; });
    const coming = toResponse(client.askStream('x', { timeouts: { byteIdle: Infinity } }), { heartbeatMs: 1000 });
    // The call must have begun before time goes on.
    while (!controller) await new Promise((resolve) => { setImmediate(resolve); });
    mock.timers.tick(1000);
    const reader = (await coming).body.getReader();
    const first = reader.read();
    await new Promise((resolve) => { setImmediate(resolve); });
    mock.timers.tick(1000);
    assert.equal(new TextDecoder().decode((await first).value), ': \n\n');
    controller.enqueue(event('late'));
    assert.match(new TextDecoder().decode((await reader.read()).value), /^data: \{"type"/);
    await reader.cancel();
  } finally {
    mock.timers.reset();
  }
});

/** A server of Node's http, and its address. */
async function server(answer) {
  const own = createServer(answer);
  own.listen(0, '127.0.0.1');
  await once(own, 'listening');
  return { url: `http://127.0.0.1:${own.address().port}`, close: () => { own.closeAllConnections(); own.close(); } };
}

test('a server of Node', async () => {
  const long = Array.from({ length: 3000 }, (_, n) => `${n} ${'x'.repeat(100)}\n`);
  const { client } = words(...long);
  const ended = [];
  const { url, close } = await server((req, res) => {
    void sendResponse(res, client.askStream('x'), { onFinal: () => { ended.push(1); } }).then(() => ended.push(res.writableEnded));
  });
  try {
    assert.equal(await textOf(readResponse(fetch(url))), long.join(''));
    assert.equal(ended[0], 1);
  } finally {
    close();
  }
});

test('a page that leaves a server of Node, before and within the answer', async () => {
  for (const pieces of [[], ['one']]) {
    const { client, closed } = stalls(...pieces);
    const told = [];
    let began;
    const asked = new Promise((resolve) => { began = resolve; });
    const { url, close } = await server((req, res) => {
      void sendResponse(res, client.askStream('x'), { onError: (error) => { told.push(error); } }).then(() => told.push('returned'));
      began();
    });
    try {
      const controller = new AbortController();
      const stream = readResponse(fetch(url, { signal: controller.signal }));
      const iterator = stream.text();
      const first = iterator.next();
      await asked;
      if (pieces.length > 0) assert.equal((await first).value, 'one');
      controller.abort();
      await assert.rejects(pieces.length > 0 ? iterator.next() : first, { name: 'AbortError' });
      await closed;
      while (told.length < 2) await new Promise((resolve) => { setImmediate(resolve); });
      assert.equal(told[0].name, 'AbortError');
      assert.equal(told[1], 'returned');
    } finally {
      close();
    }
  }
});

test('a loop of tools', async () => {
  const call = { index: 0, id: 'c1', type: 'function', function: { name: 'now', arguments: '{}' } };
  let turn = 0;
  const { client } = provider((controller) => {
    turn += 1;
    if (turn === 1) controller.enqueue(encode(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { tool_calls: [call] }, finish_reason: 'tool_calls' }] })}\n\ndata: [DONE]\n\n`));
    else { controller.enqueue(event('It is noon.')); controller.enqueue(END); }
    controller.close();
  });
  const now = tool({ name: 'now', run: () => 'noon' });
  const stream = readResponse(await toResponse(streamTools(client, 'x', { tools: [now] })));
  assert.equal(await textOf(stream), 'It is noon.');
  const answer = await stream.final();
  assert.deepEqual([String(answer), answer.turns, answer.messages.length], ['It is noon.', 2, 4]);
});

test('a typed answer grows in the page', async () => {
  const { client } = words('{"title":"T', 'ea","steps":["bo', 'il"]}');
  const schema = { type: 'object', properties: { title: { type: 'string' }, steps: { type: 'array', items: { type: 'string' } } }, required: ['title', 'steps'] };
  const stream = readResponse(await toResponse(client.askStream('x', { schema })));
  const values = [];
  for await (const value of partialOf(stream)) values.push(JSON.stringify(value));
  assert.equal(values[0], '{"title":"T"}');
  assert.deepEqual((await stream.final()).value, { title: 'Tea', steps: ['boil'] });
  assert.equal(values.at(-1), '{"title":"Tea","steps":["boil"]}');
});

test('a page that only reads loads less than 3 KB', async () => {
  const contents = `import { readResponse } from ${JSON.stringify(new URL('../dist/response.js', import.meta.url).pathname)}; globalThis.read = readResponse;`;
  const { outputFiles: [file] } = await build({ stdin: { contents, resolveDir: '/' }, bundle: true, minify: true, format: 'esm', target: 'es2022', write: false });
  assert.ok(gzipSync(file.contents, { level: 9 }).length < 3000, `${gzipSync(file.contents, { level: 9 }).length}`);
});

test('what is no stream, no option and no response says what to give', async () => {
  const { client } = words('a');
  for (const [run, said] of [
    [() => toResponse(client.ask('x')), /toResponse got an object that is no stream; give that of client\.askStream/],
    [async () => toResponse(await client.ask('x')), /no stream/],
    [() => toResponse(client.askStream('x').text()), /no stream/],
    [() => toResponse('x'), /toResponse got a text that is no stream/],
    [() => sendResponse(client.askStream('x'), {}), /sendResponse got an object that is no stream/],
    [() => toResponse(client.askStream('x'), { onFinish() {} }), /toResponse: unknown option onFinish; it may have format, .*onFinal/],
    [() => readResponse('/api/chat').final(), /readResponse got a text that is no response; give what fetch/],
    [() => readResponse(undefined).final(), /readResponse got undefined/],
  ]) await assert.rejects(run, { code: 'invalid_input', message: said });
  const read = await toResponse(client.askStream('x'));
  await read.text();
  await assert.rejects(readResponse(read).final(), { message: /already read/ });
});
