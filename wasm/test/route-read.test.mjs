// `readResponse` under faults: connections that must close, and wrong bodies.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readResponse } from '../dist/response.js';

const encode = (text) => new TextEncoder().encode(text);
const EVENTS = { headers: { 'content-type': 'text/event-stream' } };
const turn = () => new Promise((resolve) => { setImmediate(resolve); });

/** A body that stays open after `text`, and a promise of its end. */
function open(text = '') {
  let gone;
  const closed = new Promise((resolve) => { gone = resolve; });
  return { body: new ReadableStream({ start(controller) { if (text) controller.enqueue(encode(text)); }, cancel: gone }), closed };
}

test('a stop before the response comes closes it when it comes', async () => {
  const { body, closed } = open();
  let come;
  const stream = readResponse(new Promise((resolve) => { come = resolve; }));
  const pending = stream.text().next();
  await turn();
  stream.stop();
  assert.deepEqual(await pending, { done: true, value: undefined });
  come(new Response(body, EVENTS));
  await closed;
});

test('what is no event closes the connection, and is an error of the protocol', async () => {
  for (const line of ['nonsense', 'null', '5', '[]', '{"text":"a"}', '{"type":"answer","answer":null}', '{"type":"error"}', '{"type":"error","error":{"code":"auth"}}']) {
    const { body, closed } = open(`data: {"type":"text","text":"a"}\n\ndata: ${line}\n\n`);
    await assert.rejects(readResponse(new Response(body, EVENTS)).final(), { name: 'StreamError', code: 'protocol', partialText: 'a' }, line);
    await closed;
  }
  const { body, closed } = open('<html>');
  await assert.rejects(readResponse(new Response(body)).final(), { code: 'protocol' });
  await closed;
});

test('the errors of other servers have the class of their status', async () => {
  for (const body of ['null', '"x"', '{"error":null}', '{"error":{"code":"UNAUTHORIZED","message":"no"}}', '{"error":{"code":"constructor"}}']) {
    await assert.rejects(readResponse(new Response(body, { status: 401 })).final(), { name: 'AuthError', code: 'auth', status: 401 }, body);
  }
  const newer = Response.json({ error: { code: 'constructor', message: 'm', retryable: true } }, { status: 500 });
  await assert.rejects(readResponse(newer).final(), { name: 'LlmError', message: 'm', retryable: true });
});

test('a line in many pieces is joined once', async () => {
  const bytes = encode(`data: ${JSON.stringify({ type: 'answer', answer: { text: 'x'.repeat(50_000) } })}\n\n`);
  const split = mockSplit();
  try {
    let at = 0;
    const body = new ReadableStream({ pull(controller) { controller.enqueue(bytes.subarray(at, at += 1)); } });
    assert.equal(String(await readResponse(new Response(body, EVENTS)).final()).length, 50_000);
  } finally {
    split.restore();
  }
  assert.ok(split.letters < 2 * bytes.length, `${split.letters} letters were split`);
});

/** Counts the letters that are split. */
function mockSplit() {
  const { split } = String.prototype;
  const counted = { letters: 0, restore() { String.prototype.split = split; } };
  String.prototype.split = function own(...words) {
    counted.letters += this.length;
    return split.apply(this, words);
  };
  return counted;
}

test('an error without an end is read to its first 64 KiB, and an abort closes its connection', async () => {
  let pulled = 0, gone;
  const ended = new Promise((resolve) => { gone = resolve; });
  const endless = new ReadableStream({ pull(controller) { pulled += 1; controller.enqueue(new Uint8Array(1000).fill(32)); }, cancel: gone });
  await assert.rejects(readResponse(new Response(endless, { status: 500 })).final(), { name: 'ServerError', status: 500 });
  await ended;
  assert.ok(pulled < 100, `${pulled} KB were read`);
  const { body, closed } = open('{"error":');
  const stream = readResponse(new Response(body, { status: 500 }));
  const pending = stream.final();
  await turn();
  stream.abort();
  await assert.rejects(pending, { name: 'AbortError' });
  await closed;
});

test('a line without an end is not kept without a limit, and its connection is closed', async () => {
  let isCancelled = false;
  const piece = new Uint8Array(16 << 20).fill(0x78);
  const body = new ReadableStream({ pull: (controller) => controller.enqueue(piece), cancel: () => { isCancelled = true; } });
  const response = new Response(body, { headers: { 'content-type': 'text/event-stream' } });
  await assert.rejects(readResponse(response).final(), { name: 'StreamError', code: 'protocol' });
  assert.ok(isCancelled);
});
