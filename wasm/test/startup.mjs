// How long a page waits for its first answer, in Chromium with a throttled network and processor, beside openai-node and
// Vercel's ai: `node test/startup.mjs`, which prints a table in Markdown.
//
// Each page is a project of Vite with one library. The files come from loopback, as gzip. A mock answers within the page; a
// chat goes to the server through the throttled network. The bytes on the wire are those that a page has asked for when it
// has its answer. The columns of chatcore:
// - as Vite builds it;
// - with a link that preloads the module;
// - as esbuild builds it, which leaves the URL of the module as it is, so that the module comes from a chunk;
// - `chatcore/response`: a page that leaves the client to a route of its server.
// The column of a bare fetch is what the network alone takes.
// ROUNDS is the number of rounds (5); OTHERS names the folders of further builds of this package to compare with:
// OTHERS=old=/path/to/wasm.
import { createServer } from 'node:http';
import { loadavg } from 'node:os';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { launch, skip } from './chromium.mjs';
import { ANSWER, pages, ROUTED } from './startup-pages.mjs';

const ROUNDS = Number(process.env.ROUNDS ?? 5);
/** Chromium's own presets: latency in milliseconds, bytes a second. */
const NETWORKS = { 'Fast 4G': [165, 9e6 / 8 * 0.9, 1.5e6 / 8 * 0.9], 'Slow 4G': [562.5, 1.6e6 / 8 * 0.9, 0.75e6 / 8 * 0.9] };
const ROWS = [['mock', 1], ['mock', 4], ['chat', 1], ['typed', 1]];
const WORDS = { mock: 'a mock', chat: 'a chat at once', typed: 'a chat after typing' };

if (skip) throw new Error(skip);

const others = Object.fromEntries((process.env.OTHERS ?? '').split(',').filter(Boolean).map((pair) => pair.split('=')));
const built = await pages(others);
const names = [...built.keys()];
const types = { js: 'text/javascript', wasm: 'application/wasm', html: 'text/html' };
/** The files of all pages, by their paths. */
const files = new Map();
for (const [place, of] of [...built.values()].entries()) {
  for (const [name, content] of of) {
    const gzip = gzipSync(content, { level: 9 });
    files.set(`/${place}/${name}`, { gzip, brotli: brotliCompressSync(content).length, type: types[name.split('.').pop()] ?? 'application/octet-stream' });
  }
}

/** The bytes that each page has asked for, by its number, as gzip and as brotli. */
const weights = names.map(() => ({ gzip: 0, brotli: 0 }));
const server = createServer((request, response) => {
  if (request.method === 'POST') {
    const { type, body } = request.url === '/route' ? ROUTED : { type: 'application/json', body: JSON.stringify(ANSWER) };
    request.resume().on('end', () => response.writeHead(200, { 'content-type': type }).end(body));
    return;
  }
  const { pathname } = new URL(request.url, 'http://x');
  const file = files.get(pathname.endsWith('/') ? `${pathname}index.html` : pathname);
  if (!file) return response.writeHead(404).end();
  const weight = weights[Number(pathname.split('/')[1])];
  weight.gzip += file.gzip.length;
  weight.brotli += file.brotli;
  response.writeHead(200, { 'content-type': file.type, 'content-encoding': 'gzip', 'cache-control': 'max-age=3600' }).end(file.gzip);
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
    await page.goto(base + at, { waitUntil: 'commit' });
    await page.waitForFunction(() => window.took !== undefined, undefined, { timeout: 120_000, polling: 50 });
    seen.push(await page.evaluate(() => window.took));
    first ??= await page.evaluate(() => [window.longest, window.ready]);
    await page.close();
  }
  await context.close();
  return [...seen, ...first];
}

for (const place of names.keys()) {
  Object.assign(weights[place], { gzip: 0, brotli: 0 });
  await visits(`/${place}/?mock`, NETWORKS['Fast 4G'], 1);
}
const bytes = weights.map((weight) => ({ ...weight }));
console.log(`Milliseconds from navigation to the first answer (the same on the second visit; longest task; when the program ran): medians of ${ROUNDS}, load ${loadavg()[0].toFixed(1)}.\n`);
console.log(`| | ${names.join(' | ')} |\n|---|${names.map(() => '---|').join('')}`);
for (const form of ['gzip', 'brotli']) console.log(`| bytes on the wire, ${form} | ${bytes.map((of) => `${(of[form] / 1000).toFixed(0)} KB`).join(' | ')} |`);
for (const [network, conditions] of Object.entries(NETWORKS)) {
  for (const [mode, rate] of ROWS) {
    // In turns, so that other load on the machine affects all libraries.
    const times = names.map(() => []);
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const place of names.keys()) times[place].push(await visits(`/${place}/?${mode}`, conditions, rate));
    }
    const cells = times.map((of) => {
      const [first, second, task, ran] = [0, 1, 2, 3].map((at) => median(of.map((seen) => seen[at])));
      return `${first} (${second}; ${task}; ${ran})`;
    });
    console.log(`| ${network}, ${rate} ×, ${WORDS[mode]} | ${cells.join(' | ')} |`);
  }
}
await browser.close();
server.close();
