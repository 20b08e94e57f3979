// The WebAssembly module and its bindings: cargo → wasm-bindgen → wasm-opt → short names and a better order.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { nameByOrder } from './order.mjs';

/** The folder of the package. */
export const here = dirname(dirname(fileURLToPath(import.meta.url)));

/** The features of WebAssembly that Rust's compiler uses. */
export const FEATURES = [
  '--enable-bulk-memory', '--enable-nontrapping-float-to-int', '--enable-sign-ext', '--enable-mutable-globals',
  '--enable-reference-types', '--enable-multivalue',
];

/** What wasm-opt may assume and find out before it optimises. */
export const OPTIMISE = ['--generate-global-effects', '--low-memory-unused'];

/**
 * The level of wasm-opt for the smallest module. Loops and branches are made anew from a flat form, and then optimised again.
 * A large function with one caller is not inlined, because gzip finds more to repeat in two functions.
 */
export const SMALLEST = [
  '--one-caller-inline-max-function-size', '40', '-Oz', '--converge', '--flatten', '--rereloop', '-Oz', '--converge',
];

/** Runs a program, and returns its output. */
export const run = (program, words, options = {}) =>
  execFileSync(program, words, { cwd: here, stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 1 << 28, ...options });

/** A program that npm installed. */
export const bin = (name) => join(here, 'node_modules', '.bin', name);

/**
 * Builds a module with a profile of Cargo.toml, features of the standard library, a level of wasm-opt, and everything or,
 * if `isLean`, what a page needs for chats in chat completions. Writes pkg/NAME/core.wasm and pkg/NAME/bindings.js, and
 * returns the module.
 */
export async function buildModule(name, { profile, std, level, isLean = false }) {
  const folder = join(here, 'pkg', name);
  mkdirSync(folder, { recursive: true });
  compile(profile, std, isLean, folder);
  run(bin('wasm-opt'), [
    ...OPTIMISE, ...level, '--strip-debug', '--strip-producers',
    ...FEATURES, join(folder, 'core_bg.wasm'), '-o', join(folder, 'core_opt.wasm'),
  ]);
  shortenNames(folder);
  // The module for chat completions has no code for schemas.
  await wrapBindings(folder, isLean ? [] : ['fitSchema', 'readAnswer']);
  return readFileSync(join(folder, 'core.wasm'));
}

/** Writes the core's tables as TypeScript. */
export function writeTables() {
  run('cargo', ['run', '-q', '-p', 'chatcore-wasm-build', '--', 'tables', join(here, 'ts/base/tables.ts')]);
}

function compile(profile, std, isLean, folder) {
  // The standard library is rebuilt without panic messages, because a panic is a trap here and nobody would see them.
  // The compiler is a stable release. rust-toolchain.toml pins its version, because these options are not yet stable;
  // for the same reason RUSTC_BOOTSTRAP is set.
  run('cargo', [
    'build', '-q', '-p', 'chatcore-wasm', '--target', 'wasm32-unknown-unknown', '--profile', profile,
    '-Zbuild-std=std,panic_abort', `-Zbuild-std-features=${std.join(',')}`,
    ...isLean ? ['--no-default-features'] : [],
  ], {
    env: {
      ...process.env, RUSTC_BOOTSTRAP: '1', CARGO_INCREMENTAL: '0',
      RUSTFLAGS: '-Zunstable-options -Cpanic=immediate-abort -Zlocation-detail=none -Zfmt-debug=none'
        // See core/src/json/float.rs.
        + (isLean ? ' --cfg chatcore_floats="host"' : ''),
    },
  });
  const { target_directory: target } = JSON.parse(run('cargo', ['metadata', '--no-deps', '--format-version', '1']));
  const built = join(target, 'wasm32-unknown-unknown', profile, 'chatcore_wasm.wasm');
  run('cargo', ['run', '-q', '-p', 'chatcore-wasm-build', '--', 'bindings', built, folder]);
}

/** Shortens the names of imports and exports in the module and in the bindings, and puts similar functions together. */
function shortenNames(folder) {
  const ordered = join(folder, 'core_ordered.wasm');
  writeFileSync(ordered, nameByOrder(readFileSync(join(folder, 'core_opt.wasm'))));
  const names = JSON.parse(run(bin('wasm-opt'), [
    '--reorder-functions-by-name', '--minify-imports-and-exports-and-modules', ...FEATURES, ordered, '-o', join(folder, 'core.wasm'),
  ]).toString());
  let bindings = readFileSync(join(folder, 'core.js'), 'utf8');
  const rename = (from, to) => {
    const parts = bindings.split(from);
    if (parts.length > 1) bindings = parts.join(to);
    return parts.length > 1;
  };
  for (const [module, name, short] of names.imports) {
    rename(`"${module}": `, '"a": ');
    if (!rename(`        ${name}: `, `        ${short}: `)) throw new Error(`the bindings do not give ${name}`);
  }
  // Longest first, because some names are prefixes of others.
  for (const [name, short] of names.exports.sort(([one], [other]) => other.length - one.length)) {
    rename(`wasm.${name}`, `wasm.${short}`);
  }
  writeFileSync(join(folder, 'core.js'), bindings);
}

/**
 * The bindings keep one instance in their module scope. Wrapped in a function, each call of it makes a separate
 * instance. The parameters are the `host` whose functions the module calls, and the globals that the bindings use,
 * because some hosts lack them or have them from another realm.
 */
async function wrapBindings(folder, more) {
  const { outputFiles: [{ text }] } = await build({
    stdin: { contents: `export { ${['initSync, Client, pollTasks, signal, text, piece, failed, redact', ...more].join(', ')} } from './core.js';`, resolveDir: folder },
    bundle: true, write: false, format: 'esm', minify: true, target: 'es2022', logOverride: { 'empty-import-meta': 'silent' },
  });
  const exported = /export\{([^}]*)\};\s*$/;
  if (!exported.test(text)) throw new Error('the bindings export nothing');
  const members = (_, list) => `return{${list.replaceAll(/(\w+) as (\w+)/g, '$2:$1')}}`;
  writeFileSync(join(folder, 'bindings.js'), `export function makeBindings(host, { TextDecoder, TextEncoder, FinalizationRegistry, WebAssembly }) {\n${text.replace(exported, members)}\n}\n`);
}
