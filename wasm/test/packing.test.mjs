// The packing of the module: what is packed is unpacked again, and nothing that was damaged hangs.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { build } from 'esbuild';

async function load(file) {
  const { outputFiles: [{ text }] } = await build({
    entryPoints: [new URL(`../ts/packing/${file}`, import.meta.url).pathname],
    bundle: true, write: false, format: 'esm', target: 'es2022',
  });
  return import(`data:text/javascript,${encodeURIComponent(text)}`);
}
const [{ pack }, { unpack }] = [await load('pack.ts'), await load('unpack.ts')];
const wasm = readFileSync(new URL('../dist/core.wasm', import.meta.url));

test('what is packed is unpacked again', async () => {
  const inputs = {
    nothing: [], 'one byte': [7], zeros: new Uint8Array(5000), ones: new Uint8Array(5000).fill(255),
    'random bytes': randomBytes(20_000), text: Buffer.from('The rain in Spain. '.repeat(200)),
    'a header alone': wasm.subarray(0, 8), 'a module that is cut': wasm.subarray(0, 30_001), 'the end of one': wasm.subarray(-9000),
  };
  for (const [name, input] of Object.entries(inputs)) {
    const bytes = Uint8Array.from(input);
    const packed = pack(bytes);
    assert.deepEqual(await unpack(packed, bytes.length), bytes, name);
    assert.ok(packed.length <= bytes.length * 1.02 + 16, `${name}: ${packed.length} of ${bytes.length}`);
  }
});

test('what is damaged or cut ends all the same', async () => {
  const packed = pack(Uint8Array.from(wasm.subarray(0, 20_000)));
  for (const damaged of [packed.subarray(0, 100), new Uint8Array(), packed.map((byte, at) => (at === 500 ? byte ^ 1 : byte)), randomBytes(3000)]) {
    assert.equal((await unpack(damaged, 20_000)).length, 20_000);
  }
});
