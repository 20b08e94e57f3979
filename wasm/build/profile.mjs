// Prints what a module of the last build is made of: `npm run profile`, or `npm run profile -- all 3` for another module
// and deeper paths. For each Rust module: its code in bytes, what it adds to the gzip of all code, and its functions.
// Code that the compiler inlined counts where it was inlined.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { bin, FEATURES, here, OPTIMISE, run } from './module.mjs';

const [name = 'chat', depth = 2] = process.argv.slice(2);
const named = join(here, 'pkg', name, 'core_named.wasm');
run(bin('wasm-opt'), [...OPTIMISE, '-Oz', '--converge', '-g', ...FEATURES, join(here, 'pkg', name, 'core_bg.wasm'), '-o', named]);
const bytes = readFileSync(named);
const gzip = (parts) => gzipSync(Buffer.concat(parts), { level: 9 }).length;

let at = 0;
/** Reads a number in LEB128. */
function number() {
  let value = 0;
  for (let scale = 1; ; scale *= 128) {
    const byte = bytes[at++];
    value += (byte & 127) * scale;
    if (byte < 128) return value;
  }
}
function piece() {
  const size = number();
  at += size;
  return bytes.subarray(at - size, at);
}
/** How many imports are functions; they come first in the numbering. */
function importedFunctions() {
  let count = 0;
  for (let left = number(); left > 0; left -= 1) {
    piece();
    piece();
    const kind = bytes[at++];
    if (kind === 0) count += 1;
    // A type's number, or a table's element type, and limits; or a global's type.
    if (kind === 0) number();
    else if (kind === 3) at += 2;
    else {
      if (kind === 1) at += 1;
      if (number() & 1) number();
      number();
    }
  }
  return count;
}

let imported = 0;
let bodies = [];
const names = new Map();
for (at = 8; at < bytes.length;) {
  const id = bytes[at++];
  const end = number() + at;
  if (id === 2) imported = importedFunctions();
  if (id === 10) bodies = Array.from({ length: number() }, piece);
  if (id === 11) console.log(`data: ${end - at} bytes, gzip ${gzip([bytes.subarray(at, end)])}`);
  if (id === 0 && piece().toString() === 'name') {
    while (at < end) {
      const kind = bytes[at++];
      const stop = number() + at;
      if (kind === 1) for (let left = number(); left > 0; left -= 1) names.set(number(), piece().toString());
      at = stop;
    }
  }
  at = end;
}

/** `<a::B as c::D>::e` belongs to `a::B`. */
function moduleOf(name) {
  const plain = name.replaceAll(/\[[0-9a-f]{8,}\]/g, '');
  if (plain.startsWith('core::ptr::drop_')) return 'dropping values';
  const path = plain.replace(/^[<&*]*(?:(?:mut|dyn|const) )*/, '').split(/ as |[<>{]/)[0];
  return path.split('::').filter(Boolean).slice(0, Number(depth)).join('::');
}

const modules = new Map();
for (const place of bodies.keys()) {
  const module = moduleOf(names.get(place + imported) ?? 'without a name');
  modules.set(module, [...modules.get(module) ?? [], place]);
}
const all = gzip(bodies);
console.log(`code: ${bodies.reduce((sum, { length }) => sum + length, 0)} bytes, gzip ${all}, ${bodies.length} functions\n\n bytes   gzip functions`);
const rows = [...modules].map(([module, places]) => {
  const own = new Set(places);
  return { module, count: own.size, size: places.reduce((sum, place) => sum + bodies[place].length, 0), share: all - gzip(bodies.filter((_, place) => !own.has(place))) };
});
for (const { module, count, size, share } of rows.filter(({ size }) => size >= 500).sort((a, b) => b.size - a.size)) {
  console.log(`${String(size).padStart(6)} ${String(share).padStart(6)} ${String(count).padStart(9)}  ${module}`);
}
