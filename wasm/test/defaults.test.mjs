// Calls with few options: they wait in the queue, send the defaults that their model accepts, and report what went wrong.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { InvalidInputError, ConnectionError, LlmClient, QueueFullError, StreamError } from '../dist/node.js';
import { MODEL_RULES } from '../dist/models.js';
import { event, listening, whole } from './raw.mjs';

const json = { 'content-type': 'application/json' };

/** A client whose requests are recorded in `seen` and answered by `answer`. */
function client(options = {}, answer = () => ({ status: 200, headers: json, body: whole('ok') })) {
  const seen = [];
  const fetch = async (_url, { body }) => {
    const request = JSON.parse(Buffer.from(body));
    seen.push(request);
    return answer(request);
  };
  return { seen, made: new LlmClient({ baseURL: 'http://127.0.0.1:1/v1', model: 'm', fetch, ...options }) };
}

test('200 at once with default options are all answered, whole and streamed', async () => {
  const { made } = client({}, async () => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    return { status: 200, headers: json, body: whole('ok') };
  });
  const answers = await Promise.all(Array.from({ length: 200 }, (_, n) => (n % 2 ? made.chatAsync('x') : made.chatStream('x').final())));
  assert.ok(answers.every(({ text }) => text === 'ok'));
});

test('those that would rather fail do, by the client or the call', async () => {
  const never = () => new Promise(() => {});
  for (const [ofClient, ofCall, isFull] of [[{ waitForQueue: false }, {}, true], [{}, { waitForQueue: false }, true],
    [{ waitForQueue: false }, { waitForQueue: true }, false]]) {
    const { made } = client({ workers: 1, queueSize: 0, ...ofClient }, never);
    const controller = new AbortController();
    const first = made.chatAsync('a', { signal: controller.signal });
    const second = made.chatAsync('b', { signal: controller.signal, ...ofCall });
    if (isFull) await assert.rejects(second, QueueFullError);
    else assert.equal(made.status().queued, 1);
    controller.abort();
    await Promise.allSettled([first, second]);
  }
});

test('a limit that is set covers the wait, and a default one begins after it', async () => {
  const answers = [];
  const { made } = client({ workers: 1 }, () => new Promise((resolve) => { answers.push(() => resolve({ status: 200, headers: json, body: whole('ok') })); }));
  const first = made.chatAsync('a');
  const limited = made.chatAsync('b', { timeoutMs: 20 });
  const waiting = made.chatAsync('c');
  await assert.rejects(limited, (error) => error.phase === 'overall' && error.attempts === 0);
  answers[0]();
  await first;
  while (answers.length < 2) await new Promise(setImmediate);
  answers[1]();
  assert.equal((await waiting).text, 'ok');
});

test('rules for models of one’s own', async () => {
  const { seen, made } = client({ modelRules: [
    { models: 'mine*', sampling: 'never', reasoning: 'by_default', reasoningOff: { chat_template_kwargs: { enable_thinking: false } },
      maxCompletionTokens: true, efforts: { minimal: 'low' } },
  ] });
  await made.chatAsync('x', { model: 'mine-1' });
  await made.chatAsync('x', { model: 'mine-1', reasoningEffort: 'minimal', maxTokens: 9, fetchAsStream: false });
  await made.chatAsync('x', { model: 'other' });
  const [first, second, third] = seen.map(({ messages, ...rest }) => rest);
  assert.deepEqual(first, { model: 'mine-1', max_completion_tokens: 256, chat_template_kwargs: { enable_thinking: false } });
  assert.deepEqual(second, { model: 'mine-1', max_completion_tokens: 9, reasoning_effort: 'low' });
  assert.deepEqual(third, { model: 'other', temperature: 0, max_tokens: 256 });
});

