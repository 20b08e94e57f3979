// Where the default entry gets its module from, in Chromium: from the file beside it; and from a chunk if a bundler moved the
// entry, or if the file cannot be had.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { build } from 'esbuild';
import { build as vite } from 'vite';
import { launch, skip } from './chromium.mjs';
import { path, serve } from './pages.mjs';

const PROGRAM = `import { LlmClient } from './index.js';
window.ask = (options) => new LlmClient({ baseURL: '/v1', model: 'm', ...options }).ask('x', { model: 'm' }).then(String, (error) => error.code + ': ' + error.message);`;
const ANTHROPIC = {
  id: 'x', type: 'message', role: 'assistant', model: 'm', content: [{ type: 'text', text: 'hello' }], stop_reason: 'end_turn',
  usage: { input_tokens: 1, output_tokens: 1 },
};

let browser, pages, folder;
before(async () => {
  if (skip) return;
  folder = mkdtempSync(join(tmpdir(), 'chatcore-entry-'));
  const options = { stdin: { contents: PROGRAM, resolveDir: path('../dist') }, bundle: true, target: 'es2022', logLevel: 'silent' };
  for (const [name, more] of [
    ['one', { format: 'esm', outfile: join(folder, 'one/main.js') }],
    ['classic', { format: 'iife', outfile: join(folder, 'classic/main.js') }],
    ['split', { format: 'esm', splitting: true, outdir: join(folder, 'split'), entryNames: 'main', chunkNames: '[name]' }],
  ]) {
    await build({ ...options, ...more });
    writeFileSync(join(folder, name, 'index.html'), `<!doctype html><link rel=icon href=data:,><script ${name === 'classic' ? '' : 'type=module'} src=./main.js></script>`);
  }
  writeFileSync(join(folder, 'main.js'), PROGRAM.replace('./index.js', '/chatcore/index.js'));
  writeFileSync(join(folder, 'index.html'), '<!doctype html><link rel=icon href=data:,><script type=module src=./main.js></script>');
  pages = await serve({ '/chatcore/': path('../dist'), '/': folder });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  pages?.close();
  if (folder) rmSync(folder, { recursive: true });
});

/** A page; `loaded()` are the names of the files that it has loaded or tried to load since the last time. */
async function open(at, routes = {}) {
  const page = await browser.newPage();
  let [names, errors] = [[], []];
  page.on('request', (request) => { names.push(new URL(request.url()).pathname.split('/').at(-1)); });
  page.on('console', (message) => { if (message.type() === 'error') errors.push(message.text()); });
  page.on('pageerror', (error) => errors.push(String(error)));
  for (const [pattern, handler] of Object.entries(routes)) await page.route(pattern, handler);
  await page.goto(`http://127.0.0.1:${pages.address().port}/${at}`);
  await page.waitForFunction(() => window.ask);
  const loaded = () => {
    const found = names.filter((name) => /\.wasm$|^(core|bindings)/.test(name));
    names = [];
    return found;
  };
  const chat = () => page.evaluate(() => window.ask({ mock: true }));
  const other = () => page.evaluate(
    (answer) => window.ask({ provider: 'anthropic', baseURL: 'https://llm.example', fetch: async () => Response.json(answer) }), ANTHROPIC);
  return { page, errors, loaded, chat, other };
}

test('without a bundler: the files beside the entry', { skip }, async () => {
  const { page, errors, loaded, chat, other } = await open('');
  assert.deepEqual(loaded(), []);
  assert.equal(await chat(), 'mock: x');
  assert.deepEqual(loaded(), ['core-chat.wasm']);
  assert.equal(await other(), 'hello');
  assert.deepEqual(loaded().sort(), ['bindings-all.js', 'core.wasm']);
  assert.deepEqual(errors, []);
  await page.close();
});

test('a bundler that leaves the URL: a chunk, without asking for the file', { skip }, async () => {
  for (const [name, ofChat, ofAll] of [['one', [], []], ['classic', [], []], ['split', ['core-chat.js'], ['bindings-all.js', 'core-all.js']]]) {
    const { page, errors, loaded, chat, other } = await open(`${name}/`);
    assert.equal(await chat(), 'mock: x', name);
    assert.deepEqual(loaded(), ofChat, name);
    assert.equal(await other(), 'hello', name);
    assert.deepEqual(loaded().sort(), ofAll, name);
    assert.deepEqual(errors, [], name);
    await page.close();
  }
});

