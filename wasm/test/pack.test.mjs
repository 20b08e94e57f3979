// The packed tarball in an empty project: ESM, `require`, slim, declarations, its own checks.
import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { after, before, test } from 'node:test';
import { project, wasm } from './packed.mjs';

const bin = (name) => join(wasm, 'node_modules', '.bin', name);
let folder, tarball, run, remove, installed;
before(() => { ({ folder, tarball, run, remove, installed } = project()); });
after(() => remove());

test('its installation is one package, and warns of nothing', () => {
  assert.match(installed, /added 1 package/);
  assert.doesNotMatch(installed, /warn|deprecat/i);
  // An accidental jump: a second copy of the modules, or sources inside of the maps.
  assert.ok(statSync(tarball).size < 4e6, `${statSync(tarball).size}`);
});

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
    'ClientOptions', 'ChatOptions', 'SchemaOptions', 'TimeLimits', 'RateLimits', 'ChatResponse', 'BatchOptions', 'BatchProcessorOptions', 'Progress',
  ]) {
    const [, fields] = new RegExp(`export interface ${type}(?:<.*>)?(?: extends [^{]*)? \\{\n([^]*?)\n\\}`).exec(types);
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

test('a batch whose results are kept, as a module and by require', () => {
  const program = `
const client = new LlmClient({ mock: true });
(async () => {
  const items = ['a', { customId: 'bee', prompt: 'b' }];
  for (let n = 0; n < 2; n += 1) await client.processBatch(items, { journal: fileJournal('kept.jsonl') });
  console.log(readFileSync('kept.jsonl', 'utf8').trim().split('\\n').map((line) => JSON.parse(line).custom_id).join(), client.status().started);
})();`;
  const names = [['{ LlmClient }', 'chatcore'], ['{ fileJournal }', 'chatcore/journal'], ['{ readFileSync }', 'node:fs']];
  writeFileSync(join(folder, 'kept.mjs'), names.map(([what, of]) => `import ${what} from '${of}';`).join('\n') + program);
  writeFileSync(join(folder, 'kept.cjs'), names.map(([what, of]) => `const ${what} = require('${of}');`).join('\n') + program);
  assert.equal(run('node', ['kept.mjs']), 'request-1,bee 2\n');
  // It finds what the other has kept.
  assert.equal(run('node', ['kept.cjs']), 'request-1,bee 0\n');
});

test('no line of code is so long that an uncaught error fills the screen', () => {
  for (const name of ['index.js', 'core-all.js', 'whole.js', 'asset.js', 'ai.js', 'tools.js', 'edge.js', 'index.cjs', 'slim.js', 'slim.cjs', 'workerd.js']) {
    // The entries for pages have longer lines, because each line's end is a byte more to load. Node loads them only under another's conditions.
    const most = /^(index|asset)\.js$/.test(name) ? 4000 : 2000;
    const long = readFileSync(join(folder, 'node_modules/chatcore/dist', name), 'utf8').split('\n').filter((line) => line.length > most && !line.startsWith('const CHATCORE_WASM="'));
    // The WebAssembly, and tables.
    for (const line of long) assert.ok(!/=>|\bfunction\b|\breturn\b|\bthrow\b/.test(line), `${name}: ${line.length}`);
  }
});

test('the tarball has what is needed, and nothing else', () => {
  const root = join(folder, 'node_modules/chatcore');
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)));
  const known = /^(dist\/[\w-]+\.(c?js(\.map)?|wasm)|dist\/types\/[\w-]+\/[\w-]+\.d\.c?ts|dist\/(LICENSE-(MIT|APACHE)|THIRD-PARTY-LICENSES)|ts\/[\w-]+\/[\w-]+\.ts|(ai|asset|journal|models|response|slim|tools|websocket|whole)\/package\.json|(README|CHANGELOG)\.md|package\.json)$/;
  assert.deepEqual(files.filter((file) => !known.test(file)), []);
  // Each source map names existing sources.
  for (const file of files.filter((name) => name.endsWith('.map'))) {
    const sources = JSON.parse(readFileSync(join(root, file), 'utf8')).sources.map((source) => join('dist', source));
    const missing = sources.filter((source) => !files.includes(source));
    assert.deepEqual(missing, [], file);
    assert.match(readFileSync(join(root, file.slice(0, -4)), 'utf8'), new RegExp(`sourceMappingURL=${file.slice(5)}\n$`));
  }
});

test('with source maps, a stack within the package names the lines of its sources', () => {
  writeFileSync(join(folder, 'f.mjs'), `
import { LlmClient } from 'chatcore';
const fail = () => { throw new Error('inner'); };
const error = await new LlmClient({ baseURL: 'https://llm.example/v1', model: 'm', maxAttempts: 1, fetch: fail }).ask('x').catch((error) => error);
console.log(error.stack.split('\\n')[1], error.cause.stack);
`);
  const said = run('node', ['--enable-source-maps', 'f.mjs']);
  assert.match(said, /f\.mjs:4:\d+/);
  assert.match(said, /at fail .*f\.mjs:3:/);
  const [, line] = /chatcore\/ts\/border\/imports\.ts:(\d+)/.exec(said);
  assert.match(readFileSync(join(wasm, 'ts/border/imports.ts'), 'utf8').split('\n')[line - 1], /fetch\(url, init, context\)|#telling/);
});

function nodeTypes() {
  for (const name of ['@types', 'undici-types']) cpSync(join(wasm, 'node_modules', name), join(folder, 'node_modules', name), { recursive: true });
}

function compile(settings, what = '') {
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(settings));
  try {
    run(bin('tsc'), ['-p', '.']);
  } catch (error) {
    assert.fail(`${what}\n${error.stdout}`);
  }
}

