// `node:http`, which the entry for Node uses instead of `fetch`.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http, { createServer } from 'node:http';
import https from 'node:https';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { compileFunction } from 'node:vm';
import { brotliCompressSync, createGzip, deflateSync, gzipSync } from 'node:zlib';
import { BadRequestError, ConnectionError, LlmClient, LlmError, StreamError } from '../dist/node.js';
import { answer, listening, raw, whole } from './raw.mjs';

const client = (port, options = {}) => new LlmClient({ baseURL: `http://127.0.0.1:${port}/v1`, model: 'm', maxAttempts: 1, ...options });

test('what goes out, and no more', async () => {
  let seen;
  const port = await raw((socket, _nth, _socket, request) => { seen = request; socket.end(answer('ok')); });
  assert.equal((await client(port, { apiKey: 'k', headers: { 'x-mine': '1' } }).chatAsync('你')).text, 'ok');
  const [head, body] = seen.split('\r\n\r\n');
  const [first, ...lines] = head.split('\r\n');
  assert.equal(first, 'POST /v1/chat/completions HTTP/1.1');
  assert.deepEqual(lines.map((line) => line.split(':')[0].toLowerCase()).sort(),
    ['authorization', 'connection', 'content-length', 'content-type', 'host', 'user-agent', 'x-mine']);
  assert.ok(lines.includes(`Host: 127.0.0.1:${port}`) && lines.includes('user-agent: chatcore'));
  assert.equal(JSON.parse(Buffer.from(body, 'latin1').toString()).messages[0].content, '你');
  await client(port, { headers: { 'User-Agent': 'mine/1' } }).chatAsync('x');
  assert.match(seen, /\r\nuser-agent: mine\/1\r\n/);
});

test('a fetch that was replaced, or has another dispatcher, is what sends', async () => {
  const calls = [];
  const port = await raw((socket) => socket.end(answer('by http')));
  const fake = async (url) => { calls.push(url); return new Response(whole('replaced'), { headers: { 'content-type': 'application/json' } }); };
  const made = client(port);
  assert.equal(String(await made.chatAsync('x')), 'by http');
  const { fetch } = globalThis;
  globalThis.fetch = fake;
  try {
    assert.equal(String(await made.chatAsync('x')), 'replaced');
  } finally {
    globalThis.fetch = fetch;
  }
  assert.equal(calls.length, 1);
  const key = Symbol.for('undici.globalDispatcher.1');
  const before = globalThis[key];
  let dispatched = 0;
  class ProxyAgent { dispatch() { dispatched += 1; throw new Error('the proxy is down'); } }
  globalThis[key] = new ProxyAgent();
  try {
    await assert.rejects(made.chatAsync('x'), ConnectionError);
    assert.equal(dispatched, 1);
  } finally {
    globalThis[key] = before;
  }
});

test('a dispatcher that undici sets when it is imported changes nothing', async () => {
  const keys = ['undici.globalDispatcher.1', 'undici.globalDispatcher.2'].map((name) => Symbol.for(name));
  const before = keys.map((key) => globalThis[key]);
  class Agent {
    dispatch() { throw new Error('not by http'); }
  }
  try {
    // The defaults of undici 6, and of 7.30.
    for (const options of [{ connect: undefined }, { maxOrigins: Infinity, connect: undefined, tls: undefined }]) {
      const agent = Object.assign(new Agent(), { [Symbol('options')]: options, [Symbol('factory')]: function defaultFactory() {} });
      for (const key of keys) globalThis[key] = agent;
      assert.equal(String(await client(await raw((socket) => socket.end(answer('by http')))).chatAsync('x')), 'by http');
    }
  } finally {
    keys.forEach((key, n) => { globalThis[key] = before[n]; });
  }
});

test('undici with certificates of its own is what sends, too', async () => {
  const port = await raw((socket) => socket.end(answer('by http')));
  const key = Symbol.for('undici.globalDispatcher.1');
  const before = globalThis[key];
  let dispatched = 0;
  class Agent {
    [Symbol('options')] = { connect: { ca: 'mine' }, interceptors: undefined };
    [Symbol('factory')] = function defaultFactory() {};
    dispatch() { dispatched += 1; throw new Error('not now'); }
  }
  const composed = (agent) => new Proxy(agent, {
    get: (target, name) => (name === 'dispatch' ? () => { dispatched += 1; throw new Error('not now'); } : target[name]),
  });
  try {
    // Node makes its own dispatcher at the first fetch.
    await fetch(`http://127.0.0.1:${port}`, { method: 'POST', body: 'x' }).catch(() => {});
    for (const agent of [new Agent(), composed(before ?? globalThis[key])]) {
      globalThis[key] = agent;
      await assert.rejects(client(port).chatAsync('x'), ConnectionError);
    }
    assert.equal(dispatched, 2);
    globalThis[key] = before;
    await fetch(`http://127.0.0.1:${port}`, { method: 'POST', body: 'x' }).catch(() => {});
    assert.equal(String(await client(port).chatAsync('x')), 'by http');
  } finally {
    globalThis[key] = before;
  }
});

