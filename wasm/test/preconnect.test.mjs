// A client in a page opens the connection to its provider when it is made, in Chromium, with a server that counts connections.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { launchWith, skip } from './chromium.mjs';
import { path, serve } from './pages.mjs';

const ANSWER = { choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'hi' } }] };

/** A provider: the number of connections, and of requests by their methods. */
function provider() {
  const counts = { connections: 0, OPTIONS: 0, POST: 0 };
  let connected;
  const server = createServer((request, response) => {
    counts[request.method] += 1;
    response.setHeader('access-control-allow-origin', '*').setHeader('access-control-allow-headers', 'authorization, content-type');
    request.resume().on('end', () => {
      // With a body, which the browser does not read, the connection could not be used again.
      if (request.method === 'OPTIONS') response.writeHead(204).end();
      else response.setHeader('content-type', 'application/json').end(JSON.stringify(ANSWER));
    });
  });
  server.on('connection', () => {
    counts.connections += 1;
    connected?.();
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve({
    counts, server, origin: `http://127.0.0.1:${server.address().port}`, connection: () => new Promise((resolve) => { connected = resolve; }),
  })));
}

let browser, pages, folder;
before(async () => {
  if (skip) return;
  folder = mkdtempSync(join(tmpdir(), 'chatcore-preconnect-'));
  writeFileSync(join(folder, 'index.html'), '<!doctype html><link rel=icon href=data:,>');
  pages = await serve({ '/chatcore/': path('../dist'), '/': folder });
  browser = await launchWith(join(folder, 'profile'));
});
after(async () => {
  await browser?.close();
  pages?.close();
  if (folder) rmSync(folder, { recursive: true, force: true, maxRetries: 9 });
});

/** An empty page, with what its console says; `csp` is its policy. */
async function open(csp = '') {
  const page = await browser.newPage();
  const said = [];
  page.on('console', (message) => said.push(message.text()));
  page.on('pageerror', (error) => said.push(String(error)));
  const origin = `http://127.0.0.1:${pages.address().port}`;
  await page.goto(`${origin}/${csp && `?csp=${encodeURIComponent(csp)}`}`);
  return { page, said, origin };
}

/** Makes a client in the page, and keeps it for `chat`. Returns the number of links that the page then has. */
const make = (page, options) => page.evaluate(async (options) => {
  const { LlmClient } = await import('/chatcore/index.js');
  if (options.fetch) options.fetch = () => fetch(`${options.baseURL}/own`, { method: 'POST' });
  window.client = new LlmClient({ model: 'm', maxAttempts: 1, ...options });
  return document.querySelectorAll('link[rel=preconnect]').length;
}, options);
const chat = (page) => page.evaluate(() => window.client.ask('x').then(String));

test('the connection is open before the chat, which is sent over it with its key', { skip }, async () => {
  const { counts, server, origin, connection } = await provider();
  const { page, said } = await open();
  const connected = connection();
  assert.equal(await make(page, { baseURL: `${origin}/v1`, apiKey: 'k-0123456789abcdef', dangerouslyAllowBrowser: true }), 0);
  await connected;
  assert.deepEqual(counts, { connections: 1, OPTIONS: 0, POST: 0 });
  assert.equal(await chat(page), 'hi');
  // One connection for the preflight and the request.
  assert.deepEqual(counts, { connections: 1, OPTIONS: 1, POST: 1 });
  assert.deepEqual(said, []);
  await page.close();
  server.close();
});

test('no connection for an own fetch, an offline model, and a base URL on the origin of the page', { skip }, async () => {
  const { counts, server, origin } = await provider();
  const { page, said, origin: own } = await open();
  for (const options of [{ baseURL: `${origin}/v1`, fetch: true }, { mock: true }, { baseURL: '/v1' }, { baseURL: `${own}/v1` }]) {
    // Links that were added and removed are counted, too.
    await page.evaluate(() => {
      window.added = [];
      new MutationObserver((all) => window.added.push(...all.map(({ addedNodes }) => addedNodes.length))).observe(document.head, { childList: true });
    });
    await make(page, options);
    assert.deepEqual(await page.evaluate(() => window.added), [], JSON.stringify(options));
  }
  assert.equal(counts.connections, 0);
  assert.deepEqual(said, []);
  await page.close();
  server.close();
});

test('a strict policy, a page without a head, and a worker do not mind', { skip }, async () => {
  const { counts, server, origin } = await provider();
  const options = { baseURL: `${origin}/v1` };
  const { page, said } = await open(`default-src 'none'; img-src data:; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' ${origin}`);
  await make(page, options);
  assert.equal(await chat(page), 'hi');
  await page.evaluate(() => document.head.remove());
  await make(page, options);
  assert.equal(await chat(page), 'hi');
  // An origin that the policy does not allow.
  const { counts: ofOther, server: away, origin: unlisted } = await provider();
  await make(page, { baseURL: `${unlisted}/v1` });
  assert.deepEqual(said, []);
  assert.equal(ofOther.POST, 0);
  away.close();
  await page.close();

  const { page: other } = await open();
  const answer = await other.evaluate((options) => new Promise((resolve, reject) => {
    const program = `import { LlmClient } from '${location.origin}/chatcore/index.js';
      new LlmClient({ model: 'm', ...${JSON.stringify(options)} }).ask('x').then(String, String).then(postMessage);`;
    const worker = new Worker(URL.createObjectURL(new Blob([program], { type: 'text/javascript' })), { type: 'module' });
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => reject(new Error(event.message));
  }), options);
  assert.equal(answer, 'hi');
  assert.equal(counts.POST, 3);
  await other.close();
  server.close();
});