test('the declarations have no `any`', () => {
  const root = join(folder, 'node_modules/chatcore/dist/types');
  const names = readdirSync(root, { recursive: true }).filter((name) => /\.d\.c?ts$/.test(name));
  assert.ok(names.length > 100, `${names.length}`);
  for (const name of names) {
    const code = readFileSync(join(root, name), 'utf8').replaceAll(/\/\*[^]*?\*\/|\/\/.*|'[^']*'/g, '');
    assert.doesNotMatch(code, /\bany\b/, name);
  }
});

test('declarations, strict, under NodeNext, Node16 and bundler resolution', () => {
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
  // Every entry, as an import and as a require, and every file of declarations, so that none names what is not there.
  const entries = Object.keys(JSON.parse(readFileSync(join(folder, 'node_modules/chatcore/package.json'), 'utf8')).exports)
    .filter((name) => !/\.(wasm|json)$/.test(name)).map((name) => `chatcore${name.slice(1)}`);
  assert.ok(entries.includes('chatcore/websocket'), `${entries}`);
  writeFileSync(join(folder, 'g.mts'), `${entries.map((name, n) => `import * as e${n} from '${name}'; void e${n};`).join('\n')}
import { LlmClient } from 'chatcore';
import { fileJournal, journalFrom, jsonLines, processJournal, type Claim, type Counts, type Journal, type Lease, type Outcome, type Recorded } from 'chatcore/journal';
class Own implements Journal {
  async claim(want: number): Promise<Claim> { void want; return { type: 'end' }; }
  async record(lease: Lease, { place, result }: Outcome): Promise<Recorded> { void lease; return place > 0 && result.ok ? 'first' : 'already'; }
  async release(): Promise<void> {}
  async progress(): Promise<Counts> { return { done: 0, failed: 0, inputTokens: 0, outputTokens: 0 }; }
}
const client = new LlmClient({ mock: true });
for await (const { outcome, recorded } of processJournal(client, new Own())) void [outcome.id, recorded];
const kept = await client.processBatch([{ prompt: 'a', customId: 'b' }, { body: { prompt: 'c' } }], { journal: fileJournal('out.jsonl') });
void client.processBatch(jsonLines('in.jsonl'), { journal: journalFrom(async ({ items, identity }) => { void [items, identity]; throw new Error(); }) });
void kept.map((result) => (result.ok ? result.value.text : result.error.providerCode));
// @ts-expect-error: names are for journals
void client.processBatch([{ prompt: 'a', customId: 'b' }]);
import { webSocketFetch, type Socket } from 'chatcore/websocket';
declare const socket: Socket;
webSocketFetch({ open: (url: string, headers: Record<string, string>) => { void url; void headers; return socket; } }).close();
`);
  writeFileSync(join(folder, 'page.mts'), "import { webSocketFetch } from 'chatcore/websocket';\nwebSocketFetch({ open: (url) => new WebSocket(url) });\n");
  writeFileSync(join(folder, 'h.cts'), entries.map((name, n) => `import r${n} = require('${name}'); void r${n};`).join('\n'));
  const root = join(folder, 'node_modules/chatcore/dist/types');
  const declared = readdirSync(root, { recursive: true }).filter((name) => /\.d\.c?ts$/.test(name)).map((name) => join(root, name));
  assert.ok(declared.some((name) => name.endsWith('websocket/fetch.d.cts')));
  nodeTypes();
  // With the types of Node alone, of a page alone, and of both; the declarations are checked as well.
  for (const [module, files, lib, types] of [
    ['nodenext', ['d.mts', 'e.cts', 'g.mts', 'h.cts', ...declared], ['es2022'], ['node']],
    ['node16', ['d.mts', 'e.cts', 'g.mts', 'h.cts', ...declared], ['es2022', 'dom'], ['node']],
    ['bundler', ['d.mts', 'g.mts', 'page.mts', ...declared], ['es2022', 'dom'], []],
  ]) {
    compile({ files, compilerOptions: {
      strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, noEmit: true, skipLibCheck: false,
      target: 'es2022', lib, types, module: module === 'bundler' ? 'esnext' : module, moduleResolution: module,
    } }, `${module}, ${lib}, ${types}`);
  }
});

test('publint and are-the-types-wrong are clean', () => {
  run(bin('publint'), ['--strict', wasm]);
  run(bin('attw'), [tarball, '--exclude-entrypoints', 'core.wasm', 'core-chat.wasm']);
});
