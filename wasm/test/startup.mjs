// How long a page waits for its first answer, in Chromium with a throttled network and processor, beside openai-node and
// Vercel's ai: `node test/startup.mjs`, which prints a table in Markdown.
//
// Each page imports one library, sends a chat, and records the time since its navigation. The files come from loopback,
// as gzip. A mock answers within the page; a chat goes to the server through the throttled network.
// ROUNDS is the number of rounds (5); DIST names further builds of this package to compare with: DIST=old=/path/to/dist.
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { launch, skip } from './chromium.mjs';
import { path } from './pages.mjs';

const ROUNDS = Number(process.env.ROUNDS ?? 5);
/** Chromium's own presets: latency in milliseconds, bytes a second. */
const NETWORKS = { 'Fast 4G': [165, 9e6 / 8 * 0.9, 1.5e6 / 8 * 0.9], 'Slow 4G': [562.5, 1.6e6 / 8 * 0.9, 0.75e6 / 8 * 0.9] };

if (skip) throw new Error(skip);

const ANSWER = { id: 'x', object: 'chat.completion', created: 1, model: 'm', choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'hi' } }] };
const MOCK = `fetch: async () => Response.json(${JSON.stringify(ANSWER)})`;

/** The program of each library's page; `more` is how it gets its answer. */
const ours = (file) => (isMock) => `import { LlmClient } from './${file}';
const answer = await new LlmClient({ baseURL: '/v1', model: 'm', ${isMock ? "mock: () => 'hi'" : ''} }).chatAsync('x');
done(answer.text);`;
const openai = (isMock) => `import OpenAI from 'openai-7';
const client = new OpenAI({ apiKey: 'k', dangerouslyAllowBrowser: true, baseURL: location.origin + '/v1', ${isMock ? MOCK : ''} });
const { choices } = await client.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'x' }] });
done(choices[0].message.content);`;
const vercel = (isMock) => `import { generateText } from 'ai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
const models = createOpenAICompatible({ name: 'x', baseURL: location.origin + '/v1', ${isMock ? MOCK : ''} });
done((await generateText({ model: models('m'), prompt: 'x' })).text);`;
const bundled = async (contents) => (await build({
  stdin: { contents, resolveDir: path('.') }, bundle: true, minify: true, write: false, format: 'esm', target: 'es2022', platform: 'browser',
})).outputFiles[0].text;

/** The files of each page, by their paths. */
const files = new Map();
const types = { js: 'text/javascript', wasm: 'application/wasm', html: 'text/html' };
const add = (at, content) => files.set(at, { body: gzipSync(content, { level: 9 }), brotli: brotliCompressSync(content).length, type: types[at.split('.').pop()] });
const names = [];

/** Adds the two pages of a library: `/NAME/` with a mock, and `/NAME/chat.html`. */
async function library(name, program, make = (contents) => contents, head = '') {
  for (const [file, isMock] of [['index.html', true], ['chat.html', false]]) {
    add(`/${name}/${file}`, `<!doctype html><meta charset=utf-8><link rel=icon href=data:,>${head}<script>
new PerformanceObserver((list) => { for (const { duration } of list.getEntries()) longest = Math.max(longest, duration); }).observe({ type: 'longtask', buffered: true });
var longest = 0; function done(text) { if (text !== 'hi') throw new Error(text); window.at = performance.now(); }
</script><script type=module>${await make(program(isMock))}</script>`);
  }
  names.push(name);
}

const builds = { chatcore: path('../dist'), ...Object.fromEntries((process.env.DIST ?? '').split(',').filter(Boolean).map((pair) => pair.split('='))) };
for (const [name, dist] of Object.entries(builds)) {
  const module = existsSync(join(dist, 'core-chat.wasm')) ? 'core-chat.wasm' : 'core.wasm';
  add(`/${name}/index.js`, readFileSync(join(dist, 'index.js')));
  await library(name, ours('index.js'));
  if (!existsSync(join(dist, 'asset.js'))) continue;
  for (const file of ['asset.js', module]) add(`/${name}/asset/${file}`, readFileSync(join(dist, file)));
  await library(`${name}/asset`, ours('asset.js'), undefined,
    `<link rel=preload href=./${module} as=fetch type=application/wasm crossorigin><link rel=modulepreload href=./asset.js>`);
}
await library('openai 7', openai, bundled);
await library('ai 7', vercel, bundled);

const server = createServer((request, response) => {
  if (request.method === 'POST') {
    request.resume().on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(ANSWER)));
    return;
  }
  const url = decodeURI(request.url);
  const file = files.get(url.endsWith('/') ? `${url}index.html` : url);
  if (!file) return response.writeHead(404).end();
  response.writeHead(200, { 'content-type': file.type, 'content-encoding': 'gzip', 'cache-control': 'max-age=3600' }).end(file.body);
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const base = `http://127.0.0.1:${server.address().port}`;

const browser = await launch();
const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1].toFixed(0);

/** Times of the first and the second visit, and the longest task of the first. */
async function visits(at, [latency, download, upload], rate) {
  const context = await browser.newContext();
  const seen = [];
  let task;
  for (let visit = 0; visit < 2; visit += 1) {
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    await session.send('Network.enable');
    await session.send('Network.emulateNetworkConditions', { offline: false, latency, downloadThroughput: download, uploadThroughput: upload });
    await session.send('Emulation.setCPUThrottlingRate', { rate });
    await page.goto(base + encodeURI(at), { waitUntil: 'commit' });
    await page.waitForFunction(() => window.at !== undefined, undefined, { timeout: 120_000, polling: 50 });
    seen.push(await page.evaluate(() => window.at));
    task ??= await page.evaluate(() => window.longest);
    await page.close();
  }
  await context.close();
  return [...seen, task];
}

console.log(`Milliseconds from navigation to the first answer (the same on the second visit; longest task): medians of ${ROUNDS}, load ${loadavg()[0].toFixed(1)}.\n`);
console.log(`| | ${names.join(' | ')} |\n|---|${names.map(() => '---|').join('')}`);
const weigh = (of) => names.map((name) => {
  const own = [...files].filter(([at]) => at.startsWith(`/${name}/`) && !at.slice(name.length + 2).includes('/') && !at.endsWith('chat.html'));
  return `${(own.reduce((sum, [, file]) => sum + of(file), 0) / 1000).toFixed(0)} KB`;
});
console.log(`| bytes on the wire, gzip | ${weigh(({ body }) => body.length).join(' | ')} |`);
console.log(`| the same as brotli | ${weigh(({ brotli }) => brotli).join(' | ')} |`);
for (const [network, conditions] of Object.entries(NETWORKS)) {
  for (const [what, file, rate] of [['mock', '', 1], ['mock', '', 4], ['chat', 'chat.html', 1]]) {
    // In turns, so that other load on the machine affects all libraries.
    const times = Object.fromEntries(names.map((name) => [name, []]));
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const name of names) times[name].push(await visits(`/${name}/${file}`, conditions, rate));
    }
    const cells = names.map((name) => {
      const [first, second, task] = [0, 1, 2].map((at) => median(times[name].map((seen) => seen[at])));
      return `${first} (${second}; ${task})`;
    });
    console.log(`| ${network}, ${rate} ×, a ${what} | ${cells.join(' | ')} |`);
  }
}
await browser.close();
server.close();
