// Which of the two modules an entry loads, and when.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const OPENAI = { choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'hi' } }] };
const ANTHROPIC = { id: 'x', type: 'message', role: 'assistant', model: 'm', content: [{ type: 'text', text: 'hi' }], stop_reason: 'end_turn', usage: { input_tokens: 1, output_tokens: 1 } };
const asks = (LlmClient, provider, answer) =>
  new LlmClient({ provider, apiKey: 'k-0123456789', model: 'm', baseURL: 'https://llm.example/v1', fetch: async () => Response.json(answer) }).chatAsync('x');

test('chatcore/asset loads the module of a client\'s dialect when the client is made, and once', async (t) => {
  const asked = [];
  t.mock.method(globalThis, 'fetch', async (url) => {
    asked.push(basename(url.pathname));
    return new Response(await readFile(fileURLToPath(url)), { headers: { 'content-type': 'application/wasm' } });
  });
  const { LlmClient, preload } = await import('../dist/asset.js');
  assert.deepEqual(asked, []);
  for (const provider of ['openai_compatible', 'groq']) assert.equal(String(await asks(LlmClient, provider, OPENAI)), 'hi');
  await preload();
  assert.deepEqual(asked, ['core-chat.wasm']);
  new LlmClient({ provider: 'anthropic', apiKey: 'k-0123456789' });
  assert.deepEqual(asked, ['core-chat.wasm', 'core.wasm']);
  for (let round = 0; round < 2; round += 1) assert.equal(String(await asks(LlmClient, 'anthropic', ANTHROPIC)), 'hi');
  await preload('gemini');
  assert.deepEqual(asked, ['core-chat.wasm', 'core.wasm']);
});

test('the default entry takes its modules from chunks where there are no URLs that can be fetched', async () => {
  const { LlmClient } = await import('../dist/index.js');
  assert.equal(String(await asks(LlmClient, 'deepseek', OPENAI)), 'hi');
  assert.equal(String(await asks(LlmClient, 'anthropic', ANTHROPIC)), 'hi');
});

test('chatcore/whole has every dialect in one file', async () => {
  const { LlmClient } = await import('../dist/whole.js');
  assert.equal(String(await asks(LlmClient, 'deepseek', OPENAI)), 'hi');
  assert.equal(String(await asks(LlmClient, 'anthropic', ANTHROPIC)), 'hi');
  const text = await readFile(new URL('../dist/whole.js', import.meta.url), 'utf8');
  assert.doesNotMatch(text, /\bimport\(/);
});

test('a module of another build is refused; one without its sections is not', async () => {
  const { LlmClient, setWasm } = await import('../dist/slim.js');
  const bytes = await readFile(new URL('../dist/core.wasm', import.meta.url));
  const other = Uint8Array.from(bytes);
  other[other.length - 1] ^= 1;
  for (const wasm of [other, new WebAssembly.Module(other)]) {
    setWasm(wasm);
    await assert.rejects(asks(LlmClient, 'deepseek', OPENAI), { code: 'config', message: /^the WebAssembly module is of another version of chatcore than the script/ });
  }
  const section = 3 + 'chatcore'.length + 16;
  for (const wasm of [bytes, new WebAssembly.Module(bytes), bytes.subarray(0, -section)]) {
    setWasm(wasm);
    assert.equal(String(await asks(LlmClient, 'deepseek', OPENAI)), 'hi');
  }
});

test('a chunk that a service worker cannot import: the error names the entry without chunks', async () => {
  const { LlmClient, setWasm } = await import('../dist/slim.js');
  setWasm(async () => { throw new TypeError('import() is disallowed on ServiceWorkerGlobalScope by the HTML specification.'); });
  await assert.rejects(asks(LlmClient, 'deepseek', OPENAI), { code: 'config', message: /a service worker cannot import a chunk; import chatcore\/whole/ });
});

test('a module that cannot be loaded is asked for again by the next call', async () => {
  const { LlmClient, setWasm } = await import('../dist/slim.js');
  let count = 0;
  setWasm(async () => {
    count += 1;
    if (count === 1) throw new WebAssembly.CompileError("Refused to compile WebAssembly because 'unsafe-eval' is not allowed");
    return readFile(new URL('../dist/core.wasm', import.meta.url));
  });
  await assert.rejects(asks(LlmClient, 'deepseek', OPENAI), (error) => {
    assert.equal(error.code, 'config');
    assert.match(error.message, /could not be loaded: the page's Content-Security-Policy forbids WebAssembly; add 'wasm-unsafe-eval' to its script-src/);
    return error.cause instanceof WebAssembly.CompileError;
  });
  assert.equal(String(await asks(LlmClient, 'deepseek', OPENAI)), 'hi');
});

test('an abort does not wait for a module that is still loading', async () => {
  const { LlmClient, setWasm } = await import('../dist/slim.js?abort');
  setWasm(() => new Promise(() => {}));
  const client = new LlmClient({ provider: 'openai_compatible', baseURL: 'https://llm.example/v1', model: 'm', fetch: async () => assert.fail('nothing is sent') });
  const options = () => {
    const controller = new AbortController();
    queueMicrotask(() => controller.abort(new Error('enough')));
    return { signal: controller.signal };
  };
  await assert.rejects(client.ask('x', options()), (error) => error.name === 'AbortError' && error.cause?.message === 'enough');
  await assert.rejects(client.embed(['x'], options()), { name: 'AbortError' });
  await assert.rejects(client.askStream('x', options()).final(), { name: 'AbortError' });
  const stream = client.askStream('x');
  const pending = stream.final();
  stream.abort();
  await assert.rejects(pending, { name: 'AbortError' });
  assert.equal(client.status().active, 0);
});

test('a server that gives the module\'s media type a parameter serves it all the same', async (t) => {
  t.mock.method(globalThis, 'fetch', async (url) =>
    new Response(await readFile(fileURLToPath(url)), { headers: { 'content-type': 'application/wasm; charset=utf-8' } }));
  const { LlmClient } = await import('../dist/asset.js?charset');
  assert.equal(String(await asks(LlmClient, 'deepseek', OPENAI)), 'hi');
});
