// The declarations of the packed tarball, with the oldest TypeScript that the README names.
import assert from 'node:assert/strict';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { project, wasm } from '../packed.mjs';

const oldest = fileURLToPath(new URL('node_modules/typescript-oldest', import.meta.url));
const skip = existsSync(oldest) ? false : 'not here: npm run test:hosts installs it';
let folder, run, remove;
before(() => { ({ folder, run, remove } = project()); });
after(() => remove());

test('the oldest TypeScript takes the types of every entry', { skip }, () => {
  const { version } = JSON.parse(readFileSync(join(oldest, 'package.json'), 'utf8'));
  assert.match(readFileSync(join(wasm, 'README.md'), 'utf8'), new RegExp(`TypeScript ${version.replace(/\.\d+$/, '')} or newer`));
  for (const name of ['@types', 'undici-types']) cpSync(join(wasm, 'node_modules', name), join(folder, 'node_modules', name), { recursive: true });
  const entries = Object.keys(JSON.parse(readFileSync(join(folder, 'node_modules/chatcore/package.json'), 'utf8')).exports)
    .filter((name) => !/\.(wasm|json)$/.test(name)).map((name) => `chatcore${name.slice(1)}`);
  writeFileSync(join(folder, 'a.mts'), `${entries.map((name, n) => `import * as e${n} from '${name}'; void e${n};`).join('\n')}
import { LlmClient } from 'chatcore';
const client = new LlmClient({ mock: true });
const { value } = await client.ask('x', { schema: { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] } });
value.a satisfies string;
for await (const text of client.askStream('x').text()) text satisfies string;
`);
  writeFileSync(join(folder, 'b.cts'), entries.map((name, n) => `import e${n} = require('${name}'); void e${n};`).join('\n'));
  for (const module of ['node16', 'nodenext']) {
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ files: ['a.mts', 'b.cts'], compilerOptions: {
      strict: true, noEmit: true, skipLibCheck: false, target: 'es2022', lib: ['es2022', 'dom', 'dom.iterable'], types: ['node'], module, moduleResolution: module,
    } }));
    try {
      run('node', [join(oldest, 'bin/tsc'), '-p', '.']);
    } catch (error) {
      assert.fail(`${module}\n${error.stdout}`);
    }
  }
});
