// The packed tarball in Deno and Bun, without any configuration. A host without a program for this machine is skipped.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { project } from '../packed.mjs';
import { start } from '../server.mjs';
import { expected } from './expected.mjs';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const deno = path('node_modules/@deno/linux-x64-glibc/deno');
const bun = path('node_modules/@oven/bun-linux-x64/bin/bun');
const unless = (file) => (existsSync(file) ? false : 'not here: npm run test:hosts installs it');

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

// Results that one host has kept, each of the others reads; and a second run of the same files is kept out.
test('a batch in files, in each host', { skip: unless(deno) || unless(bun) }, async () => {
  writeFileSync(join(installed.folder, 'kept.mjs'), `
import { LlmClient } from 'chatcore';
import { fileJournal } from 'chatcore/journal';
const client = new LlmClient({ mock: true });
const place = fileJournal('kept.jsonl');
const items = ['a', { customId: 'bee', prompt: 'b' }];
const results = await client.processBatch(items, { journal: place });
const open = await place.open(client, items);
const refused = await place.open(client, items).catch((error) => error.providerCode);
await open.close();
console.log(JSON.stringify([results.map(({ value }) => value.text), client.status().started, refused]));
`);
  const answers = ['mock: a', 'mock: b'];
  assert.deepEqual(await run(process.execPath, 'kept.mjs'), [answers, 2, 'locked']);
  const leave = ['--allow-read=.', '--allow-write=.', '--allow-run=flock', '--allow-env'];
  assert.deepEqual(await run(deno, 'run', '--quiet', '--no-prompt', ...leave, 'kept.mjs'), [answers, 0, 'locked']);
  assert.deepEqual(await run(bun, 'kept.mjs'), [answers, 0, 'locked']);
});
