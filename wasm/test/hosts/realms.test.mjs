// The packed tarball in Jest, with jsdom and with Node's environment, and in the edge runtime that Next.js uses.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { project } from '../packed.mjs';
import { start } from '../server.mjs';

const path = (name) => fileURLToPath(new URL(`node_modules/${name}`, import.meta.url));
const unless = (name) => (existsSync(path(name)) ? false : 'not here: npm run test:hosts installs it');

let installed, server;
before(async () => { [installed, server] = [project(), await start()]; });
after(() => { installed.remove(); server.stop(); });

async function jest(environment, text) {
  const { folder } = installed;
  writeFileSync(join(folder, 'chat.test.js'), text);
  const words = [path('jest/bin/jest.js'), '--rootDir', folder, '--env', environment, '--runInBand', '--watchman=false'];
  const { stderr } = await promisify(execFile)(process.execPath, words, { cwd: folder, env: { ...process.env, NODE_OPTIONS: '' } });
  assert.match(stderr, /2 passed/);
}

test('Jest with jsdom', { skip: unless('jest-environment-jsdom') }, async () => {
  await jest(path('jest-environment-jsdom'), `
const { AuthError, LlmClient } = require('chatcore');
const answer = { choices: [{ index: 0, message: { role: 'assistant', content: '你好' }, finish_reason: 'stop' }] };
const client = (status) => new LlmClient({ baseURL: '/v1', model: 'm', fetch: async () => ({ status, body: JSON.stringify(answer) }) });
test('a chat', async () => {
  expect((await client(200).chatAsync('x')).text).toBe('你好');
  expect(String(await new LlmClient({ mock: true }).chatStream('é').final())).toBe('mock: é');
}, 60000);
test('an error', async () => {
  await expect(client(401).chatAsync('x')).rejects.toThrow(AuthError);
}, 60000);
`);
});

test('Jest with the environment of Node', { skip: unless('jest') }, async () => {
  await jest('node', `
const { LlmClient, RateLimitError } = require('chatcore');
const client = (path) => new LlmClient({ baseURL: ${JSON.stringify(server.base)} + path, model: 'm', maxAttempts: 1 });
test('a chat', async () => {
  expect((await client('/ok/v1').chatAsync('你好')).text).toBe('echo: 你好');
  expect((await client('/every/1ms/v1').chatStream('one two').final()).text).toBe('echo: one two');
}, 60000);
test('an error', async () => {
  await expect(client('/status/429/v1').chatAsync('x')).rejects.toThrow(RateLimitError);
}, 60000);
`);
});

test('the edge runtime', { skip: unless('edge-runtime') }, async () => {
  const { folder } = installed;
  const entry = join(folder, 'edge.mjs');
  writeFileSync(entry, `
import { LlmClient, RateLimitError } from 'chatcore';
const base = ${JSON.stringify(server.base)};
const client = (path) => new LlmClient({ baseURL: base + path, model: 'm', apiKey: 'k', maxAttempts: 1 });
addEventListener('fetch', (event) => event.respondWith(answer()));
async function answer() {
  const whole = (await client('/ok/v1').chatAsync('你好')).text;
  const streamed = (await client('/every/1ms/v1').chatStream('one two').final()).text;
  const limited = await client('/status/429/v1').chatAsync('x').catch((error) => error instanceof RateLimitError);
  return Response.json({ whole, streamed, limited });
}
`);
  // As a bundler without a loader for WebAssembly does. Next.js, with its own, is in tools.test.mjs. The runtime runs a script.
  const outfile = join(folder, 'edge.js');
  await build({ entryPoints: [entry], bundle: true, format: 'iife', outfile, absWorkingDir: folder, conditions: ['worker', 'browser'] });
  const { EdgeRuntime } = await import(path('edge-runtime/dist/index.js'));
  const { default: module } = await import(path('edge-runtime/dist/index.js'));
  const Runtime = EdgeRuntime ?? module.EdgeRuntime;
  const runtime = new Runtime({ initialCode: readFileSync(outfile, 'utf8') });
  const response = await runtime.dispatchFetch('http://edge.example/');
  assert.deepEqual(await response.json(), { whole: 'echo: 你好', streamed: 'echo: one two', limited: true });
});
