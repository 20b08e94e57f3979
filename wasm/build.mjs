// Builds dist/: cargo → wasm-bindgen → wasm-opt → bundles → declarations. `npm run build`.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build } from 'esbuild';

/** The default entry, gzip, everything in it. */
const LIMIT_KB = 80;

const here = dirname(fileURLToPath(import.meta.url));
const run = (program, words, options = {}) =>
  execFileSync(program, words, { cwd: here, stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 1 << 28, ...options });
const bin = (name) => join(here, 'node_modules', '.bin', name);

for (const folder of ['dist', 'pkg']) {
  rmSync(join(here, folder), { recursive: true, force: true });
  mkdirSync(join(here, folder));
}

const metadata = JSON.parse(run('cargo', ['metadata', '--no-deps', '--format-version', '1']));
const profile = join(metadata.target_directory, 'wasm32-unknown-unknown', 'wasm');
// The standard library is built anew, so that it is small too: optimized for size, and without the
// texts of panics, which nobody would see, since a panic is a trap here. The compiler is the stable
// one; these of its options are not yet stable, hence RUSTC_BOOTSTRAP.
run('cargo', [
  'build', '-q', '-p', 'chatcore-wasm', '--target', 'wasm32-unknown-unknown', '--profile', 'wasm',
  '-Zbuild-std=std,panic_abort', '-Zbuild-std-features=optimize_for_size',
], {
  env: {
    ...process.env, RUSTC_BOOTSTRAP: '1', CARGO_INCREMENTAL: '0',
    RUSTFLAGS: '-Zunstable-options -Cpanic=immediate-abort -Zlocation-detail=none -Zfmt-debug=none',
  },
});
run('cargo', ['run', '-q', '-p', 'chatcore-wasm-build', '--', join(profile, 'chatcore_wasm.wasm'), join(here, 'pkg')]);
const features = [
  '--enable-bulk-memory', '--enable-nontrapping-float-to-int', '--enable-sign-ext', '--enable-mutable-globals',
  '--enable-reference-types', '--enable-multivalue',
];
run(bin('wasm-opt'), [
  '--generate-global-effects', '--low-memory-unused', '-Oz', '--converge', '--strip-debug', '--strip-producers',
  ...features, 'pkg/core_bg.wasm', '-o', 'pkg/core_opt.wasm',
]);
// The border's names are long; the module and the glue get the same short ones.
const names = JSON.parse(run(bin('wasm-opt'), [
  '--minify-imports-and-exports-and-modules', ...features, 'pkg/core_opt.wasm', '-o', 'dist/core.wasm',
]).toString());
let glueText = readFileSync(join(here, 'pkg/core.js'), 'utf8');
const rename = (from, to) => {
  const parts = glueText.split(from);
  if (parts.length > 1) glueText = parts.join(to);
  return parts.length > 1;
};
for (const [module, name, short] of names.imports) {
  rename(`"${module}": `, '"a": ');
  if (!rename(`        ${name}: `, `        ${short}: `)) throw new Error(`the glue does not give ${name}`);
}
// Longest first, since some begin with others.
for (const [name, short] of names.exports.sort(([one], [other]) => other.length - one.length)) {
  rename(`wasm.${name}`, `wasm.${short}`);
}
writeFileSync(join(here, 'pkg/core.js'), glueText);
const wasm = readFileSync(join(here, 'dist/core.wasm'));

// The glue keeps one instance in its module scope. Wrapped in a function it makes as many as
// asked for, and the function's parameter stands before the global of the same name, so that
// the layer above sees a trap in a task.
const { outputFiles: [glue] } = await build({
  stdin: { contents: "export { initSync, Client } from './pkg/core.js';", resolveDir: here },
  bundle: true, write: false, format: 'esm', minify: true, target: 'es2022', logOverride: { 'empty-import-meta': 'silent' },
});
const exported = /export\{(\w+) as (\w+),(\w+) as (\w+)\};\s*$/;
if (!exported.test(glue.text)) throw new Error('the glue exports something else');
writeFileSync(join(here, 'pkg/glue.js'),
  `export function makeGlue(queueMicrotask) {\n${glue.text.replace(exported, 'return{$2:$1,$4:$3}')}\n}\n`);
const load = async (file) => {
  const { outputFiles: [{ text }] } = await build({
    entryPoints: [join(here, 'ts/packing', file)], bundle: true, write: false, format: 'esm', target: 'es2022',
  });
  return import(`data:text/javascript,${encodeURIComponent(text)}`);
};
const [{ pack }, { unpack }] = [await load('pack.ts'), await load('unpack.ts')];
const packed = Buffer.from(pack(wasm));
if (!wasm.equals(await unpack(packed, wasm.length))) throw new Error('the packed module does not unpack to itself');
writeFileSync(join(here, 'pkg/inline.js'),
  `export const inlined = '${packed.toString('base64')}', size = ${wasm.length};\n`);
writeFileSync(join(here, 'pkg/inline-node.js'), `export const inlined = '${brotliCompressSync(wasm).toString('base64')}';\n`);

const bundle = (entry, format, outfile, more = {}) => build({
  entryPoints: [join(here, 'ts', `${entry}.ts`)], outfile: join(here, 'dist', outfile), format,
  // Short lines, since Node prints the whole line that an error comes from.
  bundle: true, minify: true, keepNames: false, lineLimit: 120, target: 'es2022', platform: 'neutral', ...more,
});
await bundle('index', 'esm', 'index.js');
await bundle('index', 'cjs', 'index.cjs');
await bundle('node', 'esm', 'node.js', { external: ['node:zlib'] });
await bundle('node', 'cjs', 'node.cjs', { external: ['node:zlib'] });
await bundle('slim', 'esm', 'slim.js');
await bundle('slim', 'cjs', 'slim.cjs');
await bundle('workerd', 'esm', 'workerd.js', { external: ['./core.wasm'] });
// The WebAssembly is one long string again: the breaks in it would be another 5 KB.
for (const name of ['index.js', 'index.cjs', 'node.js', 'node.cjs']) {
  const file = join(here, 'dist', name);
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll('\\\n', ''));
}

run(bin('tsc'), ['-p', '.'], { stdio: 'inherit' });
for (const name of readdirSync(join(here, 'dist')).filter((name) => name.endsWith('.d.ts'))) {
  const file = join(here, 'dist', name);
  const text = readFileSync(file, 'utf8');
  writeFileSync(file.replace(/\.d\.ts$/, '.d.cts'), text.replaceAll(/(from '\.\/\w+|from "\.\/\w+)\.js/g, '$1.cjs'));
}
copyFileSync(join(here, '..', 'LICENSE-MIT'), join(here, 'dist', 'LICENSE-MIT'));
copyFileSync(join(here, '..', 'LICENSE-APACHE'), join(here, 'dist', 'LICENSE-APACHE'));

const size = (file) => (gzipSync(readFileSync(join(here, 'dist', file)), { level: 9 }).length / 1000).toFixed(1);
console.log(`core.wasm ${wasm.length} bytes, gzip ${size('core.wasm')} KB; slim.js gzip ${size('slim.js')} KB`);
console.log(`default entry: gzip ${size("index.js")} KB; allowed are ${LIMIT_KB}`);
if (Number(size('index.js')) > LIMIT_KB) {
  console.error(`the default entry is larger than ${LIMIT_KB} KB`);
  process.exitCode = 1;
}
