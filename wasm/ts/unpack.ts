// LZMA, as the build packs the module: a fifth smaller than what hosts can inflate themselves.

// Where each group of probabilities begins. The module is packed with lc 4, lp 0 and pb 0.
const IS_MATCH = 0, IS_REP = 12, IS_REP_0 = 24, IS_REP_1 = 36, IS_REP_2 = 48, IS_LONG = 60;
const SLOT = 72, SPECIAL = 328, ALIGN = 456, LENGTH = 472, REP_LENGTH = 746, LITERAL = 1020;

/** Unpacks raw LZMA of `size` bytes. */
export function unpack(packed: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(size);
  const probabilities = new Uint16Array(LITERAL + (0x300 << 4)).fill(1024);
  let read = 5;
  // The range and the code of the decoder; in an array, where engines keep them unboxed.
  const coder = Uint32Array.of(0xffffffff, new DataView(packed.buffer, packed.byteOffset).getUint32(1));

  const bit = (at: number): number => {
    const probability = probabilities[at] as number;
    let range = coder[0] as number, code = coder[1] as number, one = 0;
    const bound = Math.imul(range >>> 11, probability) >>> 0;
    if (code < bound) {
      range = bound;
      probabilities[at] = probability + ((2048 - probability) >> 5);
    } else {
      one = 1;
      range -= bound;
      code -= bound;
      probabilities[at] = probability - (probability >> 5);
    }
    if (range < 0x1000000) {
      range <<= 8;
      code = code << 8 | (packed[read++] as number);
    }
    coder[0] = range;
    coder[1] = code;
    return one;
  };
  const tree = (at: number, bits: number): number => {
    let node = 1;
    for (let n = 0; n < bits; n += 1) node = node << 1 | bit(at + node);
    return node - (1 << bits);
  };
  const reverse = (at: number, bits: number): number => {
    let node = 1, value = 0;
    for (let n = 0; n < bits; n += 1) {
      const one = bit(at + node);
      node = node << 1 | one;
      value |= one << n;
    }
    return value;
  };
  const length = (at: number): number => {
    if (!bit(at)) return 2 + tree(at + 2, 3);
    return bit(at + 1) ? 18 + tree(at + 18, 8) : 10 + tree(at + 10, 3);
  };
  const distance = (length: number): number => {
    const slot = tree(SLOT + 64 * Math.min(length - 2, 3), 6);
    if (slot < 4) return slot;
    const bits = (slot >> 1) - 1;
    const base = (2 | slot & 1) << bits;
    if (slot < 14) return base + reverse(SPECIAL + base - slot, bits);
    let direct = 0;
    for (let n = 4; n < bits; n += 1) {
      const half = (coder[0] as number) >>> 1;
      const one = +((coder[1] as number) >= half);
      direct = direct << 1 | one;
      coder[0] = half;
      coder[1] = (coder[1] as number) - (one && half);
      if (half < 0x1000000) {
        coder[0] = half << 8;
        coder[1] = (coder[1] as number) << 8 | (packed[read++] as number);
      }
    }
    return base + (direct << 4) + reverse(ALIGN, 4);
  };
  const literal = (at: number, state: number, far: number): number => {
    const group = LITERAL + 0x300 * ((out[at - 1] ?? 0) >> 4);
    let node = 1;
    if (state > 6) {
      let matched = out[at - far - 1] as number;
      while (node < 256) {
        const expected = matched >> 7 & 1;
        matched <<= 1;
        const one = bit(group + 256 + (expected << 8) + node);
        node = node << 1 | one;
        if (one !== expected) break;
      }
    }
    while (node < 256) node = node << 1 | bit(group + node);
    return node;
  };

  let state = 0;
  // The last four distances, the newest first.
  let far = 0, far1 = 0, far2 = 0, far3 = 0;
  for (let at = 0; at < size;) {
    if (!bit(IS_MATCH + state)) {
      out[at] = literal(at, state, far);
      at += 1;
      state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
      continue;
    }
    let count = 1;
    if (!bit(IS_REP + state)) {
      [far3, far2, far1] = [far2, far1, far];
      count = length(LENGTH);
      far = distance(count);
      state = state < 7 ? 7 : 10;
    } else {
      let long = 1;
      if (!bit(IS_REP_0 + state)) {
        long = bit(IS_LONG + state);
      } else if (!bit(IS_REP_1 + state)) {
        [far1, far] = [far, far1];
      } else if (!bit(IS_REP_2 + state)) {
        [far2, far1, far] = [far1, far, far2];
      } else {
        [far3, far2, far1, far] = [far2, far1, far, far3];
      }
      if (long) count = length(REP_LENGTH);
      state = state < 7 ? 9 - long : 11;
    }
    for (const end = at + count; at < end; at += 1) out[at] = out[at - far - 1] as number;
  }
  return out;
}
