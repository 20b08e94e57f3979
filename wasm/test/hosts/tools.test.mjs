// The packed tarball in bundlers, without any configuration: each builds a page that uses two dialects, and the page runs
// in Chromium.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build as viteBuild, createServer as viteServer } from 'vite';
import { launch, skip } from '../chromium.mjs';
import { project, wasm } from '../packed.mjs';
import { serve } from '../pages.mjs';
import { start } from '../server.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const tool = (name) => join(here, 'node_modules', name);
const need = (name) => skip || (existsSync(tool(name)) ? false : 'not here: npm run test:hosts installs it');
const require = createRequire(import.meta.url);
const BOTH = 'echo: hi, hello';

let installed, loopback, browser;
before(async () => {
  if (skip) return;
  [installed, loopback, browser] = [project(), await start(), await launch()];
  cpSync(join(here, 'pages'), installed.folder, { recursive: true });
  cpSync(join(installed.folder, 'node_modules/chatcore'), tool('chatcore'), { recursive: true });
});
after(async () => {
  if (skip) return;
  await browser.close();
  loopback.stop();
  installed.remove();
  rmSync(tool('chatcore'), { recursive: true, force: true });
});

const out = (name) => join(installed.folder, 'built', name);

/** The final text of a page. A page that preloads the module must ask for it once. */
async function answerOf(origin, at = '', preloads = false) {
  const page = await browser.newPage();
  const errors = [];
  const modules = [];
  page.on('request', (request) => { if (/core-chat[^/]*\.wasm$/.test(request.url())) modules.push(request.url()); });
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => { if (message.type() === 'error') errors.push(message.text()); });
  try {
    await page.goto(`${origin}/${at}?base=${encodeURIComponent(loopback.base)}`);
    await page.waitForFunction(() => document.querySelector('#answer')?.textContent, undefined, { timeout: 120_000 })
      .catch(() => assert.fail(`no answer: ${errors.join('; ')}`));
    if (preloads) {
      const links = await page.$$eval('link[rel=preload][as=fetch]', (all) => all.map(({ href }) => href));
      assert.deepEqual(modules, links, 'the link and the package name the same file, which came once');
    }
    return await page.textContent('#answer');
  } finally {
    await page.close();
  }
}

/** The final text of the page in a built folder. */
async function served(folder, at = '', preloads = false) {
  const pages = await serve({ '/': folder });
  try {
    return await answerOf(`http://127.0.0.1:${pages.address().port}`, at, preloads);
  } finally {
    pages.close();
  }
}

/** What the documentation says for pages whose tool replaces the path by that of the file in its output. */
const PRELOAD = '<link rel="preload" href="NODE_MODULES/chatcore/dist/core-chat.wasm" as="fetch" type="application/wasm" crossorigin>';

/** A copy of the page that imports another entry, with a link that preloads the module from this folder. */
function pageOf(entry, modules) {
  const folder = join(installed.folder, `page-${entry.replaceAll('/', '-')}`);
  mkdirSync(folder, { recursive: true });
  for (const name of ['index.html', 'main.js']) cpSync(join(here, 'pages', name), join(folder, name));
  if (modules) {
    const page = readFileSync(join(folder, 'index.html'), 'utf8');
    writeFileSync(join(folder, 'index.html'), page.replace('<p ', `${PRELOAD.replace('NODE_MODULES', modules)}\n<p `));
  }
  writeFileSync(join(folder, 'program.js'), readFileSync(join(here, 'pages/program.js'), 'utf8').replace("'chatcore'", `'${entry}'`));
  return folder;
}

for (const entry of ['chatcore', 'chatcore/asset', 'chatcore/whole']) {
  const isWhole = entry === 'chatcore/whole';
  test(`Vite, built: ${entry}`, { skip }, async () => {
    const outDir = out(`vite-${entry.replaceAll('/', '-')}`);
    await viteBuild({ root: pageOf(entry, isWhole ? undefined : '../node_modules'), logLevel: 'error', configFile: false, build: { outDir, emptyOutDir: true, target: 'es2022' } });
    assert.equal(await served(outDir, '', !isWhole), BOTH);
  });

  test(`Vite's server while one writes: ${entry}`, { skip }, async () => {
    const root = pageOf(entry);
    const server = await viteServer({ root, logLevel: 'error', configFile: false, server: { host: '127.0.0.1', port: 0, ws: false }, cacheDir: out('vite-cache') });
    await server.listen();
    try {
      assert.equal(await answerOf(`http://127.0.0.1:${server.httpServer.address().port}`), BOTH);
    } finally {
      await server.close();
    }
  });
}

