// Headless Chromium on a page served from loopback: by module script, and by builds of the packed
// tarball with Vite, webpack and esbuild, none of which is told anything about it.
// Skipped where there is no Chromium.
import assert from 'node:assert/strict';
import { cpSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build as esbuild } from 'esbuild';
import { build as vite } from 'vite';
import webpack from 'webpack';
import { launch, skip } from './chromium.mjs';
import { project } from './packed.mjs';
import { start } from './server.mjs';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const types = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm' };

function serve(folders) {
  const server = createServer(async (request, response) => {
    const at = normalize(new URL(request.url, 'http://x').pathname);
    const mount = Object.keys(folders).find((prefix) => at.startsWith(prefix));
    try {
      const rest = at.slice(mount.length);
      const file = join(folders[mount], rest === '' || rest.endsWith('/') ? `${rest}index.html` : rest);
      // As strict as it may be.
      if (mount === '/esbuild/') response.setHeader('content-security-policy', "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src http:");
      const type = mount.startsWith('/untyped/') && extname(file) === '.wasm' ? undefined : types[extname(file)];
      response.setHeader('content-type', type ?? 'application/octet-stream').end(await readFile(file));
    } catch {
      response.writeHead(404).end();
    }
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

/** Builds the Vite example with each, into folders under its name. */
async function builds({ folder }) {
  cpSync(path('../../examples/vite'), folder, { recursive: true, filter: (from) => !/node_modules|package\.json/.test(from) });
  const out = (name) => join(folder, 'built', name);
  const entry = join(folder, 'src/main.js');
  const program = await readFile(entry, 'utf8');
  const bundled = (entry, name) => new Promise((resolve, reject) => webpack(
    { mode: 'production', context: folder, entry, output: { path: out(name), filename: 'main.js' }, performance: false },
    (error, stats) => (error ? reject(error) : resolve(stats))));
  await vite({ root: folder, base: '/vite/', logLevel: 'error', configFile: false, build: { outDir: out('vite'), emptyOutDir: true } });
  await esbuild({ entryPoints: [entry], bundle: true, format: 'esm', outfile: join(out('esbuild'), 'main.js'), absWorkingDir: folder });
  const stats = await bundled(entry, 'webpack');
  assert.deepEqual(stats.toJson({ all: false, errors: true, warnings: true }), { errors: [], warnings: [] });
  // The same page by the entry whose module is a file of its own.
  writeFileSync(entry, program.replace("'chatcore'", "'chatcore/asset'"));
  await vite({ root: folder, base: '/vite-asset/', logLevel: 'error', configFile: false, build: { outDir: out('vite-asset'), emptyOutDir: true } });
  assert.deepEqual((await bundled(entry, 'webpack-asset')).toJson({ all: false, errors: true, warnings: true }), { errors: [], warnings: [] });
  const page = (await readFile(path('../../examples/vite/index.html'), 'utf8')).replace('/src/main.js', './main.js');
  for (const name of ['esbuild', 'webpack', 'webpack-asset']) writeFileSync(join(out(name), 'index.html'), page);
  return join(folder, 'built');
}

let browser, loopback, pages, installed;
before(async () => {
  if (skip) return;
  installed = project();
  const built = await builds(installed);
  loopback = await start();
  pages = await serve({
    '/plain/chatcore/': path('../dist'), '/untyped/chatcore/': path('../dist'), '/plain/': path('../../examples/web-plain'), '/vite/': join(built, 'vite'),
    '/webpack/': join(built, 'webpack'), '/esbuild/': join(built, 'esbuild'),
    '/vite-asset/': join(built, 'vite-asset'), '/webpack-asset/': join(built, 'webpack-asset'),
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

for (const where of ['plain', 'vite', 'webpack', 'esbuild', 'vite-asset', 'webpack-asset']) {
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

test('the module as an asset, with and without its media type', { skip }, async () => {
  for (const folder of ['plain', 'untyped']) {
    const { page, errors } = await open('plain', `${loopback.base}/ok/v1`);
    const seen = await page.evaluate(async ({ base, folder }) => {
      const { LlmClient } = await import(`/${folder}/chatcore/asset.js`);
      return (await new LlmClient({ baseURL: `${base}/ok/v1`, model: 'm' }).chatAsync('x')).text;
    }, { base: loopback.base, folder });
    assert.equal(seen, 'echo: x');
    assert.deepEqual(errors, []);
    await page.close();
  }
});

test('typed errors and aborts in a page', { skip }, async () => {
  const { page, errors } = await open('plain', `${loopback.base}/ok/v1`);
  const seen = await page.evaluate(async (base) => {
    const { LlmClient } = await import('./chatcore/index.js');
    const ask = async (path, options = {}) => {
      try {
        const client = new LlmClient({ baseURL: `${base}/${path}/v1`, model: 'm', maxRetries: 1 });
        return (await client.chatStream('one two three', options).final()).text;
      } catch (error) {
        return error.name;
      }
    };
    let key = 'no error';
    try { new LlmClient({ apiKey: 'k' }); } catch (error) { key = error.code; }
    // Another dialect through a server of the page's own, on https, where a key would be demanded.
    let keyless;
    const fetch = async (url, { headers }) => { keyless = [url, Object.keys(headers).sort()]; return Response.json({}, { status: 400 }); };
    await new LlmClient({ provider: 'anthropic', baseURL: 'https://own.example/llm', fetch }).chatAsync('x').catch(() => {});
    return {
      keyless, key, ok: await ask('ok'), limit: await ask('status/429'), truncated: await ask('no-terminal'),
      redirect: await ask('redirect/307/away'), reset: await ask('reset/start'),
      stall: await ask('keepalives/forever/5ms', { timeouts: { firstContent: 100 } }),
      abort: await ask('key/page/silent', { signal: AbortSignal.timeout(100) }),
    };
  }, loopback.base);
  assert.deepEqual(seen, {
    keyless: ['https://own.example/llm/v1/messages', ['anthropic-version', 'content-type']], key: 'config', ok: 'echo: one two three', limit: 'RateLimitError', truncated: 'StreamError',
    redirect: 'StreamError', reset: 'ConnectionError', stall: 'TimeoutError', abort: 'AbortError',
  });
  assert.equal(await loopback.waitClosed('page'), 'client');
  assert.deepEqual(errors, []);
  await page.close();
});
