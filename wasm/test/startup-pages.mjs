// The pages of test/startup.mjs: the same small program with each library, built by Vite as its users build theirs.
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build as esbuild } from 'esbuild';
import { build as vite } from 'vite';
import { LlmClient } from '../dist/node.js';
import { toResponse } from '../dist/response.js';
import { path } from './pages.mjs';

/** What the server answers to a chat. */
export const ANSWER = { id: 'x', object: 'chat.completion', created: 1, model: 'm', choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'hi' } }] };

/** What a route with a client on the server answers. */
const routed = await toResponse(new LlmClient({ mock: () => 'hi' }).askStream('x'));
export const ROUTED = { type: routed.headers.get('content-type'), body: await routed.text() };

/** When the user of a page sends the chat that was typed, in milliseconds after navigation. */
const TYPED = 4000;

/** Each page tells how it went in these variables. `?mock` answers within the page, `?chat` sends a chat at once, `?typed` later. */
const REPORT = `var mode = location.search.slice(1), longest = 0, ready, took;
new PerformanceObserver((list) => { for (const { duration } of list.getEntries()) longest = Math.max(longest, duration); }).observe({ type: 'longtask', buffered: true });
async function run(ask) {
  ready = performance.now();
  const begin = mode === 'typed' ? Math.max(ready, ${TYPED}) : 0;
  if (begin > 0) await new Promise((resolve) => setTimeout(resolve, begin - ready));
  const from = begin && performance.now();
  if (await ask() !== 'hi') throw new Error('not the answer');
  took = performance.now() - from;
}`;

const MOCK = `mode === 'mock' && { fetch: async () => Response.json(${JSON.stringify(ANSWER)}) }`;
const CHATCORE = `import { LlmClient } from 'chatcore';
const client = new LlmClient({ baseURL: location.origin + '/v1', model: 'm', ...mode === 'mock' && { mock: () => 'hi' } });
run(async () => (await client.chatAsync('x')).text);`;
const RESPONSE = `import { readResponse } from 'chatcore/response';
const routed = ${JSON.stringify(ROUTED)};
run(async () => (await readResponse(mode === 'mock'
  ? new Response(routed.body, { headers: { 'content-type': routed.type } }) : fetch('/route', { method: 'POST', body: '{}' })).final()).text);`;
const OPENAI = `import OpenAI from 'openai-7';
const client = new OpenAI({ apiKey: 'k', dangerouslyAllowBrowser: true, baseURL: location.origin + '/v1', ...${MOCK} });
run(async () => (await client.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'x' }] })).choices[0].message.content);`;
const VERCEL = `import { generateText } from 'ai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
const models = createOpenAICompatible({ name: 'x', baseURL: location.origin + '/v1', ...${MOCK} });
run(async () => (await generateText({ model: models('m'), prompt: 'x' })).text);`;

const FETCH = `run(async () => {
  if (mode === 'mock') return 'hi';
  const response = await fetch('/v1/chat/completions', { method: 'POST', body: '{}' });
  return (await response.json()).choices[0].message.content;
});`;

const PRELOAD = '<link rel="preload" href="/node_modules/chatcore/dist/core-chat.wasm" as="fetch" type="application/wasm" crossorigin>';

const html = (head, script) => `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">${head}<script>${REPORT}</script>`
  + `<script type="module" src="${script}"></script>`;

// Below node_modules, so that the programs import the packages that are installed there.
const root = path('../node_modules/.startup');

/** A project with this program. `chatcore` is the folder of the package that it imports by that name. */
function project(name, program, { chatcore, head = '' }) {
  const folder = join(root, name);
  mkdirSync(join(folder, 'node_modules'), { recursive: true });
  if (chatcore) symlinkSync(chatcore, join(folder, 'node_modules/chatcore'));
  // Otherwise the project would belong to this package, whose name means the package itself.
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'page', type: 'module' }));
  writeFileSync(join(folder, 'main.js'), program);
  writeFileSync(join(folder, 'index.html'), html(head, './main.js'));
  return folder;
}

/** Builds a project with Vite, and returns its files by their names. */
async function byVite(folder) {
  const { output } = await vite({
    root: folder, base: './', configFile: false, logLevel: 'error', build: { write: false, target: 'es2022', assetsInlineLimit: 0 },
  });
  return new Map(output.map((file) => [file.fileName, file.type === 'chunk' ? file.code : file.source]));
}

/** Builds a project with esbuild, which leaves the URL of the module as it is. */
async function byEsbuild(folder) {
  const { outputFiles } = await esbuild({
    entryPoints: [join(folder, 'main.js')], bundle: true, splitting: true, minify: true, write: false, format: 'esm', target: 'es2022',
    platform: 'browser', outdir: '/', entryNames: '[name]', chunkNames: '[name]',
  });
  const files = new Map(outputFiles.map((file) => [file.path.slice(1), file.contents]));
  return files.set('index.html', html('', './main.js'));
}

/**
 * The files of each library's page, by the library's name. `others` are the folders of further builds of this package, by
 * their names.
 */
export async function pages(others) {
  rmSync(root, { recursive: true, force: true });
  const chatcore = path('..');
  const made = new Map([
    ['chatcore', await byVite(project('chatcore', CHATCORE, { chatcore }))],
    ['chatcore, preloaded', await byVite(project('preloaded', CHATCORE, { chatcore, head: PRELOAD }))],
    ['chatcore, in a chunk', await byEsbuild(project('chunk', CHATCORE, { chatcore }))],
    ['chatcore/response', await byVite(project('response', RESPONSE, { chatcore }))],
    ['openai 7', await byVite(project('openai', OPENAI, {}))],
    ['ai 7', await byVite(project('ai', VERCEL, {}))],
    ['a bare fetch', await byVite(project('fetch', FETCH, {}))],
  ]);
  for (const [name, folder] of Object.entries(others)) made.set(name, await byVite(project(name, CHATCORE, { chatcore: folder })));
  rmSync(root, { recursive: true, force: true });
  return made;
}