test('a fetch that was replaced before the package was loaded is what sends', async () => {
  const program = `globalThis.fetch = async () => Response.json(${whole('replaced')});
    const { LlmClient } = await import(${JSON.stringify(new URL('../dist/node.js', import.meta.url).href)});
    console.log(String(await new LlmClient({ baseURL: 'http://127.0.0.1:9/v1', model: 'm', maxAttempts: 1 }).chatAsync('x')));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
  assert.equal(stdout.trim(), 'replaced');
});

test('where modules cannot be imported, as in Jest, and where there are none of Node', async () => {
  const port = await raw((socket) => socket.end(answer('ok')));
  const code = readFileSync(new URL('../dist/node.cjs', import.meta.url), 'utf8');
  const load = (require) => {
    const module = { exports: {} };
    compileFunction(code, ['module', 'exports', 'require'])(module, module.exports, require);
    return new module.exports.LlmClient({ baseURL: `http://127.0.0.1:${port}/v1`, model: 'm', maxAttempts: 1 });
  };
  const require = createRequire(import.meta.url);
  assert.equal(String(await load(require).chatAsync('x')), 'ok');
  const { getBuiltinModule } = process;
  process.getBuiltinModule = undefined;
  try {
    assert.equal(String(await load(require).chatAsync('x')), 'ok');
  } finally {
    process.getBuiltinModule = getBuiltinModule;
  }
});

test('what is patched in node:http is seen', async () => {
  const port = await raw((socket) => socket.end(answer('ok')));
  const { request } = http;
  let seen = 0;
  http.request = (...words) => { seen += 1; return request(...words); };
  try {
    await client(port).chatAsync('x');
  } finally {
    http.request = request;
  }
  assert.equal(seen, 1);
});

