// Predicts a WebAssembly module bit by bit, by context mixing: what each of some contexts says is
// mixed with weights that are learned on the way (M. Mahoney, "Adaptive weighing of context models for
// lossless data compression", 2005). All of it is arithmetic that every host rounds alike, so that
// who unpacks predicts what who packed did.
import { hash, OPCODE, Place } from './bytes.js';

/** Slots of probabilities: 16 for each nibble in a context. A slot holds 22 signed bits, and how often it was seen. */
const SLOT_BITS = 22, HALF = 1 << 21, MOST_SEEN = 7;
/** What is mixed: five contexts, and the longest match. */
const INPUTS = 6;
const FIRST_WEIGHT = 0.3, LEARN = 0.01;
/** The logistic function in steps: so many for each unit, so many in all. */
const STEPS = 170, RANGE = 4096;
const MATCH_BITS = 17, LONGEST = 31, LEAST = 5;

const step = (sum: number) => {
  const at = sum * STEPS + RANGE / 2 | 0;
  return at < 0 ? 0 : at >= RANGE ? RANGE - 1 : at;
};

/** The logistic function, which makes probabilities of sums, and its inverse. */
function logistic(): [Float64Array, Float64Array] {
  const squash = new Float64Array(RANGE), stretch = new Float64Array(RANGE);
  for (let n = 0; n < RANGE; n += 1) {
    // e^-x as (1 - x/1024)^1024: hosts differ in the last bits of Math.exp.
    let e = 1 - (n - RANGE / 2 + 0.5) / STEPS / 1024;
    for (let square = 0; square < 10; square += 1) e *= e;
    squash[n] = 1 / (1 + e);
  }
  for (let n = 0, at = 0; n < RANGE; n += 1) {
    while (at < RANGE - 1 && squash[at]! * RANGE < n + 0.5) at += 1;
    stretch[n] = (at - RANGE / 2) / STEPS;
  }
  return [squash, stretch];
}

/** Is told how probable a 1 is, of 65,536, and what the bit is; gives the bit, which who unpacks knows from elsewhere. */
export type Coder = (chance: number, bit: number) => number;

/** Gives a function that goes on through `bytes` to a position, and writes down the bits that `code` gives. */
export function mixer(bytes: Uint8Array, code: Coder): (until: number) => void {
  const [squash, stretch] = logistic();
  const place = new Place();
  const { contexts } = place;
  const slots = new Int32Array(1 << SLOT_BITS);
  const rates = Int32Array.from({ length: MOST_SEEN + 1 }, (_, seen) => 1024 / (seen + 1.25));
  // The weights: one mixer has a set for each opcode and kind of byte, the other for the bits so far.
  const byKind = new Float64Array(512 * INPUTS).fill(FIRST_WEIGHT);
  const byBits = new Float64Array(2048 * INPUTS).fill(FIRST_WEIGHT);
  // Where the last six bytes were followed by what; how long the match is, and how good such matches were.
  const followed = new Int32Array(1 << MATCH_BITS);
  const trust = new Float64Array(LONGEST + 1).fill(0.75);
  let match = 0, length = 0;

  const slot = (context: number, bits: number) => hash(context, bits) >>> 32 - SLOT_BITS & ~15;
  const said = (slot: number) => stretch[(slots[slot]! >> 14) + RANGE / 2]!;
  const learn = (slot: number, target: number) => {
    const old = slots[slot]!, seen = old & 15, chance = old >> 4;
    slots[slot] = chance + (Math.imul(target - chance >> 6, rates[seen]!) >> 4) << 4 | (seen < MOST_SEEN ? seen + 1 : seen);
  };

  /** Four bits, of which the first is worth `1 << left`. */
  const nibble = (position: number, bits: number, left: number, kinds: number, sets: number): number => {
    const s0 = slot(contexts[0]!, bits), s1 = slot(contexts[1]!, bits), s2 = slot(contexts[2]!, bits);
    const s3 = slot(contexts[3]!, bits), s4 = slot(contexts[4]!, bits);
    for (let node = 1; node < 16; left -= 1) {
      const i0 = said(s0 + node), i1 = said(s1 + node), i2 = said(s2 + node), i3 = said(s3 + node), i4 = said(s4 + node);
      // What followed the match.
      let expected = -1, i5 = 0;
      const trusted = length < LONGEST ? length : LONGEST;
      if (length > 0) {
        const byte = bytes[match]! | 256;
        if (byte >> left + 1 === bits) {
          expected = byte >> left & 1;
          i5 = stretch[trust[trusted]! * RANGE | 0]!;
          if (!expected) i5 = -i5;
        } else {
          length = 0;
        }
      }
      const k = kinds * INPUTS, b = (sets | bits) * INPUTS;
      const one = i0 * byKind[k]! + i1 * byKind[k + 1]! + i2 * byKind[k + 2]! + i3 * byKind[k + 3]! + i4 * byKind[k + 4]! + i5 * byKind[k + 5]!;
      const two = i0 * byBits[b]! + i1 * byBits[b + 1]! + i2 * byBits[b + 2]! + i3 * byBits[b + 3]! + i4 * byBits[b + 4]! + i5 * byBits[b + 5]!;
      const bit = code(squash[step((one + two) / 2)]! * 65535 + 0.5 | 0, bytes[position]! >> left & 1);
      // What was right is believed more.
      const d = (bit - squash[step(one)]!) * LEARN, e = (bit - squash[step(two)]!) * LEARN;
      byKind[k]! += i0 * d; byKind[k + 1]! += i1 * d; byKind[k + 2]! += i2 * d;
      byKind[k + 3]! += i3 * d; byKind[k + 4]! += i4 * d; byKind[k + 5]! += i5 * d;
      byBits[b]! += i0 * e; byBits[b + 1]! += i1 * e; byBits[b + 2]! += i2 * e;
      byBits[b + 3]! += i3 * e; byBits[b + 4]! += i4 * e; byBits[b + 5]! += i5 * e;
      const target = bit ? HALF - 64 : 64 - HALF;
      learn(s0 + node, target); learn(s1 + node, target); learn(s2 + node, target); learn(s3 + node, target); learn(s4 + node, target);
      if (expected >= 0) {
        const right = expected === bit ? 1 : 0;
        trust[trusted]! += (right - trust[trusted]!) / 64;
        if (!right) length = 0;
      }
      bits = bits << 1 | bit;
      node = node << 1 | bit;
    }
    return bits;
  };

  let position = 0;
  return (until) => {
    for (; position < until; position += 1) {
      const isOpcode = place.kind === OPCODE;
      const kinds = isOpcode ? 256 + (place.opcodes & 255) : place.kind;
      const sets = (isOpcode ? 256 : 0) | (length > 15 ? 512 : length > 0 ? 1024 : 0);
      const byte = nibble(position, nibble(position, 1, 7, kinds, sets), 3, kinds, sets) & 255;
      bytes[position] = byte;
      place.pass(byte);
      if (length > 0) {
        match += 1;
        length += 1;
      }
      const key = place.lastSix() >>> 32 - MATCH_BITS;
      if (length === 0) {
        match = followed[key]!;
        while (length < LONGEST && match > length && bytes[match - 1 - length] === bytes[position - length]) length += 1;
        if (length < LEAST) length = 0;
      }
      followed[key] = position + 1;
    }
  };
}
