// The properties of an answer besides its text: headers, the request's id, attempts, the body of an error.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { before, test } from 'node:test';
import { inspect } from 'node:util';
import { LlmClient, LlmError, StreamError } from '../dist/node.js';
import { event, listening, whole } from './raw.mjs';

const SECRET = 'sk-0123456789-abcdef';
let port;
let plan;
before(async () => {
  port = await listening(createServer(async (request, response) => {
    let body = '';
    for await (const piece of request) body += piece;
    const n = plan.shift() ?? 'ok';
    const about = { 'X-Request-Id': `req-${n}`, 'X-Mine': ['a', 'b'], 'X-Echo': `you sent ${SECRET}` };
    if (n === 'busy') return void response.writeHead(503, { ...about, 'content-type': 'application/json', 'retry-after-ms': '1' }).end('{"error":{"message":"busy","code":"c1"}}');
    if (n === 'html') return void response.writeHead(502, { ...about, 'content-type': 'text/html' }).end('<h1>bad gateway</h1>');
    if (n === 'reset') return void request.socket.destroy();
    const isStream = JSON.parse(body).stream;
    response.writeHead(200, { ...about, 'content-type': isStream ? 'text/event-stream' : 'application/json' });
    if (n === 'broken') return void response.end(`${event('so far')}data: {"error":{"message":"it broke","code":"c2"}}\n\n`);
    if (n === 'cut') return void response.end(event('so far'));
    response.end(isStream ? `${event('yes')}${event('', 'stop')}data: [DONE]\n\n` : whole('yes'));
  }));
});

for (const [how, fetch] of [['node:http', undefined], ['fetch', globalThis.fetch]]) {
  const client = (options = {}) => new LlmClient({ baseURL: `http://127.0.0.1:${port}/v1`, model: 'm', apiKey: SECRET, maxAttempts: 2, ...fetch && { fetch }, ...options });
  const asked = (...answers) => { plan = answers; };

  test(`a whole answer and the end of a stream tell the same: ${how}`, async () => {
    asked('busy', 'ok');
    const answer = await client().chatAsync('x');
    asked('busy', 'ok');
    const stream = client().chatStream('x');
    assert.equal(stream.headers, null);
    const final = await stream.final();
    for (const { text, requestId, attempts, headers, finishReason } of [answer, final]) {
      assert.deepEqual([text, requestId, attempts, finishReason], ['yes', 'req-ok', 2, 'stop']);
      assert.deepEqual([headers['x-request-id'], headers['x-mine'], headers['x-echo']], ['req-ok', 'a, b', 'you sent [redacted]']);
    }
    assert.deepEqual(Object.keys(final), Object.keys(answer));
    assert.deepEqual(stream.headers, final.headers);
    assert.match(final.headers['content-type'], /^text\/event-stream/);
    assert.ok(!JSON.stringify(answer).includes('x-mine'));
    // An answer that was sent to another worker has everything except its headers.
    assert.deepEqual(structuredClone(answer), { ...answer });
  });

  test(`a stream tells its headers with its first event: ${how}`, async () => {
    asked('ok');
    const stream = client().chatStream('x');
    for await (const _ of stream) assert.equal(stream.headers['x-request-id'], 'req-ok');
  });

  test(`an error keeps the headers and the body of its answer: ${how}`, async () => {
    for (const [answers, status, body, code] of [
      [['busy', 'busy'], 503, '{"error":{"message":"busy","code":"c1"}}', 'busy'], [['busy', 'html'], 502, '<h1>bad gateway</h1>', 'html'],
    ]) {
      for (const call of [() => client().chatAsync('x'), () => client().chatStream('x').final(), () => client().embed('x', { model: 'e' })]) {
        asked(...answers);
        const error = await call().catch((error) => error);
        assert.ok(error instanceof LlmError, inspect(error));
        assert.deepEqual([error.status, error.body, error.requestId, error.attempts], [status, body, `req-${code}`, 2]);
        assert.deepEqual([error.headers['x-request-id'], error.headers['x-echo']], [`req-${code}`, 'you sent [redacted]']);
        assert.ok(!inspect(error).includes('x-mine'), 'headers are not printed');
      }
    }
  });

  test(`errors within an answer, and without one: ${how}`, async () => {
    asked('broken');
    const broken = await client().chatStream('x').final().catch((error) => error);
    assert.ok(broken instanceof StreamError, inspect(broken));
    assert.deepEqual([broken.status, broken.partialText, broken.headers['x-request-id'], broken.providerCode], [200, 'so far', 'req-broken', 'c2']);
    assert.match(broken.body, /it broke/);
    asked('cut');
    const cut = await client().chatStream('x').final().catch((error) => error);
    assert.deepEqual([cut.code, cut.headers['x-request-id']], ['truncated', 'req-cut']);
    // The last attempt had no response, and must not show the headers of the attempt before.
    asked('busy', 'reset', 'reset');
    const lost = await client().chatAsync('x').catch((error) => error);
    assert.deepEqual([lost.status, lost.headers], [undefined, undefined], inspect(lost));
  });
}
