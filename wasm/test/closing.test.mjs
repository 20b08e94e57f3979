// How calls, streams, clients and the process end.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { ClosedError, LlmClient } from '../dist/node.js';
import { answer, event, raw } from './raw.mjs';

const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n';
const client = (port, options = {}) => new LlmClient({ baseURL: `http://127.0.0.1:${port}/v1`, model: 'm', maxAttempts: 1, ...options });
/** No time limit ends a call here. */
const FOREVER = { timeoutMs: Infinity, timeouts: { byteIdle: Infinity } };

/** Runs a program in a new Node process, where the core is not loaded yet, and returns its output. A hang is an error. */
async function program(port, lines, entry = 'node.js') {
  const text = `import { LlmClient } from ${JSON.stringify(new URL(`../dist/${entry}`, import.meta.url).href)};
    const client = new LlmClient({ baseURL: 'http://127.0.0.1:${port}/v1', model: 'm', maxAttempts: 1, timeoutMs: Infinity, timeouts: { byteIdle: Infinity } });
    ${lines}`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', text], { timeout: 90_000 });
  return stdout.trim();
}

/** A server whose streams stop after a word and whose connections it never closes, and a promise of a closed connection. */
async function stalling() {
  let gone;
  let begun;
  const closed = new Promise((resolve) => { gone = resolve; });
  const began = new Promise((resolve) => { begun = resolve; });
  const port = await raw((socket) => { socket.on('close', gone); socket.write(head + event('one')); begun(); });
  return { port, closed, began };
}

test('close waits for calls that were made while the core was not there yet', async () => {
  const port = await raw((socket) => socket.write(answer('ok')));
  for (const entry of ['node.js', 'index.js']) {
    assert.equal(await program(port, `
      const calls = [client.chatAsync('a'), client.chatStream('b').final().catch((error) => error.code)];
      await client.close();
      const late = await client.chatAsync('c').catch((error) => error.name);
      console.log((await calls[0]).text, late, client.status().succeeded);
    `, entry), 'ok ClosedError 2', entry);
  }
});

test('a stream that nobody reads on does not keep the process alive', async () => {
  const { port } = await stalling();
  assert.equal(await program(port, `
    const { value } = await client.chatStream('x')[Symbol.asyncIterator]().next();
    console.log(value.type);
  `), 'start');
});

test('a call that is awaited does keep it alive, beside a stream that is not', async () => {
  let first = true;
  const port = await raw((socket) => {
    if (first) socket.write(head + event('one'));
    else setTimeout(() => socket.write(answer('late')), 300);
    first = false;
  });
  assert.equal(await program(port, `
    await client.chatStream('x')[Symbol.asyncIterator]().next();
    console.log(String(await client.chatAsync('y')));
  `), 'late');
});

for (const [how, leave] of [
  ['return, while a piece is awaited', async (stream) => {
    const events = stream[Symbol.asyncIterator]();
    await events.next();
    await events.next();
    const pending = events.next();
    assert.deepEqual(await events.return(), { done: true, value: undefined });
    assert.deepEqual(await pending, { done: true, value: undefined });
    assert.deepEqual(await events.next(), { done: true, value: undefined });
  }],
  ['return of its text', async (stream) => {
    const text = stream.text();
    assert.equal((await text.next()).value, 'one');
    const pending = text.next();
    await text.return();
    assert.equal((await pending).done, true);
  }],
  ['throw', async (stream) => {
    const events = stream[Symbol.asyncIterator]();
    await events.next();
    await assert.rejects(events.throw(new Error('mine')), /mine/);
  }],
  ['break', async (stream) => { for await (const text of stream.text()) if (text) break; }],
  ['a loop that throws', async (stream) => {
    await assert.rejects(async () => { for await (const text of stream.text()) throw new Error(text); }, /one/);
  }],
  ['cancel of its body', async (stream) => {
    const reader = stream.toReadableStream().getReader();
    await reader.read();
    await reader.cancel('enough');
  }],
]) {
  test(`leaving a stream ends its request at once: ${how}`, async () => {
    const { port, closed } = await stalling();
    const made = client(port, FOREVER);
    await leave(made.chatStream('x'));
    await closed;
    await made.close();
    assert.deepEqual([made.status().active, made.status().cancelled], [0, 1]);
  });
}

test('a stream that is read first when the client is closed is turned away; one that runs is awaited', async () => {
  let end;
  const port = await raw((socket) => {
    socket.write(head + event('one'));
    end = () => socket.write(`${event(' two', 'stop')}data: [DONE]\n\n`);
  });
  const made = client(port);
  const [running, late] = [made.chatStream('x'), made.chatStream('y')];
  const text = running.text();
  assert.equal((await text.next()).value, 'one');
  let isClosed = false;
  const closing = made.close().then(() => { isClosed = true; });
  await assert.rejects(late.final(), ClosedError);
  assert.equal(isClosed, false);
  end();
  assert.equal((await running.final()).text, 'one two');
  await closing;
});

test('a connection is used again after a stream, whether or not its end came with the last event', async () => {
  for (const isSplit of [false, true]) {
    const sockets = new Set();
    const chunk = (text) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
    const port = await raw((socket, _nth, nth) => {
      sockets.add(nth);
      socket.write(`HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n`
        + chunk(`${event('ok', 'stop')}data: [DONE]\n\n`));
      if (isSplit) setImmediate(() => socket.write('0\r\n\r\n'));
      else socket.write('0\r\n\r\n');
    });
    const made = client(port);
    for (let n = 0; n < 5; n += 1) {
      assert.equal((await made.chatStream('x').final()).text, 'ok');
      // The end of the body is read after the answer was delivered.
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    // A busy machine may be late, and the core waits only 50 ms for the end.
    assert.ok(sockets.size < 5, `${sockets.size} connections`);
  }
});

test('the answer of a stream knows its request, its attempts and what was passed over', async () => {
  let requests = 0;
  const port = await raw((socket) => {
    if ((requests += 1) === 1) {
      socket.write('HTTP/1.1 503 Busy\r\nretry-after-ms: 1\r\ncontent-length: 0\r\n\r\n');
      return;
    }
    const events = [
      { type: 'message_start', message: { id: 'm1', role: 'assistant', content: [], model: 'm' } }, { type: 'unheard_of' },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: 'ok' } }, { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 1 } }, { type: 'message_stop' },
    ];
    socket.end('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nrequest-id: req-7\r\nconnection: close\r\n\r\n'
      + events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(''));
  });
  const made = new LlmClient({ provider: 'anthropic', baseURL: `http://127.0.0.1:${port}`, model: 'm' });
  const { text, requestId, attempts, skippedEvents } = await made.chatStream('x').final();
  assert.deepEqual({ text, requestId, attempts, skippedEvents }, { text: 'ok', requestId: 'req-7', attempts: 2, skippedEvents: 1 });
});
