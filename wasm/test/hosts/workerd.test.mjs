// The packed tarball in workerd, the runtime of Cloudflare Workers. A timer, a request or a stream there belongs to
// the incoming request that made it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { project } from '../packed.mjs';
import { start } from '../server.mjs';
import { expected } from './expected.mjs';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const workerd = path('node_modules/@cloudflare/workerd-linux-64/bin/workerd');
const skip = existsSync(workerd) ? false : 'not here: npm run test:hosts installs it';

let installed, server;
before(async () => { if (!skip) [installed, server] = [project(), await start()]; });
after(() => { installed?.remove(); server?.stop(); });

async function freePort() {
  const probe = createServer();
  await new Promise((listening) => probe.listen(0, '127.0.0.1', listening));
  const { port } = probe.address();
  await new Promise((closed) => probe.close(closed));
  return port;
}

/** Runs the worker of worker.mjs; `get` sends it a request. */
async function worker(compatibilityDate) {
  const { folder } = installed;
  cpSync(path('program.mjs'), join(folder, 'program.mjs'));
  writeFileSync(join(folder, 'worker.mjs'), readFileSync(path('worker.mjs'), 'utf8').replace('CHATCORE_BASE', server.base));
  // As wrangler builds a worker: WebAssembly modules stay separate files.
  await build({
    entryPoints: [join(folder, 'worker.mjs')], bundle: true, format: 'esm', outfile: join(folder, 'worker/worker.js'),
    conditions: ['workerd', 'worker', 'browser'], external: ['./core.wasm'], absWorkingDir: folder,
  });
  cpSync(join(folder, 'node_modules/chatcore/dist/core.wasm'), join(folder, 'worker/core.wasm'));
  const port = await freePort();
  writeFileSync(join(folder, 'worker/config.capnp'), `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .worker), (name = "internet", network = (allow = ["private", "local"]))],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js"), (name = "core.wasm", wasm = embed "core.wasm")],
  compatibilityDate = "${compatibilityDate}",
);
`);
  const running = spawn(workerd, ['serve', 'config.capnp'], { cwd: join(folder, 'worker'), stdio: ['ignore', 'inherit', 'ignore'] });
  const get = async (route, text = '', signal) => {
    const response = await fetch(`http://127.0.0.1:${port}${route}?text=${encodeURIComponent(text)}`, { signal });
    const body = await response.text();
    assert.equal(response.status, 200, body);
    return body;
  };
  for (let tries = 0; ; tries += 1) {
    try { await get('/status'); break; } catch (error) { if (tries > 400) throw error; }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { get, stop: () => running.kill('SIGKILL') };
}

const times = (count, each) => Promise.all(Array.from({ length: count }, (_, n) => each(`n${n}`)));

// Until 2024-10, code after a promise continued in the request that resolved it, and not in the request that awaits it.
for (const date of ['2024-01-01', '2026-01-01']) {
  test(`workerd as of ${date}`, { skip }, async (t) => {
    const { get, stop } = await worker(date);
    t.after(stop);
    const isEcho = (answers) => answers.forEach((answer, n) => assert.equal(answer, `echo: n${n}`));

    await t.test('everything, as in other hosts', async () => {
      assert.deepEqual(JSON.parse(await get('/program')), expected);
    });
    await t.test('a client for each request', async () => isEcho(await times(20, (text) => get('/own', text))));
    await t.test('one client for all, with fewer places than requests', async () => {
      isEcho(await times(20, (text) => get('/shared', text)));
      for (const lines of await times(20, (text) => get('/stream', text))) {
        assert.equal(JSON.parse(lines.trim().split('\n').at(-1)).type, 'finish');
      }
    });
    await t.test('one client for all, with limits', async () => isEcho(await times(20, (text) => get('/limited', text))));
    await t.test('one limiter for all, also where some of those that wait are gone', async () => {
      const signal = AbortSignal.timeout(50);
      const gone = times(5, (text) => get('/turn', text, signal).catch(() => {}));
      isEcho(await times(20, (text) => get('/turn', text)));
      await gone;
    });
    await t.test('calls of requests that are gone give back their places', async () => {
      await times(8, (text) => get('/forgotten', text));
      isEcho(await times(3, (text) => get('/slow', text)));
    });
    await t.test('aborting what belongs to another request does no harm', async () => {
      await get('/open');
      assert.equal(await get('/abort'), 'aborted');
      isEcho(await times(8, (text) => get('/shared', text)));
      isEcho(await times(8, (text) => get('/own', text)));
    });
  });
}
