// Proxies and certificates in Node: the variables that its users set, an agent and a dispatcher of their own.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { ConnectionError, LlmClient } from '../dist/node.js';
import { listening, whole } from './raw.mjs';
import { path } from './pages.mjs';

let folder, secure, plain, reached, noOpenssl;
const serve = (text) => (request, response) => {
  reached.push(`${text} ${request.url}`);
  request.resume().on('end', () => response.setHeader('content-type', 'application/json').end(whole(text)));
};
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'chatcore-'));
  try {
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=llm.test',
      '-addext', 'subjectAltName=DNS:llm.test,DNS:localhost', '-keyout', join(folder, 'key'), '-out', join(folder, 'cert')], { stdio: 'ignore' });
  } catch {
    noOpenssl = 'no openssl';
    return;
  }
  const [key, cert] = ['key', 'cert'].map((name) => readFileSync(join(folder, name)));
  secure = await listening(https.createServer({ key, cert }, serve('secure')));
  plain = await listening(http.createServer(serve('plain')));
  https.globalAgent.options.ca = cert;
});
after(() => {
  delete https.globalAgent.options.ca;
  rmSync(folder, { recursive: true });
});

/** A proxy that forwards everything to this machine, the list of its requests, and its address. */
async function proxy(status = 200) {
  const asked = [];
  const note = ({ method, url, headers }) => asked.push(`${method} ${url} ${headers['proxy-authorization'] ?? ''}`.trim());
  const server = http.createServer((request, response) => {
    note(request);
    request.pipe(http.request({ port: plain, method: request.method, path: new URL(request.url).pathname, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    }));
  });
  server.on('connect', (request, socket) => {
    note(request);
    assert.equal(request.headers.authorization, undefined);
    if (status !== 200) return socket.end(`HTTP/1.1 ${status} No\r\ncontent-length: 2\r\n\r\nno`);
    const onward = net.connect(secure, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      socket.pipe(onward).pipe(socket);
    });
    for (const end of [socket, onward]) end.on('error', () => {});
  });
  return { asked, address: `127.0.0.1:${await listening(server)}` };
}

const NAMES = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY'].flatMap((name) => [name, name.toLowerCase()]);
let calls = 0;

/** Sends a request to `origin` with these variables. Each call has its own path, because the last proxy is cached by URL. */
async function ask(origin, variables, options = {}) {
  reached = [];
  for (const name of NAMES) delete process.env[name];
  Object.assign(process.env, variables);
  try {
    const baseURL = `${origin}/${calls += 1}`;
    const client = new LlmClient({ baseURL, model: 'm', apiKey: 'k-0123456789', allowHttp: true, maxAttempts: 1, timeoutMs: 20_000, ...options });
    return String(await client.ask('x'));
  } finally {
    for (const name of NAMES) delete process.env[name];
  }
}

test('HTTPS_PROXY: a tunnel, of which the proxy sees the host alone, and which is kept', async (t) => {
  if (noOpenssl) return t.skip(noOpenssl);
  const { asked, address } = await proxy();
  for (let round = 0; round < 2; round += 1) {
    assert.equal(await ask('https://llm.test', { HTTPS_PROXY: `http://me:p%40ss@${address}` }), 'secure');
    assert.match(reached[0], /^secure \/\d+\/chat\/completions$/);
  }
  assert.deepEqual(asked, [`CONNECT llm.test:443 Basic ${btoa('me:p@ss')}`]);
});

test('HTTP_PROXY: the whole address is forwarded', async (t) => {
  if (noOpenssl) return t.skip(noOpenssl);
  const { asked, address } = await proxy();
  assert.equal(await ask('http://llm.test:8080', { http_proxy: address }), 'plain');
  assert.match(asked[0], /^POST http:\/\/llm\.test:8080\/\d+\/chat\/completions$/);
  assert.equal(await ask('https://llm.test', { ALL_PROXY: `http://${address}` }), 'secure');
});

