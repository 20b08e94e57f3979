// The entry `chatcore/asset`, whose modules are separate files, in Chromium: from a plain server, and in builds of the
// packed tarball with Vite and webpack without any configuration.
import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { build as vite } from 'vite';
import webpack from 'webpack';
import { launch, skip } from './chromium.mjs';
import { project } from './packed.mjs';
import { path, serve } from './pages.mjs';
import { start } from './server.mjs';

let browser, loopback, pages, installed;
before(async () => {
  if (skip) return;
  installed = project();
  const { folder } = installed;
  cpSync(path('../../examples/vite'), folder, { recursive: true, filter: (from) => !/node_modules|package\.json/.test(from) });
  const entry = join(folder, 'src/main.js');
  writeFileSync(entry, readFileSync(entry, 'utf8').replace("'chatcore'", "'chatcore/asset'"));
  const out = (name) => join(folder, 'built', name);
  await vite({ root: folder, base: '/vite/', logLevel: 'error', configFile: false, build: { outDir: out('vite'), emptyOutDir: true } });
  const stats = await new Promise((resolve, reject) => webpack(
    { mode: 'production', context: folder, entry, output: { path: out('webpack'), filename: 'main.js' }, performance: false },
    (error, stats) => (error ? reject(error) : resolve(stats))));
  assert.deepEqual(stats.toJson({ all: false, errors: true, warnings: true }), { errors: [], warnings: [] });
  const page = readFileSync(path('../../examples/vite/index.html'), 'utf8').replace('/src/main.js', './main.js');
  writeFileSync(join(out('webpack'), 'index.html'), page);
  loopback = await start();
  pages = await serve({
    '/plain/chatcore/': path('../dist'), '/untyped/chatcore/': path('../dist'), '/plain/': path('../../examples/web-plain'),
    '/vite/': out('vite'), '/webpack/': out('webpack'),
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

const open = async (where) => {
  const page = await browser.newPage();
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  await page.goto(`http://127.0.0.1:${pages.address().port}/${where}/?base=${encodeURIComponent(`${loopback.base}/every/1ms/v1`)}`);
  return { page, errors };
};

for (const where of ['vite', 'webpack']) {
  test(`${where}: a stream`, { skip }, async () => {
    const { page, errors } = await open(where);
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
    const { page, errors } = await open('plain');
    const seen = await page.evaluate(async ({ base, folder }) => {
      const { LlmClient } = await import(`/${folder}/chatcore/asset.js`);
      return (await new LlmClient({ baseURL: `${base}/ok/v1`, model: 'm' }).chatAsync('x')).text;
    }, { base: loopback.base, folder });
    assert.equal(seen, 'echo: x');
    assert.deepEqual(errors, []);
    await page.close();
  }
});
