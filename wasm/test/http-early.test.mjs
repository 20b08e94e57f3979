// `node:http` with a server that sends at the wrong time: before the request has come, after its answer, or never.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createServer as createRaw } from 'node:net';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { AuthError, LlmClient } from '../dist/node.js';
import { answer, listening, raw } from './raw.mjs';

const client = (port, options = {}) => new LlmClient({ baseURL: `http://127.0.0.1:${port}/v1`, model: 'm', maxAttempts: 1, ...options });

test('an answer that comes before the request is sent holds up nothing', async () => {
  const body = 'x'.repeat(12_000_000);
  const server = createRaw((socket) => {
    socket.on('error', () => {});
    // The server answers at the head of the request, reads no more, and keeps the connection open.
    socket.once('data', () => { socket.pause(); socket.write('HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\n{}'); });
  });
  const port = await listening(server);
  const program = `import { LlmClient } from ${JSON.stringify(new URL('../dist/node.js', import.meta.url).href)};
    const client = new LlmClient({ baseURL: 'http://127.0.0.1:${port}/v1', model: 'm', maxAttempts: 1 });
    await client.chatAsync('x'.repeat(${body.length})).catch(({ status }) => console.log(status));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], { timeout: 20_000 });
  assert.equal(stdout.trim(), '413');
});

test('what comes after an answer is no part of it, nor of the next one', async () => {
  const port = await raw((socket, request, nth) => socket.write(`${answer(`${nth}.${request}`)}HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n`));
  const made = client(port);
  for (const expect of ['1.1', '2.1']) assert.equal(String(await made.chatAsync('x')), expect);
  const noise = await raw((socket) => socket.write(`${answer('ok')}no HTTP`));
  assert.equal(String(await client(noise).chatAsync('x')), 'ok');
});

test('what a server sends unasked behind an answer is no answer to the next request', async () => {
  for (const extra of ['\r\n', answer('unasked'), 'no HTTP']) {
    let unasked = 0;
    const port = await raw((socket, request, nth) => {
      socket.write(answer(`${nth}.${request}`));
      // After the answer, in a separate packet.
      setImmediate(() => socket.write(extra, () => { unasked += 1; }));
    });
    const made = client(port);
    for (let n = 1; n <= 10; n += 1) {
      const text = String(await made.chatAsync('x'));
      assert.match(text, /^\d+\.\d+$/, `${JSON.stringify(extra)}: ${text}`);
      // The bytes have come, and no request was sent since.
      while (unasked < n) await new Promise(setImmediate);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
});

test('an answer that comes before the request is sent, and then the end of the connection', async () => {
  // The server's reset may come while the request is written, and must not end the process.
  const server = createRaw((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.pause();
      socket.write('HTTP/1.1 413 Too Large\r\ncontent-type: application/json\r\ncontent-length: 33\r\n\r\n{"error":{"message":"too large"}}', () => socket.destroy());
    });
  });
  const port = await listening(server);
  const program = `import { LlmClient } from ${JSON.stringify(new URL('../dist/node.js', import.meta.url).href)};
    const client = new LlmClient({ baseURL: 'http://127.0.0.1:${port}/v1', model: 'm' });
    const seen = [];
    for (const size of [1e5, 1e6, 12e6, 12e6, 12e6, 12e6]) {
      await client.chatAsync('x'.repeat(size)).catch(({ status, attempts }) => seen.push(status + '/' + attempts));
    }
    console.log(seen.join(' '));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], { timeout: 90_000 });
  assert.equal(stdout.trim(), '413/1 413/1 413/1 413/1 413/1 413/1');
});

test('an error whose body hangs is told with its status, and with what has come', async () => {
  const head = (type, length) => `HTTP/1.1 401 No\r\ncontent-type: ${type}\r\ncontent-length: ${length}\r\n\r\n`;
  const whole = '{"error":{"message":"no such key"}}';
  for (const [sent, message] of [[head('application/json', 500), /401/], [head('application/json', 500) + whole, /no such key/]]) {
    const port = await raw((socket) => socket.write(sent));
    for (const fetch of [undefined, globalThis.fetch]) {
      await assert.rejects(client(port, { ...fetch && { fetch }, timeoutMs: 60_000 }).chatAsync('x'), (error) =>
        error instanceof AuthError && error.status === 401 && message.test(error.message));
    }
  }
});
