// Tests where a key may be sent, and that no key appears in errors.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { before, test } from 'node:test';
import { inspect } from 'node:util';
import { LlmClient, LlmError } from '../dist/node.js';
import { listening, whole } from './raw.mjs';
import { sources } from './sources.mjs';

for (const name of Object.keys(process.env)) if (/^(LLM_|OPENAI_|DEEPSEEK_|ANTHROPIC_|USE_MOCK)/.test(name)) delete process.env[name];
const rules = JSON.parse(readFileSync(new URL('../../core/cases/keys.json', import.meta.url), 'utf8'));
const KEY = 'sk-0123456789abcdef';

const refusal = (make) => {
  try {
    make();
    return undefined;
  } catch (error) {
    assert.ok(error instanceof LlmError && error.code === 'config', error.stack);
    assert.ok(!inspect(error).includes('hunter2'), inspect(error));
    return error.providerCode;
  }
};

test('base URLs, by the rules that Rust has too', async () => {
  for (const { url, base, query, refused, with_key: withKey, without_key: withoutKey } of rules.base_urls) {
    for (const apiKey of [KEY, null]) {
      for (const allowHttp of [false, true]) {
        const seen = [];
        const fetch = async (url) => { seen.push(url); return { status: 200, body: whole('x') }; };
        let client;
        const why = refusal(() => { client = new LlmClient({ baseURL: url, model: 'm', apiKey, allowHttp, fetch }); });
        // An empty value comes from a variable that is not set, and has a separate error.
        if (url === '') continue;
        const expected = refused ?? (allowHttp ? undefined : apiKey ? withKey : withoutKey);
        assert.equal(why, expected, `${url}, ${apiKey}, ${allowHttp}`);
        if (why !== undefined) continue;
        await client.chatAsync('x');
        assert.deepEqual(seen, [`${base}/chat/completions${query ? `?${query}` : ''}`], url);
      }
    }
  }
});

test('keys, by the rules that Rust has too, also where a function gives them', async () => {
  for (const { key, is, refused } of rules.keys) {
    const seen = [];
    const fetch = async (_url, { headers }) => { seen.push(headers.authorization); return { status: 200, body: whole('x') }; };
    let client;
    const why = refusal(() => { client = new LlmClient({ apiKey: key, fetch }); });
    assert.equal(why, refused, JSON.stringify(key));
    await client?.chatAsync('x');
    const called = new LlmClient({ apiKey: () => key, fetch }).chatAsync('x');
    if (refused) await assert.rejects(called, (error) => error.code === 'invalid_input' && /apiKey failed/.test(error.message) && error.attempts === 1);
    else await called;
    assert.deepEqual(seen, is === undefined ? [] : [`Bearer ${is}`, `Bearer ${is}`]);
  }
});

test('a key of another provider does not go to the default one', async () => {
  const { wording } = await sources({ wording: 'base/wording.ts' });
  for (const { prefix, set } of rules.key_forms) {
    const apiKey = `${prefix}0123456789abcdef`;
    assert.throws(() => new LlmClient({ apiKey }), (error) => {
      assert.equal(error.providerCode, 'key_of_another_provider');
      assert.ok(error.message.includes(wording.spoken(`set ${set}`)), `${error.message}\n${set}`);
      assert.ok(!inspect(error).includes(apiKey));
      return true;
    });
    process.env.LLM_API_KEY = apiKey;
    assert.throws(() => new LlmClient(), { providerCode: 'key_of_another_provider' });
    delete process.env.LLM_API_KEY;
    let sent = 0;
    const fetch = async () => { sent += 1; return { status: 200, body: whole('x') }; };
    await assert.rejects(new LlmClient({ apiKey: async () => apiKey, fetch }).chatAsync('x'), { code: 'invalid_input' });
    assert.equal(sent, 0);
    // A provider or a base URL that the caller sets is intended.
    new LlmClient({ apiKey, provider: 'deepseek' });
    new LlmClient({ apiKey, baseURL: 'https://gateway.example/v1', model: 'm' });
  }
  new LlmClient({ apiKey: KEY });
});

test('credentials in headers and in the query are not sent unencrypted either', async () => {
  const open = { baseURL: 'http://ollama:11434/v1', model: 'm', apiKey: null, fetch: async () => ({ status: 200, body: whole('x') }) };
  assert.equal(refusal(() => new LlmClient({ ...open, headers: { 'api-key': 'hunter2-hunter2' } })), 'unencrypted');
  assert.equal(refusal(() => new LlmClient({ ...open, apiKey: () => KEY })), 'unencrypted');
  const client = new LlmClient({ ...open, headers: { 'x-tenant': 'a' } });
  await client.chatAsync('x', { headers: { 'x-trace': '1' } });
  await assert.rejects(client.chatAsync('x', { headers: { cookie: 'hunter2-hunter2' } }), { code: 'invalid_input' });
  process.env.LLM_ALLOW_HTTP = 'true';
  try {
    await new LlmClient({ ...open, apiKey: KEY, headers: { 'api-key': 'hunter2-hunter2' } }).chatAsync('x', { headers: { cookie: 'a' } });
  } finally {
    delete process.env.LLM_ALLOW_HTTP;
  }
});