test('NO_PROXY and this machine are reached directly', async (t) => {
  if (noOpenssl) return t.skip(noOpenssl);
  const { asked, address } = await proxy();
  assert.equal(await ask(`https://localhost:${secure}`, { HTTPS_PROXY: address }), 'secure');
  assert.equal(await ask(`http://127.0.0.1:${plain}`, { HTTP_PROXY: address }), 'plain');
  assert.deepEqual(asked, []);
  // Nothing listens there, or the name is unknown. The test only checks that the proxy is not used.
  for (const [host, list] of [
    ['llm.test', '*'], ['llm.test', 'other, llm.test'], ['a.llm.test', '.llm.test'], ['a.llm.test', 'llm.test'], ['a.llm.test', '*.llm.test'],
    ['llm.test', 'llm.test:443'], ['192.0.2.7', '192.0.2.0/24'], ['192.0.2.7', '192.0.2.7'],
  ]) {
    await assert.rejects(ask(`https://${host}`, { HTTPS_PROXY: address, no_proxy: list }, { timeoutMs: 50 }));
    assert.deepEqual(asked, [], `${host} ${list}`);
  }
  for (const [host, list] of [['llm.test', 'm.test'], ['b.test', 'b.test:444'], ['192.0.3.7', '192.0.2.0/24'], ['xllm.test', 'llm.test']]) {
    await ask(`https://${host}`, { HTTPS_PROXY: address, NO_PROXY: list }).catch(() => {});
    assert.equal(asked.splice(0).length, 1, `${host} ${list}`);
  }
});

test('a proxy that refuses, is not there or cannot be used is an error that names it, without its password', async (t) => {
  if (noOpenssl) return t.skip(noOpenssl);
  const { address } = await proxy(407);
  for (const [HTTPS_PROXY, why] of [
    [`http://me:hunter22@${address}`, /the proxy 127\.0\.0\.1:\d+ refused the tunnel with the status 407/],
    ['http://me:hunter22@127.0.0.1:1', /the proxy 127\.0\.0\.1:1 cannot be reached/],
    ['socks5://me:hunter22@127.0.0.1:1', /the variable HTTPS_PROXY names a proxy that speaks socks5: give the client a fetch/],
    ['http://me:hunter22@[', /the variable HTTPS_PROXY is no address of a proxy/],
  ]) {
    await assert.rejects(ask('https://llm.test', { HTTPS_PROXY }), (error) => {
      assert.ok(error instanceof ConnectionError, error);
      assert.match(error.message, why);
      assert.doesNotMatch(`${error.message} ${error.stack} ${error.cause?.stack}`, /hunter22/);
      return true;
    });
  }
  assert.deepEqual(reached, []);
});

test('NODE_EXTRA_CA_CERTS: an authority of one\'s own', async (t) => {
  if (noOpenssl) return t.skip(noOpenssl);
  const program = `import { LlmClient } from ${JSON.stringify(path('../dist/node.js'))};
const client = new LlmClient({ baseURL: 'https://localhost:${secure}/v1', model: 'm', apiKey: 'k-0123456789', maxAttempts: 1 });
console.log(await client.ask('x').then(String, (error) => error.cause.code));`;
  const run = async (more) => (await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], { env: { ...process.env, ...more } })).stdout.trim();
  assert.equal(await run({}), 'DEPTH_ZERO_SELF_SIGNED_CERT');
  assert.equal(await run({ NODE_EXTRA_CA_CERTS: join(folder, 'cert') }), 'secure');
});

test('a global agent of one\'s own goes before the variables, and so does a fetch with a dispatcher', async (t) => {
  if (noOpenssl) return t.skip(noOpenssl);
  const { asked, address } = await proxy();
  const { globalAgent } = https;
  class Own extends https.Agent {
    createConnection(options, done) { return super.createConnection({ ...options, host: '127.0.0.1', port: secure, servername: 'llm.test' }, done); }
  }
  https.globalAgent = new Own({ ca: globalAgent.options.ca });
  try {
    assert.equal(await ask('https://llm.test', { HTTPS_PROXY: address }), 'secure');
  } finally {
    https.globalAgent.destroy();
    https.globalAgent = globalAgent;
  }
  let dispatched = 0;
  const dispatcher = { dispatch() { dispatched += 1; throw new Error('by the dispatcher'); } };
  await assert.rejects(ask('https://llm.test', { HTTPS_PROXY: address }, { fetch: (url, init) => fetch(url, { ...init, dispatcher }) }));
  assert.equal(dispatched, 1);
  assert.deepEqual(asked, []);
});
