// Builds dist/: the module → bundles → declarations. `npm run build`.
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import zopfli from '@gfx/zopfli';
import { build } from 'esbuild';
import { minify } from 'terser';
import { BUNDLED, licences } from './build/licences.mjs';
import { keepOwnSources } from './build/maps.mjs';
import { SMALLEST, bin, buildModule, here, run, writeTables } from './build/module.mjs';

/**
 * The limit for what a page loads to chat, as gzip: the default entry and the module for chats. It only catches an accidental
 * jump: useful code is not left out for its size.
 */
const LIMIT_KB = 192;

/** `npm run build -- --js` keeps the modules of the last build, for when only TypeScript was changed. */
const keeps = process.argv.includes('--js');
for (const folder of keeps ? ['dist'] : ['dist', 'pkg']) {
  rmSync(join(here, folder), { recursive: true, force: true });
  mkdirSync(join(here, folder));
}

writeTables();
// Two modules for pages, and one for Node. Most pages load the one for chats alone.
const small = { profile: 'wasm', std: ['optimize_for_size'], level: SMALLEST };
const make = (name, how) => (keeps ? readFileSync(join(here, 'pkg', name, 'core.wasm')) : buildModule(name, how));
/** Adds a section that names the build of the module. The scripts know it, so that they refuse the file of another version. */
function stamped(wasm) {
  const build = createHash('sha256').update(wasm).digest('hex').slice(0, 16);
  const name = 'chatcore';
  return { build, bytes: Buffer.concat([wasm, Buffer.from([0, 1 + name.length + build.length, name.length]), Buffer.from(name + build)]) };
}
const { bytes: chat, build: chatBuild } = stamped(await make('chat', { ...small, isLean: true }));
const { bytes: all, build: allBuild } = stamped(await make('all', small));
const fast = await make('fast', { profile: 'wasm-fast', std: [], level: ['-O3'] });
writeFileSync(join(here, 'dist/core-chat.wasm'), chat);
writeFileSync(join(here, 'dist/core.wasm'), all);

/** The npm packages whose code is in a bundle. */
const packages = new Set();