test('a client begins to download its module when it is made', { skip }, async () => {
  const { page, loaded } = await open('');
  for (const [options, file] of [[{ mock: true }, 'core-chat.wasm'], [{ mock: true, limits: { requestsPerMinute: 9 } }, 'core.wasm']]) {
    const arrives = page.waitForResponse((response) => response.url().endsWith(file));
    await page.evaluate(async (options) => { const { LlmClient } = await import('/chatcore/index.js'); new LlmClient(options); }, options);
    await arrives;
  }
  assert.deepEqual(loaded().filter((name) => name.endsWith('.wasm')), ['core-chat.wasm', 'core.wasm']);
  await page.close();
});

test('preload loads the module that a client with the same options needs', { skip }, async () => {
  for (const [client, file] of [
    [undefined, 'core-chat.wasm'], ['anthropic', 'core.wasm'], [{ provider: 'gemini' }, 'core.wasm'], [{ provider: 'deepseek' }, 'core-chat.wasm'],
    [{ limits: { tokensPerMinute: 9 } }, 'core.wasm'], [{ provider: 'groq', adaptive: true }, 'core.wasm'],
    [{ hedging: { afterMs: 900 } }, 'core.wasm'],
    [{ limits: {}, adaptive: false }, 'core-chat.wasm'],
  ]) {
    const { page, loaded } = await open('');
    await page.evaluate(async (client) => { await (await import('/chatcore/index.js')).preload(client); }, client);
    assert.deepEqual(loaded().filter((name) => name.endsWith('.wasm')), [file], JSON.stringify(client));
    await page.close();
  }
});

/** The module with the stamp of another build. */
function ofAnotherBuild() {
  const bytes = readFileSync(path('../dist/core-chat.wasm'));
  bytes[bytes.length - 1] ^= 1;
  return bytes;
}

const FAULTS = {
  'the file of another version': (route) => route.fulfill({ contentType: 'application/wasm', body: ofAnotherBuild() }),
  'no such file': (route) => route.fulfill({ status: 404 }),
  'the page in its place, as for every unknown path': (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }),
  'a request that is refused': (route) => route.abort('blockedbyclient'),
};
for (const [name, fault] of Object.entries(FAULTS)) {
  test(`${name}: a chunk, and the file is not asked for again`, { skip }, async () => {
    const { page, loaded, chat, other } = await open('', { '**/*.wasm': fault });
    assert.equal(await chat(), 'mock: x');
    assert.deepEqual(loaded(), ['core-chat.wasm', 'core-chat.js']);
    assert.equal(await other(), 'hello');
    assert.deepEqual(loaded().sort(), ['bindings-all.js', 'core-all.js']);
    await page.close();
  });
}

test('a Content-Security-Policy that refuses the request of the file: a chunk', { skip }, async () => {
  const policy = async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, headers: { ...response.headers(), 'content-security-policy': "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src https://llm.example" } });
  };
  const { page, chat } = await open('index.html', { '**/index.html': policy });
  assert.equal(await chat(), 'mock: x');
  await page.close();
});

test('neither the file nor the chunk: an error that says so, and the next call asks again', { skip }, async () => {
  let isOffline = true;
  const fault = (route) => (isOffline ? route.abort() : route.continue());
  const { page, loaded, chat } = await open('', { '**/*.wasm': fault, '**/core-chat.js*': fault });
  assert.match(await chat(), /^config: the WebAssembly module could not be loaded/);
  loaded();
  isOffline = false;
  assert.equal(await chat(), 'mock: x');
  assert.deepEqual(loaded(), ['core-chat.wasm']);
  await page.close();
});

test('Vite: the file of its output, which a link in its page preloads', { skip }, async () => {
  const root = join(folder, 'vite');
  for (const name of ['dist', 'package.json']) cpSync(path(`../${name}`), join(root, 'node_modules/chatcore', name), { recursive: true });
  writeFileSync(join(root, 'main.js'), PROGRAM.replace('./index.js', 'chatcore'));
  writeFileSync(join(root, 'index.html'), `<!doctype html><link rel=icon href=data:,>
<link rel="preload" href="/node_modules/chatcore/dist/core-chat.wasm" as="fetch" type="application/wasm" crossorigin>
<script type="module" src="./main.js"></script>`);
  await vite({ root, base: './', logLevel: 'error', configFile: false, build: { outDir: join(root, 'out') } });
  const { page, errors, loaded, chat } = await open('vite/out/');
  assert.equal(await chat(), 'mock: x');
  const names = loaded();
  assert.equal(names.length, 1, `${names}`);
  assert.match(names[0], /^core-chat-.+\.wasm$/);
  assert.deepEqual(errors, []);
  await page.close();
});
