// Prints what a module of the last build is made of: `npm run profile`, or `npm run profile -- all 3` for another module
// and deeper paths. For each Rust module: its code in bytes, what it adds to the gzip of all code, and its functions.
// Code that the compiler inlined counts where it was inlined.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { bin, FEATURES, here, OPTIMISE, run, SMALLEST } from './module.mjs';
import { readModule } from './sections.mjs';

const [name = 'chat', depth = 2] = process.argv.slice(2);
const named = join(here, 'pkg', name, 'core_named.wasm');
run(bin('wasm-opt'), [...OPTIMISE, ...SMALLEST, '-g', ...FEATURES, join(here, 'pkg', name, 'core_bg.wasm'), '-o', named]);
const { imported, bodies, names, data } = readModule(readFileSync(named));
const gzip = (parts) => gzipSync(Buffer.concat(parts), { level: 9 }).length;
console.log(`data: ${data.length} bytes, gzip ${gzip([data])}`);

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
