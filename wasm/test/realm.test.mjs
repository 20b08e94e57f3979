// Hosts that lack what browsers and Node have, or have it from another realm: Jest's jsdom, Next.js' edge
// runtime, workers. Each is simulated by a context of node:vm that has only the named globals.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createContext, runInContext, runInNewContext } from 'node:vm';
import { event, whole } from './raw.mjs';

const code = (name) => readFileSync(new URL(`../dist/${name}`, import.meta.url), 'utf8');
const core = readFileSync(new URL('../dist/core.wasm', import.meta.url));
/** The globals without which nothing works. */
const least = { setTimeout, clearTimeout, performance, URL, AbortController, atob, console };

function load(name, globals) {
  const context = createContext({ ...globals, module: { exports: {} } });
  runInContext(`(function (exports) {${code(name)}\n})(module.exports)`, context);
  return context.module.exports;
}

const TEXT = 'one 你好 🙂 é';
const answers = async (_url, { body }) => (JSON.parse(Buffer.from(body)).stream
  ? { status: 200, headers: { 'content-type': 'text/event-stream' }, body: `${[...TEXT].map((letter) => event(letter)).join('')}${event('', 'stop')}data: [DONE]\n\n` }
  : { status: 200, headers: { 'content-type': 'application/json' }, body: whole(TEXT) });

async function works({ LlmClient, AuthError }, options = { fetch: answers }) {
  const client = new LlmClient({ baseURL: 'http://127.0.0.1:1/v1', model: 'm', maxAttempts: 1, ...options });
  assert.equal((await client.chatAsync('你好 🙂')).text, TEXT);
  assert.equal((await client.chatStream('x').final()).text, TEXT);
  const failing = new LlmClient({ baseURL: 'http://127.0.0.1:1/v1', model: 'm', fetch: async () => ({ status: 401, body: '{}' }) });
  await assert.rejects(failing.chatAsync('x'), (error) => error instanceof AuthError);
  assert.equal(String(await new LlmClient({ mock: true }).chatAsync('你好')), 'mock: 你好');
  assert.equal((await new LlmClient({ mock: true }).chatStream('é').final()).text, 'mock: é');
}

test('as little as there can be: no TextEncoder, no MessageChannel, no Response, no streams', async () => {
  await works(load('index.cjs', least));
});

test('all of it from another realm, as in the edge runtime', async () => {
  const { TextEncoder, TextDecoder, ReadableStream, MessageChannel, WebAssembly, Uint8Array, ArrayBuffer } = globalThis;
  await works(load('index.cjs', { ...least, TextEncoder, TextDecoder, Response, ReadableStream, MessageChannel, WebAssembly }));
  await works(load('index.cjs', { ...least, TextEncoder, TextDecoder, Uint8Array, ArrayBuffer }));
  await works(load('index.cjs', { ...least, Response, ReadableStream }), {
    fetch: async (...request) => { const { body, ...head } = await answers(...request); return new Response(body, head); },
  });
});

test('with a page around it, as in jsdom', async () => {
  const page = load('index.cjs', { ...least, window: {}, document: {}, location: new URL('http://localhost:3000/') });
  await works(page);
  await works(page, { baseURL: '/api/v1', fetch: async (url, init) => {
    assert.equal(url, 'http://localhost:3000/api/v1/chat/completions');
    return answers(url, init);
  } });
});

test('slim: a module, bytes and a response of another realm', async () => {
  for (const source of [
    new WebAssembly.Module(core), core, Uint8Array.from(core).buffer, new Response(core, { headers: { 'content-type': 'application/wasm' } }),
    runInNewContext('new WebAssembly.Module(core)', { core }), runInNewContext('Uint8Array.from(core)', { core }),
  ]) {
    const slim = load('slim.cjs', least);
    slim.setWasm(source);
    await works(slim);
  }
});

test('our own UTF-8 is that of the host', async () => {
  const { encode, decode } = await import(`data:text/javascript,${encodeURIComponent((await (await import('esbuild')).build({
    entryPoints: [new URL('../ts/base/text.ts', import.meta.url).pathname], bundle: true, write: false, format: 'esm', target: 'es2022',
  })).outputFiles[0].text)}`);
  const all = Array.from({ length: 0x110000 / 97 | 0 }, (_, n) => n * 97).filter((code) => code < 0xd800 || code > 0xdfff);
  const text = String.fromCodePoint(0, 0x7f, 0x80, 0x7ff, 0x800, 0xffff, 0x10000, 0x10ffff, ...all);
  assert.deepEqual(encode(text), new TextEncoder().encode(text));
  assert.equal(decode(encode(text)), text);
  for (const half of ['\ud83d', 'a\ud83db', '\ude42']) assert.deepEqual(encode(half), new TextEncoder().encode(half));
});
