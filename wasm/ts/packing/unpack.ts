// Unpacks the WebAssembly that the default entry has inlined: a third smaller than what hosts inflate
// themselves. It is our own because no library is so small that its gain would pay for it.
import { pause } from '../base/pause.js';
import { mixer } from './model.js';

/** Bytes between two pauses: about as long as a frame of a page. */
const SLICE = 8192;

/** Unpacks `size` bytes. */
export async function unpack(packed: Uint8Array, size: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(size);
  // The ends of the range, and where in it the code is; in an array, where engines keep them unboxed.
  const state = Int32Array.of(0, -1, 0);
  let read = 0;
  const shift = () => {
    state[2] = state[2]! << 8 | (read < packed.length ? packed[read]! : 0);
    read += 1;
  };
  for (let n = 0; n < 4; n += 1) shift();
  const run = mixer(bytes, (chance) => {
    let low = state[0]!, high = state[1]!;
    const range = high - low >>> 0;
    const middle = low + Math.imul(range >>> 16, chance) + (Math.imul(range & 0xffff, chance) >>> 16) | 0;
    const bit = state[2]! >>> 0 <= middle >>> 0 ? 1 : 0;
    if (bit) high = middle; else low = middle + 1 | 0;
    while ((low ^ high) >>> 24 === 0) {
      low <<= 8;
      high = high << 8 | 255;
      shift();
    }
    state[0] = low;
    state[1] = high;
    return bit;
  });
  for (let until = SLICE; ; until += SLICE) {
    run(Math.min(until, size));
    if (until >= size) return bytes;
    await pause();
  }
}