test('Rollup', { skip: need('rollup') }, async () => {
  const { rollup } = require('rollup');
  const { nodeResolve } = require('@rollup/plugin-node-resolve');
  const bundle = await rollup({ input: join(installed.folder, 'main.js'), plugins: [nodeResolve({ browser: true })], onwarn: (warning) => assert.fail(warning.message) });
  await bundle.write({ dir: out('rollup'), format: 'es' });
  cpSync(join(here, 'pages/index.html'), join(out('rollup'), 'index.html'));
  assert.equal(await served(out('rollup')), BOTH);
});

for (const entry of ['chatcore', 'chatcore/asset']) {
  test(`Parcel: ${entry}`, { skip: need('parcel') }, async () => {
    const distDir = out(`parcel-${entry.replaceAll('/', '-')}`);
    const words = [join(tool('parcel'), 'lib/bin.js'), 'build', join(pageOf(entry, '../node_modules'), 'index.html'), '--dist-dir', distDir, '--public-url', './', '--no-cache', '--no-source-maps'];
    await promisify(execFile)(process.execPath, words, { cwd: installed.folder });
    assert.equal(await served(distDir, '', true), BOTH);
  });
}

// With webpack, Next.js 16.4 cannot build any route for the edge runtime.
for (const [bundler, routes] of [['turbopack', ['node', 'edge']], ['webpack', ['node']]]) {
  test(`Next.js with ${bundler}: a page, and routes on ${routes}`, { skip: need('next') }, async () => {
    const root = join(here, `.next-${bundler}`);
    rmSync(root, { recursive: true, force: true });
    cpSync(join(here, 'next'), root, { recursive: true });
    if (!routes.includes('edge')) rmSync(join(root, 'app/api/edge'), { recursive: true });
    const bin = join(tool('next'), 'dist/bin/next');
    const options = { cwd: root, env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: 'production' } };
    await promisify(execFile)(process.execPath, [bin, 'build', `--${bundler}`], options).catch(({ stdout, stderr }) => assert.fail(stdout + stderr));
    const server = spawn(process.execPath, [bin, 'start', '-H', '127.0.0.1', '-p', '0'], { ...options, stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const origin = await new Promise((resolve, reject) => {
        let said = '';
        server.stdout.on('data', (text) => {
          const [found] = /http:\/\/127\.0\.0\.1:\d+/.exec(said += text) ?? [];
          if (found) resolve(found);
        });
        server.on('exit', () => reject(new Error(said)));
      });
      assert.equal(await answerOf(origin, '', true), BOTH);
      for (const route of routes) {
        const response = await fetch(`${origin}/api/${route}?base=${encodeURIComponent(loopback.base)}`);
        assert.equal(await response.text(), 'echo: hi', route);
      }
    } finally {
      server.kill();
      rmSync(root, { recursive: true });
    }
  });
}

test('a web worker and a service worker, from a plain server', { skip }, async () => {
  cpSync(join(wasm, 'dist'), out('plain/chatcore'), { recursive: true });
  cpSync(join(here, 'pages'), out('plain'), { recursive: true });
  assert.equal(await served(out('plain'), 'worker.html'), 'echo: hi');
  assert.equal(await served(out('plain'), 'service.html'), BOTH);
});

test('Vitest', { skip: need('vitest') }, async () => {
  const { folder } = installed;
  writeFileSync(join(folder, 'chat.test.mjs'), `
import { expect, test } from '${join(tool('vitest'), 'dist/index.js')}';
import { LlmClient, LlmError } from 'chatcore';
const base = ${JSON.stringify(loopback.base)};
const client = (path) => new LlmClient({ baseURL: base + path, model: 'm', maxAttempts: 1 });
test('a chat', async () => { expect((await client('/ok/v1').ask('hi')).text).toBe('echo: hi'); }, 60000);
test('an error', async () => { await expect(client('/status/429/v1').ask('x')).rejects.toThrow(LlmError); }, 60000);
`);
  const { stdout } = await promisify(execFile)(process.execPath, [join(tool('vitest'), 'vitest.mjs'), 'run', '--root', folder, '--dir', folder, 'chat.test.mjs'], { cwd: folder, env: { ...process.env, NO_COLOR: '1' } })
    .catch((error) => error);
  assert.match(stdout, /2 passed/);
});
