// How long a page waits for its first answer, in Chromium with a throttled network and processor: `node test/startup.mjs`.
// Each page imports one entry, asks a mock, and notes the time since its navigation; the bytes come from loopback, gzip.
// DIST names further builds of this package to compare with: DIST=old=/path/to/dist.
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { launch, skip } from './chromium.mjs';
import { path } from './pages.mjs';

const ROUNDS = Number(process.env.ROUNDS ?? 5);
/** Chromium's own presets: latency in milliseconds, bytes a second. */
const NETWORKS = { 'Fast 4G': [165, 9e6 / 8 * 0.9, 1.5e6 / 8 * 0.9], 'Slow 4G': [562.5, 1.6e6 / 8 * 0.9, 0.75e6 / 8 * 0.9] };

if (skip) throw new Error(skip);

const ours = (file) => `import { LlmClient } from './${file}';
const answer = await new LlmClient({ mock: () => 'hi' }).chatAsync('x');
done(answer.text);`;
const openai = `import OpenAI from 'openai';
const answer = { id: 'x', object: 'chat.completion', choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'hi' } }] };
const client = new OpenAI({ apiKey: 'k', dangerouslyAllowBrowser: true, fetch: async () => Response.json(answer) });
const { choices } = await client.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'x' }] });
done(choices[0].message.content);`;
const bundled = async (contents) => (await build({
  stdin: { contents, resolveDir: path('.') }, bundle: true, minify: true, write: false, format: 'esm', target: 'es2022', platform: 'browser',
})).outputFiles[0].text;

/** The files of each page, by their paths. */
const files = new Map();
const types = { js: 'text/javascript', wasm: 'application/wasm', html: 'text/html' };
const add = (at, content) => files.set(at, { body: gzipSync(content, { level: 9 }), type: types[at.split('.').pop()] });
const page = (name, program, head = '') => {
  add(`/${name}/index.html`, `<!doctype html><meta charset=utf-8><link rel=icon href=data:,>${head}<script>
new PerformanceObserver((list) => { for (const { duration } of list.getEntries()) longest = Math.max(longest, duration); }).observe({ type: 'longtask', buffered: true });
var longest = 0; function done(text) { if (text !== 'hi') throw new Error(text); window.at = performance.now(); }
</script><script type=module>${program}</script>`);
};
const builds = { now: path('../dist'), ...Object.fromEntries((process.env.DIST ?? '').split(',').filter(Boolean).map((pair) => pair.split('='))) };
const names = [];
for (const [build, dist] of Object.entries(builds)) {
  const module = existsSync(join(dist, 'core-chat.wasm')) ? 'core-chat.wasm' : 'core.wasm';
  for (const [entry, extra, head] of [
    ['index.js', [], ''],
    ['asset.js', [module], `<link rel=preload href=./${module} as=fetch type=application/wasm crossorigin>`],
  ]) {
    const name = `${build}-${entry.replace('.js', '')}`;
    try {
      for (const file of [entry, ...extra]) add(`/${name}/${file}`, readFileSync(join(dist, file)));
    } catch {
      continue;
    }
    page(name, ours(entry), head);
    names.push(name);
  }
}
page('openai', await bundled(openai));
names.push('openai');

const server = createServer(({ url }, response) => {
  const file = files.get(url.endsWith('/') ? `${url}index.html` : url);
  if (!file) return response.writeHead(404).end();
  response.writeHead(200, { 'content-type': file.type, 'content-encoding': 'gzip', 'cache-control': 'max-age=3600' }).end(file.body);
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const base = `http://127.0.0.1:${server.address().port}`;

const median = (list) => list.sort((a, b) => a - b)[list.length >> 1];
const browser = await launch();
for (const name of names) {
  const sum = [...files].filter(([at]) => at.startsWith(`/${name}/`)).reduce((sum, [, { body }]) => sum + body.length, 0);
  console.log(`${name}: ${(sum / 1000).toFixed(0)} KB, gzip`);
}
console.log(`milliseconds from navigation to the first answer of a mock (longest task); medians of ${ROUNDS}`);
for (const [network, [latency, download, upload]] of Object.entries(NETWORKS)) {
  for (const rate of [1, 4]) {
    const cells = [];
    for (const name of names) {
      const times = { first: [], second: [], task: [] };
      for (let round = 0; round < ROUNDS; round += 1) {
        const context = await browser.newContext();
        for (const visit of ['first', 'second']) {
          const page = await context.newPage();
          const session = await context.newCDPSession(page);
          await session.send('Network.enable');
          await session.send('Network.emulateNetworkConditions', { offline: false, latency, downloadThroughput: download, uploadThroughput: upload });
          await session.send('Emulation.setCPUThrottlingRate', { rate });
          await page.goto(`${base}/${name}/`, { waitUntil: 'commit' });
          await page.waitForFunction(() => window.at !== undefined, undefined, { timeout: 120_000, polling: 50 });
          times[visit].push(await page.evaluate(() => window.at));
          if (visit === 'first') times.task.push(await page.evaluate(() => window.longest));
          await page.close();
        }
        await context.close();
      }
      cells.push(`${name} ${median(times.first).toFixed(0)} (${median(times.task).toFixed(0)}), again ${median(times.second).toFixed(0)}`);
    }
    console.log(`${network}, ${rate} ×: ${cells.join(' | ')}`);
  }
}
await browser.close();
server.close();
