import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { after, before, test } from 'node:test';
import { inspect } from 'node:util';
import {
  AbortError, AuthError, BadRequestError, ClosedError, ConnectionError, InvalidInputError, LlmClient, LlmError, QueueFullError,
  RateLimitError, ServerError, StreamError, TimeoutError,
} from '../dist/node.js';
import { nobody, start } from './server.mjs';

let server;
const unhandled = [];
process.on('unhandledRejection', (reason) => unhandled.push(reason));
before(async () => { server = await start(); });
after(() => { server.stop(); assert.deepEqual(unhandled, []); });

// Through `node:http`. fetch.test.mjs runs the same tests with a given `fetch`.
const how = process.env.TEST_FETCH ? { fetch: globalThis.fetch } : {};
const client = (path, options = {}) => new LlmClient({
  baseURL: `${server.base}/${path}/v1`, model: 'm', apiKey: 'sk-secret', maxAttempts: 1, ...how, ...options,
});
const collect = async (stream) => {
  let text = '';
  for await (const event of stream) if (event.type === 'text') text += event.text;
  return text;
};

test('a whole answer', async () => {
  const answer = await client('key/whole').chatAsync('你好', { systemPrompt: 'be brief' });
  assert.equal(answer.text, 'echo: 你好');
  assert.equal(String(answer), answer.text);
  assert.equal(structuredClone(answer).text, answer.text);
  assert.equal(answer.finishReason, 'stop');
  assert.equal(answer.attempts, 1);
  assert.match(answer.requestId, /^req-/);
  assert.ok(answer.usage.inputTokens > 0);
});

test('only the headers that are demanded go out', async () => {
  const seen = [];
  const fetch = (url, init) => { seen.push(Object.keys(init.headers).sort()); return globalThis.fetch(url, init); };
  await client('ok', { fetch }).chatAsync('x');
  await client('ok', { fetch, headers: { 'X-Mine': '1' } }).chatAsync('x');
  assert.deepEqual(seen, [['authorization', 'content-type'], ['authorization', 'content-type', 'x-mine']]);
});

test('Anthropic, whole and streamed', async () => {
  const anthropic = new LlmClient({ provider: 'anthropic', baseURL: `${server.base}/ok`, apiKey: 'k' });
  assert.equal((await anthropic.chatAsync('hi')).text, 'echo: hi');
  assert.equal(await collect(anthropic.chatStream('hi')), 'echo: hi');
});

test('a stream, its text, its end', async () => {
  const stream = client('every/1ms').chatStream('one two three');
  const pieces = [];
  for await (const piece of stream.text()) pieces.push(piece);
  assert.ok(pieces.length > 1);
  assert.equal(pieces.join(''), 'echo: one two three');
  assert.equal((await stream.final()).text, 'echo: one two three');
});

test('characters split over reads', async () => {
  assert.equal(await collect(client('dribble/1/0ms').chatStream('你好🙂')), 'echo: 你好🙂');
});

test('a stream as lines of JSON', async () => {
  const text = await new Response(client('ok').chatStream('a b').toReadableStream()).text();
  const events = text.trim().split('\n').map((line) => JSON.parse(line));
  assert.equal(events.at(-1).type, 'finish');
});

test('a 429 with Retry-After is tried again, and told when it is the last', async () => {
  const answer = await client('key/again/flaky/1/status/429/retry-after-ms/5', { maxAttempts: 3 }).chatAsync('x');
  assert.equal(answer.attempts, 2);
  await assert.rejects(client('status/429/retry-after/90').chatAsync('x'), (error) => {
    assert.ok(error instanceof RateLimitError && error instanceof LlmError && error instanceof Error);
    assert.equal(error.status, 429);
    assert.equal(error.retryAfterMs, 90_000);
    assert.equal(error.retryable, true);
    assert.equal(error.attempts, 1);
    return true;
  });
});

for (const [path, Class, code] of [
  ['status/401', AuthError, 'auth'], ['status/400', BadRequestError, 'bad_request'],
  ['status/404', BadRequestError, 'not_found'], ['status/503', ServerError, 'overloaded'],
  ['status/500', ServerError, 'server'], ['reset/start', ConnectionError, 'connection'],
  ['page', StreamError, 'protocol'], ['redirect/307/elsewhere', StreamError, 'protocol'],
]) {
  test(`${path} is a ${Class.name}`, async () => {
    await assert.rejects(client(path).chatAsync('x'), (error) => {
      assert.ok(error instanceof Class, `${error.name}: ${error.message}`);
      assert.equal(error.code, code);
      assert.ok(!JSON.stringify([error.message, error.stack]).includes('sk-secret'));
      return true;
    });
  });
}