test('MODEL_RULES is what the core knows, in the form of the option', async () => {
  for (const { models, source, date } of MODEL_RULES) {
    assert.match(source, /^https:\/\//, models);
    assert.match(date, /^\d{4}-\d\d-\d\d$/, models);
  }
  const row = (name) => MODEL_RULES.find(({ models }) => models.split(' ').includes(name));
  assert.deepEqual(row('@deepseek').reasoningOff, { thinking: { type: 'disabled' } });
  assert.equal(row('o3*').maxCompletionTokens, true);
  assert.equal(row('gpt-5-chat*').sampling, undefined);
  // Each row, given as a rule of the caller, has the same effect as the core's row.
  for (const rule of MODEL_RULES) {
    const bodies = [];
    for (const modelRules of [undefined, [rule]]) {
      const { seen, made } = client({ modelRules });
      // A model name that only this row matches, and no earlier one: its patterns with the wildcards filled in.
      const names = rule.models.split(' ').filter((pattern) => !pattern.startsWith('@'));
      for (const name of names) {
        const model = name.replaceAll('?', '-').replaceAll('*', '');
        await made.chatAsync('x', { model });
        await made.chatAsync('x', { model, temperature: 0.5, maxTokens: 9, fetchAsStream: false }).catch(() => {});
        for (const effort of Object.keys(rule.efforts ?? {})) {
          await made.chatAsync('x', { model, reasoningEffort: effort, fetchAsStream: false }).catch(() => {});
        }
      }
      bodies.push(seen);
    }
    assert.deepEqual(bodies[0], bodies[1], rule.models);
  }
});

test('fetchAsStream: by the client and the call', async () => {
  const answer = ({ stream }) => (stream
    ? { status: 200, headers: { 'content-type': 'text/event-stream' }, body: `${event('o')}${event('k', 'stop')}data: [DONE]\n\n` }
    : { status: 200, headers: json, body: whole('ok') });
  const { seen, made } = client({ fetchAsStream: true }, answer);
  assert.equal((await made.chatAsync('x')).text, 'ok');
  assert.equal((await made.chatAsync('x', { fetchAsStream: false })).text, 'ok');
  const plain = client({}, answer);
  assert.equal((await plain.made.chatAsync('x', { maxTokens: 5000 })).text, 'ok');
  assert.deepEqual([...seen, ...plain.seen].map(({ stream }) => Boolean(stream)), [true, false, true]);
});

test('a conversation in OpenAI’s form loses nothing', async () => {
  const { seen, made } = client();
  const messages = [
    { role: 'user', content: [{ type: 'text', text: 'what is it?' }, { type: 'image_url', image_url: { url: 'https://x.example/a.png', detail: 'low' } },
      { type: 'input_audio', input_audio: { data: 'AA', format: 'wav' } }] },
    { role: 'assistant', content: null, tool_calls: [{ id: 'c1', type: 'function', function: { name: 'look', arguments: '{"at":1}' } }] },
    { role: 'tool', tool_call_id: 'c1', content: 'a cat' },
    { role: 'assistant', content: 'a cat', annotations: [{ a: 1 }] },
    { role: 'user', content: 'sure?' },
  ];
  await made.chatWithContextAsync(messages);
  const sent = seen[0].messages;
  assert.deepEqual(sent[0], messages[0]);
  assert.deepEqual(sent[1].tool_calls, messages[1].tool_calls);
  assert.deepEqual(sent[2], messages[2]);
  assert.deepEqual(sent[3], messages[3]);
});

test('a request that is too large says what to set', async () => {
  const { seen, made } = client({ maxRequestBytes: 1000 });
  await made.chatAsync('x');
  await assert.rejects(made.chatAsync('x'.repeat(2000)), (error) => error instanceof InvalidInputError && /raise maxRequestBytes/.test(error.message));
  assert.equal(seen.length, 1);
});

test('an answer without text because its tokens ran out is an error', async () => {
  const { made } = client({}, () => ({ status: 200, headers: json,
    body: JSON.stringify({ choices: [{ index: 0, message: { role: 'assistant', content: '' }, finish_reason: 'length' }] }) }));
  await assert.rejects(made.chatAsync('x'), (error) => error instanceof StreamError && error.code === 'out_of_tokens' && /raise maxTokens/.test(error.message));
});

test('a certificate that is not trusted is not asked for again', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'chatcore-'));
  let key, cert;
  try {
    const openssl = (...words) => execFileSync('openssl', words, { stdio: 'ignore', cwd: folder });
    openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=an authority', '-keyout', 'ca.key', '-out', 'ca.crt');
    openssl('req', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=localhost', '-keyout', 'key', '-out', 'csr');
    openssl('x509', '-req', '-in', 'csr', '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '1', '-out', 'cert');
    [key, cert] = ['key', 'cert'].map((name) => readFileSync(join(folder, name)));
  } catch {
    return t.skip('no openssl');
  } finally {
    rmSync(folder, { recursive: true });
  }
  let tries = 0;
  const server = https.createServer({ key, cert }).on('tlsClientError', () => {});
  server.on('connection', () => { tries += 1; });
  const port = await listening(server);
  for (const fetch of [undefined, globalThis.fetch]) {
    tries = 0;
    const made = new LlmClient({ baseURL: `https://localhost:${port}/v1`, model: 'm', ...fetch && { fetch } });
    await assert.rejects(made.chatAsync('x'), (error) => error instanceof ConnectionError && error.attempts === 1 && !error.retryable);
    assert.equal(tries, 1);
  }
  // The server does not use TLS.
  const plain = await listening((await import('node:net')).createServer((socket) => { tries += 1; socket.on('error', () => {}).end('HTTP/1.1 400 No\r\n\r\n'); }));
  tries = 0;
  await assert.rejects(new LlmClient({ baseURL: `https://localhost:${plain}/v1`, model: 'm' }).chatAsync('x'), (error) => error.attempts === 1);
  assert.equal(tries, 1);
});
