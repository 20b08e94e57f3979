// The packed tarball in an empty project: ESM, `require`, slim, declarations, its own checks.
import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
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

test('the first program of the README', () => {
  const readme = readFileSync(join(folder, 'node_modules/chatcore/README.md'), 'utf8');
  const [, program] = /```js\n([^]*?)```/.exec(readme);
  writeFileSync(join(folder, 'first.mjs'), program);
  assert.equal(run('node', ['first.mjs'], folder, { USE_MOCK_LLM: 'true' }), 'mock: Why is the sky blue?\n');
});

test('the README names every option, every class of errors and all else that is exported', async () => {
  const readme = readFileSync(join(wasm, 'README.md'), 'utf8');
  const types = ['base/types', 'api/options', 'api/batch'].map((name) => readFileSync(join(wasm, `ts/${name}.ts`), 'utf8')).join('');
  const names = Object.keys(await import('../dist/index.js'));
  for (const type of [
    'ClientOptions', 'ChatOptions', 'TimeLimits', 'RateLimits', 'ChatResponse', 'BatchOptions', 'BatchProcessorOptions', 'Progress',
  ]) {
    const [, fields] = new RegExp(`export interface ${type}(?:<.*>)? \\{\n([^]*?)\n\\}`).exec(types);
    const found = [...fields.matchAll(/^  (?:readonly )?(\w+)\??:/gm)].map(([, name]) => name);
    assert.ok(found.length > 2, type);
    names.push(...found);
  }
  const missing = names.filter((name) => name !== 'LlmClient' && !new RegExp(`[\`.( ]${name}[\`(,: ]`).test(readme));
  assert.deepEqual(missing, []);
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

test('no line of code is so long that an uncaught error fills the screen', () => {
  for (const name of ['index.js', 'core-all.js', 'whole.js', 'asset.js', 'index.cjs', 'slim.js', 'slim.cjs', 'workerd.js']) {
    const long = readFileSync(join(folder, 'node_modules/chatcore/dist', name), 'utf8').split('\n').filter((line) => line.length > 2000);
    // The WebAssembly, and tables.
    for (const line of long) assert.ok(!/=>|\bfunction\b|\breturn\b|\bthrow\b/.test(line), `${name}: ${line.length}`);
  }
});

test('declarations, strict, under NodeNext and bundler resolution', () => {
  writeFileSync(join(folder, 'd.mts'), `
import { LlmClient, TimeoutError, toolResult, type ChatEvent, type ChatResponse, type Message, type Settled, type Tool } from 'chatcore';
import { setWasm } from 'chatcore/slim';
const client = new LlmClient({ provider: 'openai', apiKey: async () => 'k' });
const text: string = (await client.chatAsync('x', { temperature: 0.2, maxTokens: 5, headers: { a: 'b' } })).text;
for await (const event of client.chatStream('x')) { const seen: ChatEvent = event; if (seen.type === 'text') text.concat(seen.text); }
const all: Settled<ChatResponse>[] = await client.processBatch(['a', { prompt: 'b', seed: 1 }]);
const codes: string[] = all.map((result) => (result.ok ? result.value.text : result.error.code)); codes.length;
const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } as const;
const tool: Tool = { name: 'weather', parameters: schema };
const messages: Message[] = [{ role: 'user', content: [{ type: 'text', text: 'x' }, { type: 'image', source: { type: 'url', url: 'x' } }] }];
const answer = await client.chatWithContextAsync(messages, {
  tools: [tool], toolChoice: { tool: 'weather' }, reasoningEffort: 'low', stop: ['x'], topP: 1, timeoutMs: Infinity,
  responseFormat: { type: 'json_schema', name: 'n', schema, strict: true }, extra: { user: 'u' },
});
messages.push(answer.message, ...answer.toolCalls.map((call) => toolResult(call.id, call.arguments)));
// @ts-expect-error: a word that is none
void client.chatAsync('x', { toolChoice: 'maybe' });
// @ts-expect-error: the provider's own name of it
void client.chatAsync('x', { max_tokens: 3 });
// @ts-expect-error: a provider that nobody knows
new LlmClient({ provider: 'skynet' });
const phase = new TimeoutError('x', { code: 'timeout' }).phase; phase satisfies string; void setWasm;
await using other = new LlmClient({ mock: true }); void other;
`);
  writeFileSync(join(folder, 'e.cts'), "import chatcore = require('chatcore');\nexport const client: chatcore.LlmClient = new chatcore.LlmClient();\n");
  cpSync(join(wasm, 'node_modules/@types'), join(folder, 'node_modules/@types'), { recursive: true });
  cpSync(join(wasm, 'node_modules/undici-types'), join(folder, 'node_modules/undici-types'), { recursive: true });
  // With the types of Node alone, of a page alone, and of both; the declarations are checked as well.
  for (const [module, files, lib, types] of [
    ['nodenext', ['d.mts', 'e.cts'], ['es2022'], ['node']], ['nodenext', ['d.mts', 'e.cts'], ['es2022', 'dom'], ['node']],
    ['bundler', ['d.mts'], ['es2022', 'dom'], []],
  ]) {
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ files, compilerOptions: {
      strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, noEmit: true, skipLibCheck: false,
      target: 'es2022', lib, types, module: module === 'bundler' ? 'esnext' : module, moduleResolution: module,
    } }));
    try {
      run(bin('tsc'), ['-p', '.']);
    } catch (error) {
      assert.fail(`${module}, ${lib}, ${types}:\n${error.stdout}`);
    }
  }
});

test('publint and are-the-types-wrong are clean', () => {
  run(bin('publint'), ['--strict', wasm]);
  run(bin('attw'), [tarball, '--exclude-entrypoints', 'core.wasm', 'core-chat.wasm']);
});