test('nobody follows a redirect', async () => {
  assert.deepEqual((await server.requests('elsewhere')).length, 0);
});

test('no server at all', async () => {
  const alone = new LlmClient({ baseURL: await nobody(), model: 'm', maxAttempts: 1, ...how });
  await assert.rejects(alone.chatAsync('x'), ConnectionError);
});

for (const path of ['no-terminal', 'cut/200']) {
  test(`a stream that ends early (${path}) is an error that holds what came`, async () => {
    const stream = client(path).chatStream('one two three four five six');
    await assert.rejects(collect(stream), (error) => {
      assert.ok(error instanceof StreamError, `${error.name}: ${error.message}`);
      assert.match(error.partialText ?? '', /^echo:|^$/);
      return true;
    });
  });
}

test('an error in a stream of status 200', async () => {
  await assert.rejects(collect(client('error-event/2').chatStream('one two three')), (error) => {
    assert.ok(error instanceof StreamError);
    assert.ok(error.partialText.length > 0);
    return true;
  });
});

test('an error in a whole answer of status 200', async () => {
  await assert.rejects(client('error-event/0').chatAsync('x'), LlmError);
});

test('a stall with keep-alives runs into the content limit, a silent server into the byte limit', async () => {
  const stalled = client('keepalives/forever/5ms').chatStream('x', { timeouts: { firstContent: 100 } });
  await assert.rejects(collect(stalled), (error) => error instanceof TimeoutError && error.phase === 'first_content');
  const silent = client('silent').chatAsync('x', { timeouts: { byteIdle: 50 } });
  await assert.rejects(silent, (error) => error instanceof TimeoutError && error.phase === 'byte_idle');
  const slow = client('silent').chatAsync('x', { timeoutMs: 50 });
  await assert.rejects(slow, (error) => error instanceof TimeoutError && error.phase === 'overall');
});

for (const [phase, path] of [['headers', 'silent'], ['body', 'stall/0']]) {
  test(`abort while waiting for the ${phase} closes the connection`, async () => {
    const key = `abort-${phase}`;
    const controller = new AbortController();
    const call = client(`key/${key}/${path}`).chatAsync('x', { signal: controller.signal });
    await server.waitRequest(key);
    controller.abort('enough');
    await assert.rejects(call, (error) => {
      assert.ok(error instanceof AbortError);
      assert.equal(error.name, 'AbortError');
      assert.equal(error.cause, 'enough');
      return true;
    });
    assert.equal(getEventListeners(controller.signal, 'abort').length, 0);
    assert.equal((await server.waitClosed(key)), 'client');
  });
}

test('abort before the start, in the queue and in the middle of a stream', async () => {
  const before = AbortSignal.abort('no');
  await assert.rejects(client('ok').chatAsync('x', { signal: before }), AbortError);
  await assert.rejects(collect(client('ok').chatStream('x', { signal: before })), AbortError);

  const one = client('key/busy/silent', { workers: 1 });
  const [first, second] = [new AbortController(), new AbortController()];
  const running = one.chatAsync('x', { signal: first.signal });
  await server.waitRequest('busy');
  const queued = one.chatAsync('y', { signal: second.signal });
  queued.catch(() => {});
  await new Promise(setImmediate);
  assert.equal(one.status().queued, 1);
  second.abort();
  await assert.rejects(queued, AbortError);
  first.abort();
  await assert.rejects(running, AbortError);

  const stream = client('key/middle/stall/2').chatStream('one two three');
  await assert.rejects(async () => {
    for await (const event of stream) if (event.type === 'text') stream.abort('seen');
  }, (error) => error instanceof AbortError && error.cause === 'seen' && error.partialText.startsWith('echo'));
  assert.equal(await server.waitClosed('middle'), 'client');
});

test('leaving the loop closes the connection', async () => {
  for await (const event of client('key/left/stall/2').chatStream('one two three')) if (event.type === 'text') break;
  assert.equal(await server.waitClosed('left'), 'client');
});

test('a full queue, and a closed client', async () => {
  const full = client('key/full/silent', { workers: 1, queueSize: 0, waitForQueue: false });
  const controller = new AbortController();
  const running = full.chatAsync('x', { signal: controller.signal });
  await server.waitRequest('full');
  await assert.rejects(full.chatAsync('y'), QueueFullError);
  controller.abort();
  await assert.rejects(running, AbortError);
  await full.close();
  await assert.rejects(full.chatAsync('z'), ClosedError);
});