test('a compressed stream is read as it comes, while the server keeps it open', async () => {
  const port = await raw((socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-encoding: gzip\r\n\r\n');
    const gzip = createGzip();
    gzip.on('data', (bytes) => socket.write(bytes));
    gzip.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: 'first' } }] })}\n\n`);
    gzip.flush();
  });
  const stream = client(port).chatStream('x');
  for await (const text of stream.text()) {
    assert.equal(text, 'first');
    break;
  }
});

test('compressed answers are read, and those that are cut or none are errors', async () => {
  for (const [name, compress] of Object.entries({ gzip: gzipSync, br: brotliCompressSync, deflate: deflateSync })) {
    const head = (bytes, type) => `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\ncontent-encoding: ${name}\r\ncontent-length: ${bytes.length}\r\n\r\n`;
    const text = 'é'.repeat(100_000);
    const port = await raw((socket) => {
      const bytes = compress(whole(text));
      socket.write(Buffer.concat([Buffer.from(head(bytes, 'application/json')), bytes]));
    });
    assert.ok((await client(port).chatAsync('x')).text === text, name);
    const cut = await raw((socket) => {
      const bytes = compress(whole(text));
      socket.end(Buffer.concat([Buffer.from(head(bytes, 'application/json')), bytes.subarray(0, bytes.length / 2)]));
    });
    await assert.rejects(client(cut).chatAsync('x'), (error) => error instanceof StreamError, name);
    const wrong = await raw((socket) => socket.write(head('no such thing', 'application/json') + 'no such thing'));
    await assert.rejects(client(wrong).chatAsync('x'), (error) => error instanceof StreamError, name);
  }
});

test('what is not compressed as it says closes its connection, and an empty answer keeps its status', async () => {
  let gone;
  const closed = new Promise((resolve) => { gone = resolve; });
  const endless = await raw((socket) => {
    socket.on('close', gone);
    socket.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n');
    const more = () => { if (socket.write(`10000\r\n${'x'.repeat(65_536)}\r\n`)) setImmediate(more); };
    socket.on('drain', more);
    more();
  });
  await assert.rejects(client(endless).chatAsync('x'), StreamError);
  await closed;
  const empty = await raw((socket) => socket.write('HTTP/1.1 401 No\r\ncontent-encoding: gzip\r\ncontent-length: 0\r\n\r\n'));
  await assert.rejects(client(empty).chatAsync('x'), (error) => error.code === 'auth' && error.status === 401);
});

test('where the program has an agent of its own kind, it is what connects, a second time too', async () => {
  const port = await raw((socket, request, nth) => {
    if (request === 1) socket.write(answer(`socket ${nth}`));
    else socket.destroy();
  });
  let connected = 0;
  class ProxyAgent extends http.Agent {
    createConnection(...words) { connected += 1; return super.createConnection(...words); }
  }
  const before = http.globalAgent;
  http.globalAgent = new ProxyAgent({ keepAlive: true });
  try {
    const made = client(port);
    for (const expect of ['socket 1', 'socket 2']) assert.equal(String(await made.chatAsync('x')), expect);
    assert.equal(connected, 2);
  } finally {
    http.globalAgent.destroy();
    http.globalAgent = before;
  }
});

test('headers of the connection are refused', async () => {
  for (const name of ['host', 'Content-Length', 'transfer-encoding', 'connection', 'expect', 'upgrade']) {
    assert.throws(() => client(9, { headers: { [name]: '1' } }), (error) => error instanceof LlmError && error.code === 'config');
    await assert.rejects(client(9).chatAsync('x', { headers: { [name]: '1' } }), (error) => error.code === 'invalid_input');
  }
});

test('a kept connection that was closed as the request came is replaced at once', async () => {
  const served = [];
  const port = await raw((socket, request, nth) => {
    served.push(`${nth}.${request}`);
    if (request === 1) socket.write(answer(`socket ${nth}`));
    else socket.destroy();
  });
  const made = client(port);
  for (const expect of ['socket 1', 'socket 2', 'socket 3']) {
    const { text, attempts } = await made.chatAsync('x');
    assert.deepEqual([text, attempts], [expect, 1]);
  }
  // Each retried request had its own connection.
  assert.deepEqual(served, ['1.1', '1.2', '2.1', '3.1']);
});

test('however many connections are kept and dead, a chat is sent twice at most', async () => {
  let requests = 0;
  const port = await raw((socket, request) => {
    requests += 1;
    // The first request of each connection is answered once all have come, so that no connection is reused earlier.
    if (request > 1) socket.destroy();
    else if (requests < 16) waiting.push(socket);
    else for (const one of [...waiting, socket]) one.write(answer('ok'));
  });
  const waiting = [];
  const made = client(port, { workers: 16 });
  await Promise.all(Array.from({ length: 16 }, () => made.chatAsync('x')));
  assert.equal(requests, 16);
  assert.equal(String(await made.chatAsync('x')), 'ok');
  assert.equal(requests, 18);
});

test('one that is lost after a byte of the answer is no reason to pay twice', async () => {
  let requests = 0;
  const port = await raw((socket, request) => {
    requests += 1;
    if (request === 1) socket.write(answer('ok'));
    else socket.end('HTTP/1.1 2');
  });
  const made = client(port);
  await made.chatAsync('x');
  await assert.rejects(made.chatAsync('x'), (error) => error instanceof ConnectionError && error.retryable);
  assert.equal(requests, 2);
});

test('a new connection that is lost is not replaced', async () => {
  let requests = 0;
  const port = await raw((socket) => { requests += 1; socket.destroy(); });
  await assert.rejects(client(port).chatAsync('x'), (error) => error.code === 'connection' && error.cause.code === 'ECONNRESET');
  assert.equal(requests, 1);
});

test('bodies of any size come whole: with a length, in chunks, and up to the close', async () => {
  for (const size of [10, 70_000, 99_000, 3_000_000]) {
    const text = 'é'.repeat(size / 2);
    const bytes = whole(text);
    const ways = {
      length: (socket) => socket.write(answer(text)),
      close: (socket) => socket.end(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n${bytes}`),
      chunks: (socket) => {
        socket.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n');
        const all = Buffer.from(bytes);
        for (let at = 0; at < all.length; at += 65_537) {
          const piece = all.subarray(at, at + 65_537);
          socket.write(`${piece.length.toString(16)}\r\n`);
          socket.write(piece);
          socket.write('\r\n');
        }
        socket.write('0\r\n\r\n');
      },
    };
    for (const [name, write] of Object.entries(ways)) {
      const port = await raw(write);
      assert.ok((await client(port).chatAsync('x')).text === text, `${size} by ${name}`);
    }
  }
});

