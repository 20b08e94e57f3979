// Every program of the documentation, beside the packed package: it compiles, and runs offline in Node or in Chromium.
// `snippets.mjs` says how a block is marked.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { build, transform } from 'esbuild';
import { launch, skip } from './chromium.mjs';
import { project, wasm } from './packed.mjs';
import { path } from './pages.mjs';
import { programs } from './snippets.mjs';
import { answerTo } from './snippets/provider.mjs';

const ENTRIES = { chatcore: 'index', 'chatcore/tools': 'tools', 'chatcore/ai': 'ai', 'chatcore/journal': 'journal', 'chatcore/models': 'models', 'chatcore/response': 'response', 'chatcore/websocket': 'websocket' };
const exported = { ai: ['generateText'], '@modelcontextprotocol/sdk/client/index.js': ['Client'], '@modelcontextprotocol/sdk/client/stdio.js': ['StdioClientTransport'] };
for (const [name, entry] of Object.entries(ENTRIES)) exported[name] = Object.keys(await import(`../dist/${entry}.js`));

/** The files that the programs read. */
const FILES = { 'in.jsonl': '{"prompt":"one"}\n{"prompt":"two"}\n', 'cat.png': Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64') };

const all = programs(exported);
const fileOf = ({ name }) => name.replaceAll(/\W+/g, '-');
let folder, run, remove;
before(() => {
  ({ folder, run, remove } = project());
  // The packages of others that the programs import.
  mkdirSync(join(folder, 'node_modules/@modelcontextprotocol'));
  for (const name of ['zod', 'ai', 'ws', '@types', '@modelcontextprotocol/sdk']) {
    symlinkSync(join(wasm, 'node_modules', name), join(folder, 'node_modules', name));
  }
  for (const name of ['reader.d.ts', 'page-reader.mjs']) copyFileSync(path(`snippets/${name}`), join(folder, name));
});
after(() => remove());

test('there are programs of each kind', () => {
  assert.ok(all.length >= 25, `${all.length}`);
  for (const file of ['wasm/README.md', 'docs/batches.md', 'docs/websocket.md', 'wasm/ts/api/client.ts']) assert.ok(all.some(({ name }) => name.startsWith(`${file}:`)), file);
});

for (const language of ['js', 'ts']) {
  test(`the programs in ${language} compile`, () => {
    const mine = all.filter((program) => program.language === language);
    for (const program of mine) writeFileSync(join(folder, `${fileOf(program)}.mts`), `${program.text}\nexport {};\n`);
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({
      files: ['reader.d.ts', ...mine.map((program) => `${fileOf(program)}.mts`)],
      compilerOptions: {
        strict: true, noImplicitAny: language === 'ts', noEmit: true, skipLibCheck: true, target: 'es2022',
        lib: ['es2022', 'dom', 'dom.iterable', 'esnext.disposable'], types: ['node'], module: 'esnext', moduleResolution: 'bundler',
      },
    }));
    try {
      run(join(wasm, 'node_modules/.bin/tsc'), ['-p', '.']);
    } catch (error) {
      assert.fail(error.stdout);
    }
  });
}

/** The JavaScript of a program. */
const javascript = async ({ text, language }) => (await transform(text, { loader: language, target: 'es2022' })).code;

for (const program of all.filter(({ words }) => !words.includes('no_run') && !words.includes('page'))) {
  test(`in Node: ${program.name}`, async () => {
    // Each in a folder of its own, because some write files.
    const cwd = join(folder, fileOf(program));
    mkdirSync(cwd);
    for (const [name, content] of Object.entries(FILES)) writeFileSync(join(cwd, name), content);
    writeFileSync(join(cwd, 'program.mjs'), await javascript(program));
    const { stderr } = await promisify(execFile)('node', ['--import', path('snippets/reader.mjs'), 'program.mjs'], {
      cwd, timeout: 60_000, env: { ...process.env, USE_MOCK_LLM: 'true' },
    });
    assert.equal(stderr, '');
  });
}

/** Serves the pages, and the provider at the path that the programs name. */
function serve() {
  const server = createServer(async (request, response) => {
    if (request.url === '/api/v1/chat/completions') {
      const answer = answerTo(JSON.parse(Buffer.concat(await request.toArray())));
      response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(Buffer.from(await answer.arrayBuffer()));
    } else if (request.url.endsWith('.js')) {
      response.setHeader('content-type', 'text/javascript').end(await readFile(join(folder, 'pages', request.url)));
    } else if (request.url.endsWith('.html')) {
      response.setHeader('content-type', 'text/html').end('<!doctype html><title>A page</title><link rel="icon" href="data:,"><body></body>');
    } else {
      response.writeHead(404).end();
    }
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

test('in a page', { skip }, async (context) => {
  const server = await serve();
  const browser = await launch();
  after(async () => { await browser.close(); server.close(); });
  for (const program of all.filter(({ words }) => words.includes('page'))) {
    await context.test(program.name, async () => {
      const name = fileOf(program);
      writeFileSync(join(folder, `${name}.mjs`), `import './page-reader.mjs';\n${await javascript(program)}`);
      await build({ entryPoints: [join(folder, `${name}.mjs`)], bundle: true, splitting: true, format: 'esm', outdir: join(folder, 'pages'), absWorkingDir: folder });
      const page = await browser.newPage();
      await page.goto(`http://127.0.0.1:${server.address().port}/${name}.html`);
      const shown = await page.evaluate(async (module) => {
        await import(module);
        return document.body.textContent;
      }, `/${name}.js`);
      if (program.text.includes('document.body')) assert.match(shown, /Because of the air\./);
      await page.close();
    });
  }
});
