// Firefox and WebKit run the program of every host, and what differs between engines: stacks, IndexedDB, streams of bytes.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { after, before, test } from 'node:test';
import { start } from '../server.mjs';
import { BROWSERS, open, unless } from './browsers.mjs';
import { expected } from './expected.mjs';

/** Longer than the slowest machine takes; a browser that never answers must not stop the tests. */
const LIMIT = 180_000;

/** The page, whose package is in this folder. From `chatcore` the module comes as a file, and from elsewhere as text in a chunk. */
const page = (folder) => `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">
<script type="importmap">{ "imports": { "chatcore": "/${folder}/index.js", "chatcore/journal": "/${folder}/journal.js" } }</script>
<script>
const tell = (seen) => fetch('/told', { method: 'POST', body: JSON.stringify(seen) });
addEventListener('error', ({ message }) => tell({ error: message }));
addEventListener('unhandledrejection', ({ reason }) => tell({ error: String(reason) }));
</script>
<script type="module">
import { program } from '/host/program.mjs';
import { LlmClient } from 'chatcore';
import { browserJournal } from 'chatcore/journal';
const base = new URLSearchParams(location.search).get('base');
const client = (path) => new LlmClient({ baseURL: base + '/' + path + '/v1', model: 'm', maxAttempts: 1 });
const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const failing = () => client('status/429').ask('x').catch((error) => error.stack);
const batch = () => client('ok').processBatch(['a', 'b'], { journal: browserJournal('batch') });
async function everything() {
  return {
    program: await program(base),
    typed: (await new LlmClient({ mock: () => '{"city":"Lyon"}' }).ask('Where?', { schema })).value,
    stack: await failing(),
    batches: [await batch(), await batch()].map((results) => results.map(({ value }) => value.text)),
  };
}
everything().then(tell);
</script>`;

let loopback, server, told, asked;
before(async () => {
  loopback = await start();
  server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://x');
    if (request.method === 'POST') {
      let body = '';
      for await (const piece of request) body += piece;
      told?.(JSON.parse(body));
      return response.end();
    }
    const [, folder, name] = pathname.split('/');
    if (!name) return response.setHeader('content-type', 'text/html').end(page(folder));
    asked.push(name);
    const type = pathname.endsWith('.wasm') ? 'application/wasm' : 'text/javascript';
    try {
      const file = new URL(folder === 'host' ? name : `../../dist/${name}`, import.meta.url);
      response.setHeader('content-type', type).end(readFileSync(fileURLToPath(file)));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
});
after(() => {
  server.close();
  server.closeAllConnections();
  loopback.stop();
});

for (const [name, browser] of Object.entries(BROWSERS)) {
  for (const [folder, modules] of [['chatcore', ['core-chat.wasm', 'core.wasm']], ['elsewhere', ['core-all.js', 'core-chat.js']]]) {
    test(`${name}: ${modules.join(' and ')}`, { skip: unless(browser), timeout: LIMIT }, async () => {
      asked = [];
      const answer = new Promise((resolve) => { told = resolve; });
      const close = open(browser, `http://127.0.0.1:${server.address().port}/${folder}/?base=${encodeURIComponent(loopback.base)}`);
      try {
        const seen = await answer;
        assert.equal(seen.error, undefined);
        assert.deepEqual(seen.program, expected);
        assert.deepEqual(seen.typed, { city: 'Lyon' });
        assert.match(seen.stack, /failing/, 'the function that made the call');
        assert.deepEqual(seen.batches, [['echo: a', 'echo: b'], ['echo: a', 'echo: b']]);
        assert.deepEqual(asked.filter((file) => file.startsWith('core-') || file.endsWith('.wasm')).sort(), modules);
      } finally {
        await close();
      }
    });
  }
}
