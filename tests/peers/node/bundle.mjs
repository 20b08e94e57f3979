// Prints the size that a page loads: bundled and minified by esbuild, and compressed by gzip -9.

import { gzipSync } from 'node:zlib';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const pages = {
  'chatcore-npm': `import { LlmClient } from '../../../wasm/dist/index.js';
    globalThis.answer = new LlmClient({ baseURL: '/v1' }).chatAsync('Why is the sky blue?');`,
  'openai-node': `import OpenAI from 'openai';
    globalThis.answer = new OpenAI({ baseURL: '/v1', apiKey: '', dangerouslyAllowBrowser: true })
      .chat.completions.create({ model: 'm', messages: [] });`,
};
const sizes = {};
for (const [name, contents] of Object.entries(pages)) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: fileURLToPath(new URL('.', import.meta.url)) },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
    logLevel: 'error',
  });
  sizes[name] = gzipSync(outputFiles[0].contents, { level: 9 }).length;
}
console.log(JSON.stringify(sizes));