/** Bundles an entry, with the module `inlined` on a separate line before the code. */
const bundle = async (entry, format, outfile, { inlined, inPage = false, ...more } = {}) => {
  const file = join(here, 'dist', outfile);
  const { metafile } = await build({
    entryPoints: [join(here, 'ts/entries', `${entry}.ts`)], outfile: file, format,
    // Short lines, because Node prints the whole line that an error comes from. A browser does not, and a line's end costs a
    // page bytes: with lines of 120 characters the default entry is 1.1 KB larger as gzip.
    lineLimit: inPage ? 1000 : 120,
    bundle: true, minify: true, keepNames: false, define: { CHAT_BUILD: JSON.stringify(chatBuild), ALL_BUILD: JSON.stringify(allBuild) }, target: 'es2022', platform: 'neutral',
    // The sources are in the package, once.
    sourcemap: 'linked', sourcesContent: false, metafile: true,
    ...inlined && { banner: { js: `const CHATCORE_WASM="${inlined.toString('base64')}";` } }, ...more,
  });
  if (inPage) await shorten(file, outfile);
  keepOwnSources(`${file}.map`);
  for (const input of Object.keys(metafile.inputs)) {
    const [, name] = /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input) ?? [];
    if (name) packages.add(name);
  }
  // Bundlers must leave an `import()` of a computed URL to the browser: Turbopack refuses to build it. esbuild takes the
  // comments that say so away.
  const leave = 'import(/* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */ ';
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll(/\bimport\((?!\s*["'])/g, leave));
};

/**
 * Makes a bundle for pages 3 % smaller as gzip. Functions stay where they are, because a page's own bundler could not drop an
 * unused one that was put into another.
 */
async function shorten(file, name) {
  const { code, map } = await minify(readFileSync(file, 'utf8'), {
    module: true, ecma: 2022, compress: { ecma: 2022, passes: 2, inline: 0, reduce_funcs: false }, mangle: true,
    format: { preserve_annotations: true, max_line_len: 1000 },
    sourceMap: { content: readFileSync(`${file}.map`, 'utf8'), filename: name, url: `${name}.map` },
  });
  writeFileSync(file, `${code}\n`);
  writeFileSync(`${file}.map`, map);
}

// Zopfli writes gzip that is 5 % smaller than zlib's at its best level.
const pack = async (module) => Buffer.from(await zopfli.gzipAsync(module, { numiterations: 15 }));
const [chatGzip, allGzip, fastBrotli] = [await pack(chat), await pack(all), brotliCompressSync(fast)];
const chunks = ['./bindings-all.js', './core-all.js', './core-chat.js', './typed.js'];
await bundle('index', 'esm', 'index.js', { inPage: true, external: chunks });
await bundle('asset', 'esm', 'asset.js', { inPage: true, external: chunks });
await bundle('typed', 'esm', 'typed.js', { inPage: true });
await bundle('bindings-all', 'esm', 'bindings-all.js', { inPage: true });
await bundle('core-chat', 'esm', 'core-chat.js', { inlined: chatGzip });
await bundle('core-all', 'esm', 'core-all.js', { inlined: allGzip });
await bundle('whole', 'esm', 'whole.js', { inlined: allGzip });
await bundle('whole', 'cjs', 'index.cjs', { inlined: allGzip });
await bundle('node', 'esm', 'node.js', { inlined: fastBrotli, external: ['node:*'] });
await bundle('node', 'cjs', 'node.cjs', { inlined: fastBrotli, external: ['node:*'] });
for (const entry of ['slim', 'websocket', 'ai', 'tools', 'response', 'models']) {
  await bundle(entry, 'esm', `${entry}.js`);
  await bundle(entry, 'cjs', `${entry}.cjs`);
}
for (const format of ['esm', 'cjs']) {
  const end = format === 'esm' ? 'js' : 'cjs';
  // The hash function's package names its module by this field only.
  await bundle('journal', format, `journal.${end}`, { mainFields: ['module'] });
  await bundle('journal-node', format, `journal-node.${end}`, { mainFields: ['module'], external: ['node:*'] });
}
await bundle('workerd', 'esm', 'workerd.js', { external: ['./core.wasm'] });
await bundle('edge', 'esm', 'edge.js', { external: ['./core.wasm?module'] });

run(bin('tsc'), ['-p', '.'], { stdio: 'inherit' });
for (const name of readdirSync(join(here, 'dist/types'), { recursive: true }).filter((name) => name.endsWith('.d.ts'))) {
  const file = join(here, 'dist/types', name);
  const text = readFileSync(file, 'utf8');
  writeFileSync(file.replace(/\.d\.ts$/, '.d.cts'), text.replaceAll(/((?:from|import\()\s*['\"]\.\.?\/[\w/-]+)\.js/g, '$1.cjs'));
}
copyFileSync(join(here, '..', 'LICENSE-MIT'), join(here, 'dist', 'LICENSE-MIT'));
copyFileSync(join(here, '..', 'LICENSE-APACHE'), join(here, 'dist', 'LICENSE-APACHE'));
if (`${[...packages].sort()}` !== `${BUNDLED}`) throw new Error(`the bundles hold ${[...packages]}: change BUNDLED in build/licences.mjs`);
writeFileSync(join(here, 'dist/THIRD-PARTY-LICENSES'), licences());

const size = (file) => (gzipSync(readFileSync(join(here, 'dist', file)), { level: 9 }).length / 1000).toFixed(1);
for (const file of ['core-chat.wasm', 'core.wasm', 'index.js', 'asset.js', 'bindings-all.js', 'typed.js', 'core-chat.js', 'core-all.js', 'slim.js', 'tools.js', 'response.js']) {
  const bytes = readFileSync(join(here, 'dist', file));
  console.log(`${file}: ${bytes.length} bytes, gzip ${size(file)} KB, brotli ${(brotliCompressSync(bytes).length / 1000).toFixed(1)} KB`);
}
if (Number(size('index.js')) + Number(size('core-chat.wasm')) > LIMIT_KB) {
  console.error(`the default entry and the module for chats are larger than ${LIMIT_KB} KB`);
  process.exitCode = 1;
}
