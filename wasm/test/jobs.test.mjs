// Embeddings and lists of models.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { AbortError, InvalidInputError, LlmClient } from '../dist/node.js';

let server;
let base;
const seen = [];
before(async () => {
  server = createServer(async (request, response) => {
    let body = '';
    for await (const piece of request) body += piece;
    const { method, url, headers } = request;
    seen.push({ method, url, headers, body });
    if (url.startsWith('/slow')) return;
    response.setHeader('x-request-id', 'req-1');
    const { input } = body ? JSON.parse(body) : {};
    const data = input?.map((text, index) => ({ index, embedding: [text.length, 0.1] })).reverse();
    response.end(JSON.stringify(input
      ? { data, model: 'small', usage: { prompt_tokens: input.length, total_tokens: input.length } }
      : { data: [{ id: 'a', owned_by: 'me', context_window: 8192, shutdown_date: '2027-01-14', created: 7 }, { id: 'b' }] }));
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  base = `http://127.0.0.1:${server.address().port}`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});

const client = (path, options = {}) => new LlmClient({ baseURL: `${base}${path}`, apiKey: null, model: 'm', maxAttempts: 1, ...options });

test('texts become vectors of 32-bit floats, in order', async () => {
  const one = client('/embed', { headers: { 'X-Tenant': 'a' } });
  const answer = await one.embed(['x', '你好'], { dimensions: 2, extra: { user: 'u' }, headers: { 'X-Tenant': 'b' } });
  assert.deepEqual(answer.vectors, [Float32Array.of(1, 0.1), Float32Array.of(2, 0.1)]);
  assert.ok(answer.headers.date);
  assert.equal(answer.model, 'small');
  assert.equal(answer.usage.inputTokens, 2);
  assert.equal(answer.attempts, 1);
  const { method, url, headers, body } = seen.at(-1);
  assert.deepEqual([method, url, headers['x-tenant']], ['POST', '/embed/embeddings', 'b']);
  assert.deepEqual(JSON.parse(body), { model: 'm', input: ['x', '你好'], dimensions: 2, user: 'u' });
  assert.equal((await one.embed('alone', { model: 'other' })).vectors.length, 1);
  assert.equal(JSON.parse(seen.at(-1).body).model, 'other');
});

test('more texts than fit into one request', async () => {
  const texts = Array.from({ length: 2050 }, (_, n) => 'x'.repeat(n % 9 + 1));
  const { vectors, usage, attempts } = await client('/many').embed(texts);
  assert.deepEqual(vectors.map((vector) => vector[0]), texts.map((text) => text.length));
  assert.deepEqual([usage.inputTokens, attempts], [2050, 2]);
});

test('the list of models', async () => {
  for (const options of [{}, { fetch: globalThis.fetch }]) {
    const models = await client('/list', options).models();
    assert.deepEqual(models[0], {
      id: 'a', owner: 'me', contextTokens: 8192, shutdownDate: '2027-01-14', extra: { created: 7 },
    });
    assert.deepEqual(models[1], { id: 'b', owner: null, contextTokens: null, shutdownDate: null, extra: {} });
    assert.equal(models.headers['x-request-id'], 'req-1');
    assert.deepEqual(Object.keys(models), ['0', '1']);
    const { method, url, headers, body } = seen.at(-1);
    assert.deepEqual([method, url, body, headers['content-type']], ['GET', '/list/models', '', undefined]);
  }
});

test('what is wrong is told early and typed', async () => {
  const one = client('/wrong');
  for (const [inputs, options, why] of [
    [[], {}, /give at least one text/], [['a', ''], {}, /text 1/], [[1], {}, /array of strings/],
    ['a', { dimensions: NaN }, /dimensions is NaN/], ['a', { dimension: 2 }, /unknown option dimension/],
    ['a', { extra: { a: 1n } }, /written as JSON/],
  ]) {
    await assert.rejects(one.embed(inputs, options), (error) => {
      assert.ok(error instanceof InvalidInputError, `${error}`);
      assert.match(error.message, why);
      return true;
    });
  }
  await assert.rejects(new LlmClient({ mock: true }).models(), /answers chats only/);
  await assert.rejects(new LlmClient({ provider: 'anthropic', apiKey: 'k' }).embed('a'), /does not support embeddings/);
});

test('an aborted call ends at once', async () => {
  for (const ask of [(one, signal) => one.embed('a', { signal }), (one, signal) => one.models({ signal })]) {
    const controller = new AbortController();
    const one = client('/slow');
    const before = seen.length;
    const asked = ask(one, controller.signal);
    while (seen.length === before) await new Promise((later) => { setTimeout(later, 1); });
    controller.abort();
    await assert.rejects(asked, AbortError);
    assert.equal(one.status().active, 0);
    await assert.rejects(ask(one, controller.signal), AbortError);
    await one.close();
  }
});