test('a body that is cut is an error, with a length and in chunks', async () => {
  for (const head of ['content-length: 500', 'transfer-encoding: chunked']) {
    const start = head.startsWith('t') ? '64\r\n{"choices"' : '{"choices"';
    const port = await raw((socket) => socket.end(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${head}\r\n\r\n${start}`));
    await assert.rejects(client(port).chatAsync('x'), (error) => error instanceof StreamError && error.code === 'truncated', head);
  }
});

test('what is no HTTP is told as such', async () => {
  const port = await raw((socket) => socket.end('SSH-2.0-OpenSSH\r\n'));
  await assert.rejects(client(port).chatAsync('x'), (error) => error instanceof StreamError && error.code === 'protocol');
  const large = await raw((socket) => socket.end(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`));
  await assert.rejects(client(large).chatAsync('x'), (error) => error.code === 'response_too_large');
});

test('what stops being HTTP within a body is told as such', async () => {
  const port = await raw((socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{"\r\nno size\r\n');
  });
  await assert.rejects(client(port).chatAsync('x'), (error) => error.code === 'protocol' && !error.retryable);
});

test('redirects are not followed, and take no key along', async () => {
  let there = 0;
  const other = await raw((socket) => { there += 1; socket.end(answer('no')); });
  const port = await raw((socket) => socket.end(`HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:${other}/v1\r\ncontent-length: 0\r\n\r\n`));
  await assert.rejects(client(port, { apiKey: 'k' }).chatAsync('x'), (error) => error.status === 307);
  assert.equal(there, 0);
});

test('a server is not read faster than its stream is', async () => {
  const event = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: 'x'.repeat(8_000) } }] })}\n\n`;
  let written = 0;
  let ended;
  const closed = new Promise((resolve) => { ended = resolve; });
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const more = () => { while (!response.destroyed) { written += event.length; if (!response.write(event)) return; } };
    response.on('drain', more);
    response.on('close', ended);
    more();
  });
  const port = await listening(server);
  const stream = client(port).chatStream('x')[Symbol.asyncIterator]();
  for (let n = 0; n < 3; n += 1) await stream.next();
  // Once nothing more is written, the buffers of both sides are full.
  for (let before = -1; before !== written;) {
    before = written;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  assert.ok(written < 30_000_000, `${written} bytes`);
  await stream.return();
  await closed;
});

test('an abort closes the connection, before the head and within the body', async () => {
  for (const head of ['', 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{']) {
    let came;
    let gone;
    const arrived = new Promise((resolve) => { came = resolve; });
    const closed = new Promise((resolve) => { gone = resolve; });
    const port = await raw((socket) => { socket.on('close', gone); socket.write(head, () => came()); });
    const controller = new AbortController();
    const call = client(port).chatAsync('x', { signal: controller.signal });
    await arrived;
    controller.abort();
    await assert.rejects(call, { name: 'AbortError' });
    await closed;
  }
});

test('many at once are all answered', async () => {
  const port = await listening(createServer((request, response) => {
    request.resume().on('end', () => response.setHeader('content-type', 'application/json').end(whole('ok')));
  }));
  const made = client(port, { workers: 500, queueSize: 2_000 });
  const answers = await Promise.all(Array.from({ length: 2_000 }, () => made.chatAsync('x')));
  assert.ok(answers.every(({ text }) => text === 'ok'));
});

test('https: a certificate that is trusted, and one that is not', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'chatcore-'));
  try {
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=localhost',
      '-addext', 'subjectAltName=DNS:localhost', '-keyout', join(folder, 'key'), '-out', join(folder, 'cert')], { stdio: 'ignore' });
  } catch {
    return t.skip('no openssl');
  }
  const [key, cert] = ['key', 'cert'].map((name) => readFileSync(join(folder, name)));
  rmSync(folder, { recursive: true });
  const port = await listening(https.createServer({ key, cert }, (request, response) => {
    request.resume().on('end', () => response.setHeader('content-type', 'application/json').end(whole('secret')));
  }));
  const made = new LlmClient({ baseURL: `https://localhost:${port}/v1`, model: 'm', apiKey: 'k', maxAttempts: 1 });
  await assert.rejects(made.chatAsync('x'), (error) => error instanceof ConnectionError && error.cause.code === 'DEPTH_ZERO_SELF_SIGNED_CERT');
  // As for all other requests of the program.
  https.globalAgent.options.ca = cert;
  try {
    assert.equal(String(await made.chatAsync('x')), 'secret');
  } finally {
    delete https.globalAgent.options.ca;
  }
});

test('a status of its own keeps its error', async () => {
  const port = await raw((socket) => socket.end('HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: 32\r\n\r\n{"error":{"message":"too warm"}}'));
  await assert.rejects(client(port).chatAsync('x'), (error) => error instanceof BadRequestError && /too warm/.test(error.message));
});
