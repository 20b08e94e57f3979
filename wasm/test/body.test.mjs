// Bodies from the caller's own `fetch`: no type of body loses data, and neither a large body nor one that never pauses
// does harm.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import nodeFetch3 from 'node-fetch';
import nodeFetch2 from 'node-fetch-2';
import { LlmClient, StreamError, TimeoutError } from '../dist/node.js';
import { event, listening, whole } from './raw.mjs';

const client = (fetch, options = {}) => new LlmClient({ baseURL: 'http://127.0.0.1:1/v1', model: 'm', maxAttempts: 1, fetch, ...options });
const json = { 'content-type': 'application/json' };
const sse = { 'content-type': 'text/event-stream' };
const encode = (text) => new TextEncoder().encode(text);

const TEXT = 'one 你好 🙂 two é';
const halves = (text) => { const at = text.indexOf('\ude42'); return [text.slice(0, at), text.slice(at)]; };
const bytes = encode(whole(TEXT));
const each = (list) => Array.from(list, (_, at) => list.subarray(at, at + 1));
async function* slowly(pieces) { for (const piece of pieces) { await null; yield piece; } }

test('a body of any kind is read to its last byte', async () => {
  for (const [name, body] of Object.entries({
    'a stream of bytes': () => new Response(bytes).body,
    'a stream of texts, split within a letter': () => ReadableStream.from(halves(whole(TEXT))),
    'a stream of buffers': () => ReadableStream.from([bytes.buffer.slice(0, 9), new DataView(bytes.buffer, 9)]),
    'an async iterable of single bytes': () => slowly(each(bytes)),
    'an async iterable of texts': () => slowly(halves(whole(TEXT))),
    'an iterable': () => [bytes.subarray(0, 5), null, undefined, bytes.subarray(5)],
    'a stream of Node': () => Readable.from([Buffer.from(bytes)]),
    'a stream of Node, of texts': () => Readable.from(halves(whole(TEXT)), { encoding: 'utf8' }),
    'bytes': () => bytes, 'a Buffer': () => Buffer.from(bytes), 'an ArrayBuffer': () => bytes.slice().buffer,
    'bytes of another realm': () => runInNewContext('Uint8Array.from(bytes)', { bytes }),
    'a buffer of another realm': () => runInNewContext('Uint8Array.from(bytes).buffer', { bytes }),
    'text': () => whole(TEXT), 'a Blob': () => new Blob([bytes]),
  })) {
    const fetch = async () => ({ status: 200, headers: json, body: body() });
    assert.equal((await client(fetch).chatAsync('x')).text, TEXT, name);
  }
  for (const response of [{ arrayBuffer: async () => bytes.buffer }, { text: async () => whole(TEXT) }]) {
    assert.equal((await client(async () => ({ status: 200, headers: json, ...response })).chatAsync('x')).text, TEXT);
  }
});

test('headers of any kind are read', async () => {
  for (const headers of [
    new Headers({ 'X-Request-Id': 'r' }), new Map([['X-Request-Id', 'r']]), [['X-Request-Id', 'r']], { 'X-Request-Id': ['r'] },
  ]) {
    assert.equal((await client(async () => ({ status: 200, headers, body: whole('x') })).chatAsync('x')).requestId, 'r');
  }
  assert.equal((await client(async () => ({ status: 200, body: whole('x') })).chatAsync('x')).requestId, null);
});

test('what is no answer is told', async () => {
  for (const answer of [undefined, null, 'text', { status: 200, headers: json, body: [{}] }, { status: 200, headers: json, body: [7] }]) {
    await assert.rejects(client(async () => answer).chatAsync('x'), (error) => error.code === 'protocol', JSON.stringify(answer));
  }
});

