// Headless Chromium on a page served from loopback: with a module script, and with builds of the packed tarball by Vite,
// webpack and esbuild without any configuration. Skipped if there is no Chromium.
import assert from 'node:assert/strict';
import { cpSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { build as esbuild } from 'esbuild';
import { build as vite } from 'vite';
import webpack from 'webpack';
import { launch, skip } from './chromium.mjs';
import { project } from './packed.mjs';
import { path, serve } from './pages.mjs';
import { start } from './server.mjs';

/** Builds the Vite example with each bundler, into a folder of the bundler's name. */
async function builds({ folder }) {
  cpSync(path('../../examples/vite'), folder, { recursive: true, filter: (from) => !/node_modules|package\.json/.test(from) });
  const out = (name) => join(folder, 'built', name);
  const entry = join(folder, 'src/main.js');
  await vite({ root: folder, base: '/vite/', logLevel: 'error', configFile: false, build: { outDir: out('vite'), emptyOutDir: true } });
  await esbuild({ entryPoints: [entry], bundle: true, format: 'esm', outfile: join(out('esbuild'), 'main.js'), absWorkingDir: folder });
  const stats = await new Promise((resolve, reject) => webpack(
    { mode: 'production', context: folder, entry, output: { path: out('webpack'), filename: 'main.js' }, performance: false },
    (error, stats) => (error ? reject(error) : resolve(stats))));
  assert.deepEqual(stats.toJson({ all: false, errors: true, warnings: true }), { errors: [], warnings: [] });
  const page = (await readFile(path('../../examples/vite/index.html'), 'utf8')).replace('/src/main.js', './main.js');
  for (const name of ['esbuild', 'webpack']) writeFileSync(join(out(name), 'index.html'), page);
  return join(folder, 'built');
}

let browser, loopback, pages, installed;
before(async () => {
  if (skip) return;
  installed = project();
  const built = await builds(installed);
  loopback = await start();
  pages = await serve({
    '/plain/chatcore/': path('../dist'), '/plain/': path('../../examples/web-plain'), '/vite/': join(built, 'vite'),
    '/webpack/': join(built, 'webpack'), '/esbuild/': join(built, 'esbuild'),
  });
  browser = await launch();
});
after(async () => {
  if (skip) return;
  await browser?.close();
  pages?.close();
  loopback?.stop();
  installed?.remove();
});

const open = async (where, base) => {
  const page = await browser.newPage();
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  await page.goto(`http://127.0.0.1:${pages.address().port}/${where}/?base=${encodeURIComponent(base)}`);
  return { page, errors };
};

for (const where of ['plain', 'vite', 'webpack', 'esbuild']) {
  test(`${where}: a stream`, { skip }, async () => {
    const { page, errors } = await open(where, `${loopback.base}/every/1ms/v1`);
    await page.fill('input', '你好 there');
    await page.click('button');
    await page.waitForSelector('#answer[data-done]');
    assert.equal(await page.textContent('#answer'), 'echo: 你好 there');
    assert.deepEqual(errors, []);
    await page.close();
  });
}

test('typed errors and aborts in a page', { skip }, async () => {
  const { page, errors } = await open('plain', `${loopback.base}/ok/v1`);
  const seen = await page.evaluate(async (base) => {
    const { LlmClient } = await import('./chatcore/index.js');
    const ask = async (path, options = {}) => {
      try {
        const client = new LlmClient({ baseURL: `${base}/${path}/v1`, model: 'm', maxAttempts: 1 });
        return (await client.chatStream('one two three', options).final()).text;
      } catch (error) {
        return error.name;
      }
    };
    let key = 'no error';
    try { new LlmClient({ apiKey: 'k' }); } catch (error) { key = error.code; }
    // Without a key and a server of its own, each call would be refused by the provider.
    let nowhere = 'no error';
    try { new LlmClient({ provider: 'openai' }); } catch (error) { nowhere = [error.providerCode, /baseURL: '\/api\/v1'/.test(error.message)]; }
    // Another dialect through the page's own server, on https, where a key would be required.
    let keyless;
    const fetch = async (url, { headers }) => { keyless = [url, Object.keys(headers).sort()]; return Response.json({}, { status: 400 }); };
    await new LlmClient({ provider: 'anthropic', baseURL: 'https://own.example/llm', fetch }).chatAsync('x').catch(() => {});
    return {
      keyless, key, nowhere, ok: await ask('ok'), limit: await ask('status/429'), truncated: await ask('no-terminal'),
      redirect: await ask('redirect/307/away'), reset: await ask('reset/start'),
      stall: await ask('keepalives/forever/5ms', { timeouts: { firstContent: 100 } }),
      abort: await ask('key/page/silent', { signal: AbortSignal.timeout(100) }),
    };
  }, loopback.base);
  assert.deepEqual(seen, {
    keyless: ['https://own.example/llm/v1/messages', ['anthropic-version', 'content-type']], key: 'config', nowhere: ['missing_api_key', true], ok: 'echo: one two three', limit: 'RateLimitError', truncated: 'StreamError',
    redirect: 'StreamError', reset: 'ConnectionError', stall: 'TimeoutError', abort: 'AbortError',
  });
  assert.equal(await loopback.waitClosed('page'), 'client');
  assert.deepEqual(errors, []);
  await page.close();
});

test('a chunk that could not be loaded is asked for again', { skip }, async () => {
  const { page, errors } = await open('plain', `${loopback.base}/ok/v1`);
  let isOffline = true;
  const asked = [];
  await page.route(/core\.wasm/, (route) => route.abort());
  await page.route(/core-all/, (route) => {
    asked.push(new URL(route.request().url()).search);
    return isOffline ? route.abort() : route.continue();
  });
  const ask = () => page.evaluate(async () => {
    const { LlmClient } = await import('./chatcore/index.js');
    const answer = { type: 'message', role: 'assistant', model: 'm', content: [{ type: 'text', text: 'hi' }], stop_reason: 'end_turn', usage: { input_tokens: 1, output_tokens: 1 } };
    const client = new LlmClient({ provider: 'anthropic', baseURL: 'https://own.example/llm', fetch: async () => Response.json(answer) });
    return client.ask('x').then(String, (error) => error.code);
  });
  assert.equal(await ask(), 'config');
  assert.equal(await ask(), 'config');
  isOffline = false;
  assert.equal(await ask(), 'hi');
  assert.equal(await ask(), 'hi');
  assert.ok(new Set(asked).size >= 3, `each time another URL: ${asked}`);
  assert.deepEqual(errors, []);
  await page.close();
});

test('a typed answer in a page: its code and the whole module are loaded with the first schema', { skip }, async () => {
  for (const entry of ['index.js', 'asset.js']) {
    const { page, errors } = await open('plain', `${loopback.base}/ok/v1`);
    const loaded = [];
    page.on('request', (request) => loaded.push(new URL(request.url()).pathname.split('/').at(-1)));
    const seen = await page.evaluate(async (entry) => {
      const { LlmClient, MismatchError } = await import(`./chatcore/${entry}`);
      const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
      const client = new LlmClient({ mock: (messages) => messages.at(-1).content.includes('Where') ? '{"city":"Lyon"}' : '{"city":1}' });
      await client.ask('x');
      const { value } = await client.ask('Where?', { schema });
      const partial = [];
      for await (const part of client.askStream('Where?', { schema }).partial()) partial.push(part);
      const error = await client.ask('x', { schema }).catch((error) => error);
      return { value, last: partial.at(-1), isMismatch: error instanceof MismatchError, name: error.name, path: error.path };
    }, entry);
    assert.deepEqual(seen, { value: { city: 'Lyon' }, last: { city: 'Lyon' }, isMismatch: true, name: 'MismatchError', path: 'city' });
    assert.ok(loaded.includes('typed.js') && loaded.includes('core.wasm'), `${loaded}`);
    assert.deepEqual(errors, []);
    await page.close();
  }
});
