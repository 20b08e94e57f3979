// The packed tarball in an empty project: ESM, `require`, slim, declarations, its own checks.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { project, wasm } from './packed.mjs';

const bin = (name) => join(wasm, 'node_modules', '.bin', name);
let folder, tarball, run, remove;
before(() => { ({ folder, tarball, run, remove } = project()); });
after(() => remove());

test('as a module', () => {
  writeFileSync(join(folder, 'a.mjs'),
    "import { LlmClient } from 'chatcore';\nconsole.log(String(await new LlmClient({ mock: true }).chatAsync('hi')));\n");
  assert.equal(run('node', ['a.mjs']), 'mock: hi\n');
});

test('by require', () => {
  writeFileSync(join(folder, 'b.cjs'),
    "const { LlmClient } = require('chatcore');\nnew LlmClient({ mock: true }).chatAsync('hi').then((answer) => console.log(answer.text));\n");
  assert.equal(run('node', ['b.cjs']), 'mock: hi\n');
});

test('slim, with a module of its own', () => {
  writeFileSync(join(folder, 'c.mjs'), `
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { LlmClient, setWasm } from 'chatcore/slim';
setWasm(() => readFile(fileURLToPath(import.meta.resolve('chatcore/core.wasm'))));
console.log(String(await new LlmClient({ mock: true }).chatAsync('hi')));
`);
  assert.equal(run('node', ['c.mjs']), 'mock: hi\n');
});

test('declarations, strict, under NodeNext and bundler resolution', () => {
  writeFileSync(join(folder, 'd.mts'), `
import { LlmClient, TimeoutError, type ChatEvent, type Settled, type ChatResponse } from 'chatcore';
import { setWasm } from 'chatcore/slim';
const client = new LlmClient({ provider: 'openai', apiKey: async () => 'k' });
const text: string = (await client.chatAsync('x', { temperature: 0.2, maxTokens: 5 })).text;
for await (const event of client.chatStream('x')) { const seen: ChatEvent = event; if (seen.type === 'text') text.concat(seen.text); }
const all: Settled<ChatResponse>[] = await client.processBatch(['a', { prompt: 'b', seed: 1 }]);
const phase = new TimeoutError('x', { code: 'timeout' }).phase; phase satisfies string; all.length; void setWasm;
`);
  writeFileSync(join(folder, 'e.cts'), "import chatcore = require('chatcore');\nexport const client: chatcore.LlmClient = new chatcore.LlmClient();\n");
  for (const [module, files] of [['nodenext', ['d.mts', 'e.cts']], ['bundler', ['d.mts']]]) {
    run(bin('tsc'), ['--strict', '--noEmit', '--target', 'es2022', '--lib', 'es2022,dom,dom.iterable,esnext.disposable',
      '--module', module === 'bundler' ? 'esnext' : module, '--moduleResolution', module, ...files]);
  }
});

test('publint and are-the-types-wrong are clean', () => {
  run(bin('publint'), ['--strict', wasm]);
  run(bin('attw'), [tarball, '--exclude-entrypoints', 'core.wasm']);
});
