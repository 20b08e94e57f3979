// The packed tarball in Deno, Bun and workerd (what Cloudflare Workers run on), none of which is told
// anything about it. A host that has no program for this machine is skipped.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { cpSync, existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { project } from '../packed.mjs';
import { start } from '../server.mjs';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const deno = path('node_modules/@deno/linux-x64-glibc/deno');
const bun = path('node_modules/@oven/bun-linux-x64/bin/bun');
const workerd = path('node_modules/@cloudflare/workerd-linux-64/bin/workerd');
const unless = (file) => (existsSync(file) ? false : 'not here: npm run test:hosts installs it');

/** What program.mjs must give. */
const expected = {
  whole: 'echo: 你好', streamed: 'echo: one two 三', many: 50, lines: 6, limited: 'RateLimitError rate_limited',
  truncated: 'StreamError truncated', reset: 'ConnectionError connection', redirect: 'StreamError protocol',
  stalled: 'TimeoutError timeout', aborted: 'AbortError aborted',
};

let installed, server;
before(async () => {
  installed = project();
  server = await start();
  cpSync(path('program.mjs'), join(installed.folder, 'program.mjs'));
  writeFileSync(join(installed.folder, 'run.mjs'),
    "import { program } from './program.mjs';\nconsole.log(JSON.stringify(await program(process.env.CHATCORE_BASE)));\n");
});
after(() => { installed.remove(); server.stop(); });

const run = async (file, ...words) => {
  const env = { ...process.env, CHATCORE_BASE: server.base };
  const { stdout } = await promisify(execFile)(file, words, { cwd: installed.folder, env });
  return JSON.parse(stdout);
};

test('Node, to compare', async () => { assert.deepEqual(await run(process.execPath, 'run.mjs'), expected); });

test('Deno', { skip: unless(deno) }, async () => {
  assert.deepEqual(await run(deno, 'run', '--quiet', '--no-prompt', '--allow-net=127.0.0.1', '--allow-env', 'run.mjs'), expected);
});

test('Deno without leave to read the environment', { skip: unless(deno) }, async () => {
  writeFileSync(join(installed.folder, 'bare.mjs'),
    `import { program } from './program.mjs';\nconsole.log(JSON.stringify(await program(${JSON.stringify(server.base)})));\n`);
  assert.deepEqual(await run(deno, 'run', '--quiet', '--no-prompt', '--allow-net=127.0.0.1', 'bare.mjs'), expected);
});

test('Bun', { skip: unless(bun) }, async () => { assert.deepEqual(await run(bun, 'run.mjs'), expected); });

test('workerd, several requests at once, with a client each and with one that has a place for each', { skip: unless(workerd) }, async () => {
  const { folder } = installed;
  writeFileSync(join(folder, 'worker.mjs'), `
import { LlmClient } from 'chatcore';
import { program } from './program.mjs';
const base = ${JSON.stringify(server.base)};
const make = () => new LlmClient({ baseURL: base + '/every/5ms/v1', model: 'm', workers: 50 });
const shared = make();
export default {
  async fetch(request) {
    const { pathname, search } = new URL(request.url);
    const client = search ? shared : make();
    try {
      if (pathname === '/program') return Response.json(await program(base));
      if (pathname === '/stream') return new Response(client.chatStream('one two three').toReadableStream());
      return new Response((await client.chatAsync(pathname)).text);
    } catch (error) {
      return new Response(String(error.stack), { status: 500 });
    }
  },
};
`);
  // As wrangler builds a worker: modules of WebAssembly stay beside it.
  await build({
    entryPoints: [join(folder, 'worker.mjs')], bundle: true, format: 'esm', outfile: join(folder, 'worker/worker.js'),
    conditions: ['workerd', 'worker', 'browser'], external: ['./core.wasm'], absWorkingDir: folder,
  });
  cpSync(join(folder, 'node_modules/chatcore/dist/core.wasm'), join(folder, 'worker/core.wasm'));
  const probe = createServer();
  await new Promise((listening) => probe.listen(0, '127.0.0.1', listening));
  const { port } = probe.address();
  await new Promise((closed) => probe.close(closed));
  writeFileSync(join(folder, 'worker/config.capnp'), `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .worker), (name = "internet", network = (allow = ["private", "local"]))],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js"), (name = "core.wasm", wasm = embed "core.wasm")],
  compatibilityDate = "2026-01-01",
);
`);
  const running = spawn(workerd, ['serve', 'config.capnp'], { cwd: join(folder, 'worker'), stdio: ['ignore', 'inherit', 'inherit'] });
  try {
    const at = `http://127.0.0.1:${port}`;
    for (let tries = 0; ; tries += 1) {
      try { await fetch(`${at}/`); break; } catch (error) { if (tries > 100) throw error; }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const answers = await Promise.all(Array.from({ length: 30 }, async (_, n) => (await fetch(`${at}/n${n}${n % 2 ? '?shared' : ''}`)).text()));
    assert.deepEqual(answers, Array.from({ length: 30 }, (_, n) => `echo: /n${n}`));
    const streams = await Promise.all(Array.from({ length: 30 }, async (_, n) => (await fetch(`${at}/stream${n % 2 ? '?shared' : ''}`)).text()));
    for (const lines of streams) assert.equal(JSON.parse(lines.trim().split('\n').at(-1)).type, 'finish');
    const said = await (await fetch(`${at}/program`)).text();
    assert.deepEqual(JSON.parse(said), expected);
  } finally {
    running.kill();
  }
});