test('a key from a function, for each attempt', async () => {
  const seen = [];
  let count = 0;
  const fetch = (url, init) => { seen.push(init.headers.authorization); return globalThis.fetch(url, init); };
  const turning = client('key/turn/flaky/1/status/503/retry-after-ms/1', { apiKey: async () => `key-${++count}`, fetch, maxAttempts: 2 });
  await turning.chatAsync('x');
  assert.deepEqual(seen, ['Bearer key-1', 'Bearer key-2']);
  await turning.chatStream('x').final();
  assert.deepEqual(seen.slice(2), ['Bearer key-3']);
  // Each of many concurrent calls asks for its own key.
  const at = count;
  await Promise.all(Array.from({ length: 5 }, () => turning.chatAsync('x')));
  assert.deepEqual(seen.slice(3).sort(), [4, 5, 6, 7, 8].map((n) => `Bearer key-${n}`));
  assert.equal(count, at + 5);
});

test('a key from a function goes into the header of its dialect', async () => {
  const seen = [];
  const fetch = (url, init) => { seen.push(init.headers['x-api-key'], init.headers.authorization); return globalThis.fetch(url, init); };
  const anthropic = new LlmClient({ provider: 'anthropic', baseURL: `${server.base}/ok`, apiKey: () => ' "key-of-anthropic"\n', fetch });
  assert.equal((await anthropic.chatAsync('hi')).text, 'echo: hi');
  assert.deepEqual(seen, ['key-of-anthropic', undefined]);
});

test('a function whose key is refused is asked once more, which is none of the attempts', async () => {
  let count = 0;
  const accepting = (wanted) => async (_url, { headers }) => headers.authorization === `Bearer key-number-${wanted}`
    ? { status: 200, headers: { 'content-type': 'application/json' }, body: '{"choices":[{"message":{"content":"yes"},"finish_reason":"stop"}]}' }
    : { status: 401, headers: { 'content-type': 'application/json' }, body: `{"error":{"message":"wrong key ${headers.authorization}"}}` };
  const renewing = (wanted) => client('ok', { apiKey: () => `key-number-${++count}`, fetch: accepting(wanted) });
  assert.equal((await renewing(2).chatAsync('x')).text, 'yes');
  assert.equal(count, 2);
  count = 0;
  await assert.rejects(renewing(3).chatAsync('x'), (error) => error instanceof AuthError && !/number-\d/.test(inspect(error)));
  assert.equal(count, 2);
});

test('a function that gives no key: an error with its cause, and nothing is sent', async () => {
  let sent = 0;
  const fetch = async () => { sent += 1; throw new Error('it was sent'); };
  const gone = new RangeError('the vault of hunter2-hunter2 is closed');
  for (const [apiKey, code, cause] of [
    [() => { throw gone; }, undefined, gone], [async () => { throw gone; }, undefined, gone], [() => undefined, 'key_none'],
    [() => '', 'key_empty'], [async () => 'sk 1', 'key_space'], [() => Promise.reject('a word'), undefined, 'a word'],
  ]) {
    const failing = client('ok', { apiKey, fetch, maxAttempts: 3 });
    for (const call of [failing.chatAsync('x'), failing.chatStream('x').final(), failing.embed('x', { model: 'e' }), failing.models()]) {
      await assert.rejects(call, (error) => {
        assert.ok(error instanceof InvalidInputError && error.code === 'invalid_input', inspect(error));
        assert.match(error.message, /the function apiKey failed: /);
        assert.ok(!/hunter2|sk 1/.test(error.message), error.message);
        assert.equal(error.providerCode, code);
        if (cause !== undefined) assert.equal(error.cause, cause);
        return true;
      });
    }
  }
  assert.equal(sent, 0);
});

test('a function that is slow runs into the time limit of the attempt', async () => {
  let sent = 0;
  let give;
  const fetch = async () => { sent += 1; throw new Error('it was sent'); };
  const slow = (options) => client('ok', { apiKey: () => new Promise((resolve) => { give = resolve; }), fetch, ...options });
  await assert.rejects(slow({ timeouts: { attempt: 20 } }).chatAsync('x'), (error) => error instanceof TimeoutError && error.phase === 'attempt');
  give('too-late');
  await assert.rejects(slow({ timeoutMs: 20 }).chatAsync('x'), (error) => error instanceof TimeoutError && error.phase === 'overall');
  const controller = new AbortController();
  const aborted = slow({}).chatAsync('x', { signal: controller.signal });
  setImmediate(() => controller.abort());
  await assert.rejects(aborted, AbortError);
  assert.equal(sent, 0);
});

