// Headless Chromium on a page served from loopback: by module script, and by a Vite build.
// Skipped where there is no Chromium; CHROMIUM names another one than /usr/bin/chromium.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { build } from 'vite';
import { start } from './server.mjs';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const skip = existsSync(executablePath) ? false : 'no Chromium here';
const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const types = { '.html': 'text/html', '.js': 'text/javascript' };

function serve(folders) {
  const server = createServer(async (request, response) => {
    const at = normalize(new URL(request.url, 'http://x').pathname);
    const mount = Object.keys(folders).find((prefix) => at.startsWith(prefix));
    try {
      const rest = at.slice(mount.length);
      const file = join(folders[mount], rest === '' || rest.endsWith('/') ? `${rest}index.html` : rest);
      response.setHeader('content-type', types[extname(file)] ?? 'application/octet-stream').end(await readFile(file));
    } catch {
      response.writeHead(404).end();
    }
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

let browser, loopback, pages, built;
before(async () => {
  if (skip) return;
  built = mkdtempSync(join(tmpdir(), 'chatcore-vite-'));
  await build({
    root: path('../../examples/vite'), base: '/vite/', logLevel: 'error', configFile: false,
    resolve: { alias: { chatcore: path('../dist/index.js') } }, build: { outDir: built, emptyOutDir: true },
  });
  loopback = await start();
  pages = await serve({ '/plain/chatcore/': path('../dist'), '/plain/': path('../../examples/web-plain'), '/vite/': built });
  browser = await chromium.launch({
    executablePath,
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
});
after(async () => {
  if (skip) return;
  await browser?.close();
  pages?.close();
  loopback?.stop();
  rmSync(built, { recursive: true, force: true });
});

const open = async (where, base) => {
  const page = await browser.newPage();
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  await page.goto(`http://127.0.0.1:${pages.address().port}/${where}/?base=${encodeURIComponent(base)}`);
  return { page, errors };
};

for (const where of ['plain', 'vite']) {
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
        const client = new LlmClient({ baseURL: `${base}/${path}/v1`, model: 'm', maxRetries: 1 });
        return (await client.chatStream('one two three', options).final()).text;
      } catch (error) {
        return error.name;
      }
    };
    let key = 'no error';
    try { new LlmClient({ apiKey: 'k' }); } catch (error) { key = error.code; }
    return {
      key, ok: await ask('ok'), limit: await ask('status/429'), truncated: await ask('no-terminal'),
      redirect: await ask('redirect/307/away'), reset: await ask('reset/start'),
      stall: await ask('keepalives/forever/5ms', { timeouts: { firstContent: 100 } }),
      abort: await ask('key/page/silent', { signal: AbortSignal.timeout(100) }),
    };
  }, loopback.base);
  assert.deepEqual(seen, {
    key: 'config', ok: 'echo: one two three', limit: 'RateLimitError', truncated: 'StreamError',
    redirect: 'StreamError', reset: 'ConnectionError', stall: 'TimeoutError', abort: 'AbortError',
  });
  assert.equal(await loopback.waitClosed('page'), 'client');
  assert.deepEqual(errors, []);
  await page.close();
});
