// How long a page waits for its first answer, in Chromium with a throttled network and processor, beside openai-node and
// Vercel's ai: `node test/startup.mjs`, which prints a table in Markdown.
//
// Each page imports one library, sends a chat, and records the time since its navigation. The files come from loopback,
// as gzip. A mock answers within the page; a chat goes to the server through the throttled network.
// The columns of chatcore: the default entry; a build of it by a bundler that leaves the URL of the module as it is, so that
// the module comes from a chunk; and `chatcore/asset` with a link that preloads the module.
// ROUNDS is the number of rounds (5); DIST names further builds of this package to compare with: DIST=old=/path/to/dist.
import { readFileSync } from 'node:fs';
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
ready = performance.now();
const answer = await new LlmClient({ baseURL: '/v1', model: 'm', ${isMock ? "mock: () => 'hi'" : ''} }).chatAsync('x');
done(answer.text);`;
const openai = (isMock) => `import OpenAI from 'openai-7';
ready = performance.now();
const client = new OpenAI({ apiKey: 'k', dangerouslyAllowBrowser: true, baseURL: location.origin + '/v1', ${isMock ? MOCK : ''} });
const { choices } = await client.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'x' }] });
done(choices[0].message.content);`;
const vercel = (isMock) => `import { generateText } from 'ai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
ready = performance.now();
const models = createOpenAICompatible({ name: 'x', baseURL: location.origin + '/v1', ${isMock ? MOCK : ''} });
done((await generateText({ model: models('m'), prompt: 'x' })).text);`;
const bundled = async (contents) => (await build({
  stdin: { contents, resolveDir: path('.') }, bundle: true, minify: true, write: false, format: 'esm', target: 'es2022', platform: 'browser',
})).outputFiles[0].text;

/** The files of each page, by their paths. */
const files = new Map();
const types = { js: 'text/javascript', wasm: 'application/wasm', html: 'text/html' };
const add = (at, content) => files.set(at, { body: gzipSync(content, { level: 9 }), brotli: brotliCompressSync(content).length, type: types[at.split('.').pop()] });
/** The files that each library's page loads, by the library's name. */
const loads = {};
const names = [];

/** Adds the two pages of a library: `/NAME/` with a mock, and `/NAME/chat.html`. `more` are the other files that it loads. */
async function library(name, program, more = [], make = (contents) => contents, head = '') {
  for (const [file, isMock] of [['index.html', true], ['chat.html', false]]) {
    add(`/${name}/${file}`, `<!doctype html><meta charset=utf-8><link rel=icon href=data:,>${head}<script>
new PerformanceObserver((list) => { for (const { duration } of list.getEntries()) longest = Math.max(longest, duration); }).observe({ type: 'longtask', buffered: true });
var longest = 0, ready; function done(text) { if (text !== 'hi') throw new Error(text); window.at = performance.now(); }
</script><script type=module>${await make(program(isMock))}</script>`);
  }
  names.push(name);
  loads[name] = [`/${name}/index.html`, ...more];
}

/** The files that esbuild makes of chatcore's default entry, by their names; the program is `main.js`. */
async function chunked(dist) {
  const { outputFiles } = await build({
    stdin: { contents: `export * from './index.js'`, resolveDir: dist, sourcefile: 'main.js' }, bundle: true, splitting: true, minify: true,
    write: false, format: 'esm', target: 'es2022', platform: 'browser', outdir: '/', entryNames: 'main', chunkNames: '[name]',
  });
  return new Map(outputFiles.map(({ path: at, text }) => [at.slice(1), text]));
}

const builds = { chatcore: path('../dist'), ...Object.fromEntries((process.env.DIST ?? '').split(',').filter(Boolean).map((pair) => pair.split('='))) };
for (const [name, dist] of Object.entries(builds)) {
  const read = (file) => readFileSync(join(dist, file));
  const isFile = !read('index.js').includes('CHATCORE_WASM');
  const [at, own] = [`/${name}/index.js`, `/${name}/core-chat.wasm`];
  add(at, read('index.js'));
  if (isFile) add(own, read('core-chat.wasm'));
  await library(name, ours('index.js'), isFile ? [at, own] : [at]);
  if (isFile) {
    // Not in a folder whose name begins with `chatcore`, where the module would be asked for first.
    const folder = `chunk of ${name}`;
    for (const [file, text] of await chunked(dist)) add(`/${folder}/${file}`, text);
    await library(folder, ours('main.js'), ['main.js', 'core-chat.js'].map((file) => `/${folder}/${file}`));
  }
  for (const file of ['asset.js', 'core-chat.wasm']) add(`/${name}/asset/${file}`, read(file));
  await library(`${name}/asset`, ours('asset.js'), ['asset.js', 'core-chat.wasm'].map((file) => `/${name}/asset/${file}`), undefined,
    '<link rel=preload href=./core-chat.wasm as=fetch type=application/wasm crossorigin><link rel=modulepreload href=./asset.js>');
}
await library('openai 7', openai, [], bundled);
await library('ai 7', vercel, [], bundled);

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

/** Times of the first and the second visit, the longest task of the first, and when its program ran. */
async function visits(at, [latency, download, upload], rate) {
  const context = await browser.newContext();
  const seen = [];
  let first;
  for (let visit = 0; visit < 2; visit += 1) {
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    await session.send('Network.enable');
    await session.send('Network.emulateNetworkConditions', { offline: false, latency, downloadThroughput: download, uploadThroughput: upload });
    await session.send('Emulation.setCPUThrottlingRate', { rate });
    await page.goto(base + encodeURI(at), { waitUntil: 'commit' });
    await page.waitForFunction(() => window.at !== undefined, undefined, { timeout: 120_000, polling: 50 });
    seen.push(await page.evaluate(() => window.at));
    first ??= await page.evaluate(() => [window.longest, window.ready]);
    await page.close();
  }
  await context.close();
  return [...seen, ...first];
}

console.log(`Milliseconds from navigation to the first answer (the same on the second visit; longest task; when the program ran): medians of ${ROUNDS}, load ${loadavg()[0].toFixed(1)}.\n`);
console.log(`| | ${names.join(' | ')} |\n|---|${names.map(() => '---|').join('')}`);
const weigh = (of) => names.map((name) => `${(loads[name].reduce((sum, at) => sum + of(files.get(at)), 0) / 1000).toFixed(0)} KB`);
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
      const [first, second, task, ran] = [0, 1, 2, 3].map((at) => median(times[name].map((seen) => seen[at])));
      return `${first} (${second}; ${task}; ${ran})`;
    });
    console.log(`| ${network}, ${rate} ×, a ${what} | ${cells.join(' | ')} |`);
  }
}
await browser.close();
server.close();