test('no key that a function gave shows in an error, the causes included', async () => {
  let count = 0;
  const apiKey = async () => {
    if (count === 2) throw new Error('the service refused key-of-0002, which followed key-of-0001', { cause: new Error('key-of-0002') });
    return `key-of-000${++count}`;
  };
  const fetch = async (_url, { headers }) => { throw new TypeError(`cannot send ${headers.authorization}`); };
  const echoing = client('ok', { apiKey, fetch });
  for (let n = 0; n < 3; n += 1) {
    const error = await echoing.chatAsync('x').catch((error) => error);
    assert.ok(error instanceof (n < 2 ? ConnectionError : InvalidInputError), inspect(error));
    if (n === 2) assert.match(error.cause.message, /^the service refused \[redacted\], which followed \[redacted\]$/);
    const shown = [inspect(error, { depth: 9 }), JSON.stringify(error), error.cause?.stack, error.cause?.message].join('\n');
    assert.ok(!shown.includes('key-of-') && shown.includes('[redacted]'), shown);
  }
});

test('a thousand at once are all answered', async () => {
  const many = client('ok', { workers: 50, queueSize: 1000 });
  const answers = await Promise.all(Array.from({ length: 1000 }, (_, n) => many.chatAsync(`n${n}`)));
  answers.forEach((answer, n) => assert.equal(answer.text, `echo: n${n}`));
  assert.equal(many.status().succeeded, 1000);
});

test('ten thousand calls leave no listener on the signal, and never more than one', async () => {
  const { signal } = new AbortController();
  let most = 0;
  const mock = new LlmClient({
    mock: () => { most = Math.max(most, getEventListeners(signal, 'abort').length); return 'yes'; }, workers: 50,
  });
  for (let n = 0; n < 10_000; n += 50) {
    const calls = Array.from({ length: 50 }, (_, at) => (at % 2 ? mock.chatAsync('x', { signal }) : mock.chatStream('x', { signal }).final()));
    await Promise.all(calls);
  }
  assert.equal(most, 1);
  assert.equal(getEventListeners(signal, 'abort').length, 0);
});

test('a batch keeps the order and the errors', async () => {
  const seen = [];
  const mock = new LlmClient({ mock: (messages) => { if (messages[0].content === 'b') throw new Error('b'); return messages[0].content; }, maxAttempts: 1 });
  const results = await mock.processBatch(['a', 'b', 'c'], { concurrency: 2, onProgress: (progress) => seen.push(progress) });
  assert.deepEqual(results.map((result) => result.ok && result.value.text), ['a', false, 'c']);
  assert.deepEqual(seen.map(({ finished }) => finished), [1, 2, 3]);
  const { done, failed, total, tokens, inFlight } = seen[2];
  assert.deepEqual({ done, failed, total, tokens, inFlight }, { done: 2, failed: 1, total: 3, tokens: 4, inFlight: 0 });
});

test('errors say what they are, also in their stack, and keep the error of the host', async () => {
  const alone = new LlmClient({ baseURL: await nobody(), model: 'm', maxAttempts: 1, ...how });
  await assert.rejects(alone.chatAsync('x'), (error) => {
    assert.equal(error.name, 'ConnectionError');
    assert.equal(error.constructor.name, 'ConnectionError');
    assert.match(inspect(error), /^ConnectionError: /);
    assert.ok(!('status' in error), 'what is not known is not there');
    assert.match(error.stack, /^ConnectionError: /);
    assert.equal((error.cause.cause ?? error.cause).code, 'ECONNREFUSED');
    return true;
  });
  const mine = new Error('mine');
  const failing = client('ok', { fetch: async () => { throw mine; } });
  await assert.rejects(failing.chatAsync('x'), (error) => error instanceof ConnectionError && error.cause === mine);
  await assert.rejects(failing.chatStream('x').final(), (error) => error instanceof ConnectionError && error.cause === mine);
});

test('what is beyond the limits waits for its turn', async () => {
  const limited = new LlmClient({ mock: true, limits: { requestsPerMinute: 600, requestBurst: 1 } });
  const start = performance.now();
  for (let n = 0; n < 3; n += 1) await limited.chatAsync('x');
  assert.ok(performance.now() - start >= 190);
});