test('node-fetch 2 and 3, whole, streamed and left', async () => {
  let gone;
  const closed = new Promise((resolve) => { gone = resolve; });
  const port = await listening(createServer(async (request, response) => {
    let body = '';
    for await (const piece of request) body += piece;
    const { stream, messages: [{ content }] } = JSON.parse(body);
    if (content === 'stall') response.on('close', gone);
    response.writeHead(200, stream ? sse : json);
    if (!stream) response.end(whole(TEXT));
    else if (content === 'stall') response.write(event('one'));
    else response.end(`${[...TEXT].map((letter) => event(letter)).join('')}${event('', 'stop')}data: [DONE]\n\n`);
  }));
  for (const fetch of [nodeFetch2, nodeFetch3]) {
    const made = client(fetch, { baseURL: `http://127.0.0.1:${port}/v1` });
    assert.equal((await made.chatAsync('x')).text, TEXT);
    assert.equal((await made.chatStream('x').final()).text, TEXT);
    for await (const text of made.chatStream('stall').text()) if (text) break;
    await closed;
  }
});

test('an iterable that is left hears of it', async () => {
  let left;
  const ended = new Promise((resolve) => { left = resolve; });
  async function* endless() { try { for (;;) { yield event('one'); await new Promise((resolve) => setTimeout(resolve, 1)); } } finally { left(); } }
  for await (const text of client(async () => ({ status: 200, headers: sse, body: endless() })).chatStream('x').text()) if (text) break;
  await ended;
});

test('what is compressed counts as what comes out of it, whatever length it says', async () => {
  // Far more than the allowed size: spaces, which are valid before JSON.
  const bomb = gzipSync(Buffer.alloc(300 << 20, ' '), { level: 1 });
  assert.ok(bomb.length > 99_999);
  const small = gzipSync(bomb);
  assert.ok(small.length < 99_999);
  const port = await listening(createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(200, { ...json, 'content-encoding': 'gzip, gzip', 'content-length': small.length }).end(small));
  }));
  const made = client(globalThis.fetch, { baseURL: `http://127.0.0.1:${port}/v1`, timeoutMs: 120_000 });
  await assert.rejects(made.chatAsync('x'), (error) => error.code === 'response_too_large');
});

test('a body that is always ready starves nobody, and has its time', async () => {
  const spaces = new Uint8Array(64).fill(0x20);
  let [pulled, ticks] = [0, 0];
  const always = () => new ReadableStream({ pull(controller) { pulled += 1; controller.enqueue(spaces); } });
  async function* never() { for (;;) { pulled += 1; yield ': ping\n\n'; } }
  for (const [headers, body] of [[json, always], [sse, never]]) {
    const clock = setInterval(() => { ticks += 1; }, 1);
    const made = client(async () => ({ status: 200, headers, body: body() }), { timeoutMs: 150 });
    await assert.rejects(made.chatStream('x').final(), (error) => error instanceof TimeoutError && error.phase === 'overall');
    clearInterval(clock);
  }
  assert.ok(pulled > 100 && ticks > 2, `${pulled} pieces, ${ticks} ticks`);
});

test('an error in the middle of a body keeps what came and its cause', async () => {
  const mine = Object.assign(new Error('mine'), { code: 'ECONNRESET' });
  async function* broken() { yield event('one'); throw mine; }
  await assert.rejects(client(async () => ({ status: 200, headers: sse, body: broken() })).chatStream('x').final(),
    (error) => error instanceof StreamError && error.partialText === 'one' && error.cause === mine);
});

test('an answer that is compressed, and is not unpacked by the fetch, says so', async () => {
  const fetch = async () => ({ status: 200, headers: { ...json, 'content-encoding': 'gzip' }, body: gzipSync(whole('x')) });
  await assert.rejects(client(fetch).chatAsync('x'), (error) => error.code === 'protocol' && /content-encoding gzip/.test(error.message));
  // A body that was decoded, although its header is still there.
  assert.equal((await client(async () => ({ status: 200, headers: { ...json, 'content-encoding': 'zstd' }, body: whole('x') })).chatAsync('x')).text, 'x');
});
