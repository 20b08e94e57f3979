// Packs a WebAssembly module for `unpack.ts`, whose mirror it is. Only the build runs it.
import { mixer } from './model.js';

/** Packs `bytes`. */
export function pack(bytes: Uint8Array): Uint8Array {
  const packed: number[] = [];
  let low = 0, high = -1;
  mixer(bytes.slice(), (chance, bit) => {
    const range = high - low >>> 0;
    const middle = low + Math.imul(range >>> 16, chance) + (Math.imul(range & 0xffff, chance) >>> 16) | 0;
    if (bit) high = middle; else low = middle + 1 | 0;
    while ((low ^ high) >>> 24 === 0) {
      packed.push(high >>> 24);
      low <<= 8;
      high = high << 8 | 255;
    }
    return bit;
  })(bytes.length);
  // The end of the last range: whatever follows it is read as zeros, so the low end alone would do if it ended in them.
  packed.push(low >>> 24, low >>> 16 & 255, low >>> 8 & 255, low & 255);
  return Uint8Array.from(packed);
}
