// The licences of the code of others in the package: the crates in the modules, Rust's library, and what the bundles hold.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { here, run } from './module.mjs';

/** The npm packages whose code is in a bundle. The build fails if the bundles hold others. */
export const BUNDLED = ['fflate', 'hash-wasm'];

const MIT = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation
files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy,
modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the
Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE,
ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;

/** The crates of others in a module. Macros are left out, because their code runs only in the compiler. */
function crates() {
  const platform = 'wasm32-unknown-unknown';
  const tree = run('cargo', [
    'tree', '--quiet', '--locked', '-p', 'chatcore-wasm', '-e', 'normal,no-proc-macro', '--target', platform, '--prefix', 'none', '--format', '{p}',
  ]).toString();
  const inModule = new Set(tree.split('\n').map((line) => line.split(' ').slice(0, 2).join(' ')));
  const { packages } = JSON.parse(run('cargo', ['metadata', '--quiet', '--locked', '--format-version', '1', '--filter-platform', platform]));
  return packages.filter(({ name, version, source }) => source !== null && inModule.has(`${name} v${version}`));
}

/** The text of a licence in a folder: MIT's if there are several. */
function text(folder) {
  const names = readdirSync(folder).sort();
  const name = names.find((one) => /^licen[cs]e-mit/i.test(one)) ?? names.find((one) => /^licen[cs]e(\.\w+)?$/i.test(one));
  return name && readFileSync(join(folder, name), 'utf8').replaceAll('\r', '').trim();
}

/** The file `THIRD-PARTY-LICENSES`. Packages whose texts are the same share one. */
export function licences() {
  const texts = new Map();
  const add = (name, what) => texts.set(what, [...texts.get(what) ?? [], name]);
  for (const { name, version, license, authors, manifest_path: manifest } of crates()) {
    const what = text(dirname(manifest));
    if (!what && !/\bMIT\b/.test(license)) throw new Error(`${name} ${version} has no text of its licence (${license})`);
    add(`${name} ${version}`, what ?? `Copyright (c) ${authors.join(', ')}\n\n${MIT}`);
  }
  add("Rust's standard library", `Copyright (c) The Rust Project Contributors\n\n${MIT}`);
  for (const name of BUNDLED) {
    const folder = join(here, 'node_modules', name);
    add(`${name} ${JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version}`, text(folder));
  }
  // The one hash function of `hash-wasm` that is used has a licence of its own, in the head of its source.
  const hash = join(here, 'node_modules/hash-wasm/src/xxhash3.c');
  if (existsSync(hash)) add('xxHash, in hash-wasm', /\/\*([^]*?)\*\//.exec(readFileSync(hash, 'utf8'))[1].replaceAll(/^ \* ?/gm, '').trim());
  const parts = [...texts].map(([what, names]) => `${names.join(', ')}\n\n${what}\n`);
  return `This package contains code of others.\n\n${parts.join(`\n${'-'.repeat(80)}\n\n`)}`;
}
