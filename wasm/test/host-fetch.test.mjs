// `hostFetch` within a `fetch` of the program: it sends as a client without one does.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import * as node from '../dist/node.js';
import * as page from '../dist/index.js';

const ANSWER = JSON.stringify({ choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'hi' } }] });
let server, base, seen, gone;
before(async () => {
  server = createServer((request, response) => {
    seen.push(request.headers);
    response.on('close', () => gone?.());
    if (request.url.startsWith('/silent')) return;
    response.writeHead(seen.length === 1 && request.url.startsWith('/flaky') ? 503 : 200, { 'content-type': 'application/json', 'retry-after-ms': '1' }).end(ANSWER);
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  base = `http://127.0.0.1:${server.address().port}`;
});
after(() => { server.closeAllConnections(); server.close(); });

for (const [name, { hostFetch, LlmClient }] of Object.entries({ node, page })) {
  test(`${name}: every attempt passes it`, async () => {
    seen = [];
    const attempts = [];
    const fetch = async (url, init) => {
      const response = await hostFetch(url, init);
      attempts.push([url, response.status]);
      return response;
    };
    assert.equal(String(await new LlmClient({ baseURL: `${base}/flaky`, model: 'm', fetch }).ask('x')), 'hi');
    assert.deepEqual(attempts, [503, 200].map((status) => [`${base}/flaky/chat/completions`, status]));
    seen = [];
    await new LlmClient({ baseURL: base, model: 'm' }).ask('x');
    await new LlmClient({ baseURL: base, model: 'm', fetch: (url, init) => hostFetch(url, { ...init, headers: { ...init.headers, 'x-own': '1' } }) }).ask('x');
    const { 'x-own': own, ...rest } = seen[1];
    assert.equal(own, '1');
    assert.deepEqual(rest, seen[0]);
  });

  test(`${name}: an abort reaches it, also through a copy of its options`, async () => {
    for (const fetch of [hostFetch, (url, init) => hostFetch(url, { ...init })]) {
      seen = [];
      const controller = new AbortController();
      const closed = new Promise((resolve) => { gone = resolve; });
      const call = new LlmClient({ baseURL: `${base}/silent`, model: 'm', fetch }).ask('x', { signal: controller.signal });
      while (seen.length === 0) await new Promise((resolve) => { setImmediate(resolve); });
      controller.abort();
      await assert.rejects(call, { name: 'AbortError' });
      await closed;
    }
  });

  test(`${name}: called by the program itself`, async () => {
    const response = await hostFetch(`${base}/x`, { method: 'POST', headers: {}, body: new Uint8Array(1), redirect: 'manual', signal: new AbortController().signal });
    assert.equal(response.status, 200);
  });
}

for (const [name, { hostFetch, LlmClient }] of Object.entries({ node, page })) {
  /** What the server gets of a request that `change` has changed. */
  const sent = async (change) => {
    let got;
    const own = createServer(async (request, response) => {
      got = { headers: request.headers, body: Buffer.concat(await request.toArray()).toString() };
      response.setHeader('content-type', 'application/json').end(ANSWER);
    });
    await new Promise((listening) => own.listen(0, '127.0.0.1', listening));
    try {
      const baseURL = `http://127.0.0.1:${own.address().port}`;
      const client = new LlmClient({ baseURL, model: 'm', apiKey: 'k-0123456789', maxAttempts: 1, fetch: (url, init) => hostFetch(url, { ...init, ...change(init) }) });
      assert.equal(String(await client.ask('x')), 'hi');
    } finally {
      own.closeAllConnections();
      own.close();
    }
    return got;
  };

  test(`${name}: headers and a body of every kind replace those of the request`, async () => {
    const body = '{"text":"wörld 🎉"}';
    for (const change of [
      ({ headers }) => { const more = new Headers(headers); more.set('x-own', '1'); return { headers: more, body }; },
      ({ headers }) => ({ headers: [...Object.entries(headers), ['x-own', '1']], body: new TextEncoder().encode(body) }),
      ({ headers }) => ({ headers: { ...headers, 'x-own': '1' }, body: new Blob([body]) }),
    ]) {
      const { headers, body: got } = await sent(change);
      assert.deepEqual([headers['x-own'], headers.authorization, got], ['1', 'Bearer k-0123456789', body]);
    }
  });

  test(`${name}: a signal that replaces the client's aborts the request, and is not kept`, async () => {
    const own = new AbortController();
    seen = [];
    const closed = new Promise((resolve) => { gone = resolve; });
    const fetch = (url, init) => hostFetch(url, { ...init, signal: AbortSignal.any([init.signal, own.signal]) });
    const call = new LlmClient({ baseURL: `${base}/silent`, model: 'm', maxAttempts: 1, fetch }).ask('x');
    while (seen.length === 0) await new Promise((resolve) => { setImmediate(resolve); });
    own.abort();
    await assert.rejects(call, { name: 'ConnectionError' });
    await closed;
    const over = new LlmClient({ baseURL: base, model: 'm', maxAttempts: 1, fetch: (url, init) => hostFetch(url, { ...init, signal: AbortSignal.abort() }) });
    await assert.rejects(over.ask('x'), { name: 'ConnectionError' });
  });
}

test('node: a signal has no listener after its request', async () => {
  const { signal } = new AbortController();
  let listeners = 0;
  for (const [method, step] of [['addEventListener', 1], ['removeEventListener', -1]]) {
    const given = signal[method];
    signal[method] = (...words) => { listeners += step; return given.apply(signal, words); };
  }
  const client = new node.LlmClient({ baseURL: base, model: 'm', fetch: (url, init) => node.hostFetch(url, { ...init, signal }) });
  seen = [];
  assert.equal(String(await client.ask('x')), 'hi');
  for (let turn = 0; listeners > 0 && turn < 1000; turn += 1) await new Promise((resolve) => { setImmediate(resolve); });
  assert.equal(listeners, 0);
});