/** Forms in which servers echo a key. */
const forms = {
  plain: (text) => text,
  percent: (text) => encodeURIComponent(text),
  'all percent': (text) => [...text].map((letter) => `%${letter.charCodeAt(0).toString(16).padStart(2, '0')}`).join(''),
  base64: (text) => Buffer.from(text).toString('base64'),
  'within base64': (text) => Buffer.from(`authorization: Bearer ${text}\r\n`).toString('base64'),
  'with \\/': (text) => text.replaceAll('/', '\\/'),
  'with \\u': (text) => [...text].map((letter) => `\\u00${letter.charCodeAt(0).toString(16)}`).join(''),
  html: (text) => text.replaceAll('/', '&#x2F;').replaceAll('+', '&#43;'),
};
const SECRET = 'sk-Ab/cd+01=23456789xYz';

let echo;
before(async () => {
  // Answers with the given text in a body and a header, also in a stream.
  echo = await listening(createServer((request, response) => {
    let body = '';
    request.on('data', (piece) => { body += piece; }).on('end', () => {
      const said = JSON.parse(body).messages[0].content;
      const error = JSON.stringify({ error: { message: `wrong key ${said}.`, code: said.slice(0, 200), type: 'x', param: said.slice(0, 200) } });
      if (JSON.parse(body).stream) response.writeHead(200, { 'content-type': 'text/event-stream' }).end(`data: ${error}\n\n`);
      else response.writeHead(401, { 'content-type': 'application/json', 'x-request-id': said.replaceAll(/[^ -~]/g, '') }).end(error);
    });
  }));
});

const givenBy = {
  'an option': () => [{ apiKey: SECRET }, {}],
  'a function': () => [{ apiKey: async () => SECRET }, {}],
  'a header of the client': () => [{ headers: { 'x-gateway': SECRET } }, {}],
  'authorization of the client': () => [{ headers: { Authorization: `Bearer ${SECRET}` } }, {}],
  'a header of the call': () => [{}, { headers: { 'x-tenant-token': SECRET } }],
  'a query': () => [{ baseURL: `http://127.0.0.1:${echo}/v1?code=${encodeURIComponent(SECRET)}` }, {}],
};
for (const [who, give] of Object.entries(givenBy)) {
  for (const [how, write] of Object.entries(forms)) {
    test(`a secret that a server echoes is taken out: ${who}, ${how}`, async () => {
      const [options, ofCall] = give();
      for (const fetch of [undefined, globalThis.fetch]) {
        const client = new LlmClient({ baseURL: `http://127.0.0.1:${echo}/v1`, model: 'm', maxAttempts: 1, ...fetch && { fetch }, ...options });
        const said = write(SECRET);
        for (const error of [
          await client.chatAsync(said, ofCall).catch((error) => error),
          await client.chatStream(said, ofCall).final().catch((error) => error),
        ]) {
          assert.ok(error instanceof LlmError, String(error));
          const shown = [inspect(error, { depth: 9 }), JSON.stringify(error), error.message, error.body, error.stack].join('\n');
          assert.ok(shown.includes('[redacted]'), shown);
          for (const form of Object.values(forms)) assert.ok(!shown.includes(form(SECRET)), `${form(SECRET)} in ${shown}`);
          assert.ok(!shown.includes(said), shown);
        }
      }
    });
  }
}

test('a secret of 8 characters is taken out, a shorter one is a placeholder, as the README says', async () => {
  for (const [apiKey, isShown] of [['Zq7-xK', true], ['Zq7-xK2', true], ['Zq7-xK2w', false]]) {
    const client = new LlmClient({ baseURL: `http://127.0.0.1:${echo}/v1`, model: 'm', maxAttempts: 1, apiKey });
    const error = await client.chatAsync(apiKey).catch((error) => error);
    assert.equal(error.message.includes(apiKey), isShown, error.message);
    assert.equal(error.message.includes('[redacted]'), !isShown, error.message);
  }
});

test('the password of a proxy that a server echoes', async () => {
  process.env.HTTPS_PROXY = 'http://me:hunter2%2Fhunter2@proxy.example:3128';
  try {
    const client = new LlmClient({ baseURL: `http://127.0.0.1:${echo}/v1`, model: 'm', maxAttempts: 1 });
    const said = `Basic ${Buffer.from('me:hunter2/hunter2').toString('base64')} hunter2/hunter2 hunter2%2Fhunter2`;
    const error = await client.chatAsync(said).catch((error) => error);
    assert.ok(!/hunter2|bWU6aHVud/.test(inspect(error)), inspect(error));
  } finally {
    delete process.env.HTTPS_PROXY;
  }
});

test('a secret in the error of a fetch', async () => {
  const fails = (url, { headers }) => {
    const said = `${url} with ${headers['x-gateway']}`;
    throw Object.assign(new TypeError(`cannot reach ${said}`, { cause: new RangeError(`in ${said}`) }), { code: 'EMINE' });
  };
  const make = (baseURL) => new LlmClient({ baseURL, model: 'm', maxAttempts: 1, headers: { 'x-gateway': 'hunter2-hunter2' }, fetch: async (...all) => fails(...all) });
  const error = await make('https://a.example/v1').chatAsync('x').catch((error) => error);
  assert.ok(!inspect(error, { depth: 9 }).includes('hunter2'), inspect(error));
  // A copy of the host's own error, without the secret.
  assert.ok(error.cause instanceof TypeError && error.cause.code === 'EMINE' && error.cause.cause instanceof RangeError);
  assert.match(error.cause.message, /^cannot reach https:\/\/a.example\/v1\/chat\/completions with \[redacted\]$/);
  const inQuery = await make('https://a.example/v1?code=hunter2-hunter2').chatAsync('x').catch((error) => error);
  assert.ok(!inspect(inQuery, { depth: 9 }).includes('hunter2'), inspect(inQuery));
});
