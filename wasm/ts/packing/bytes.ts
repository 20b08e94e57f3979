// What the next byte of a WebAssembly module is, so that it can be predicted: enough of a parser to
// know. Where it errs, as with rare instructions, only the prediction is worse.

/** Kinds of bytes: of the module, of a section that is not the code's (and its number), of a body. */
const HEADER = 0, ID = 1, SIZE = 2, SECTION = 16, BODIES = 32, BODY = 33, GROUPS = 34, LOCALS = 35, TYPE = 36;
/** An opcode. */
export const OPCODE = 40;
/** The first byte of an immediate, and of which; further bytes have `FURTHER` more. */
const IMMEDIATE = 64, FURTHER = 128;
const BLOCK = 1, DEPTH = 2, TABLE = 3, ENTRY = 4, CALLEE = 5, SIGNATURE = 6, INDEX = 7, LOCAL = 8, GLOBAL = 9;
const ALIGN = 10, OFFSET = 11, I32 = 12, I64 = 13, RAW = 14, PREFIXED = 15;

const CODE_SECTION = 10;
/** How many contexts there are. */
export const CONTEXTS = 5;

/** Mixes two numbers into one of 32 bits. */
export function hash(one: number, other: number): number {
  const mixed = Math.imul(one ^ Math.imul(other, 0x9e3779b1), 0x2c1b3c6d);
  return mixed ^ mixed >>> 15;
}

/** The immediates of each opcode, the first one in the lowest four bits. */
function immediates(): Uint8Array {
  const of = new Uint8Array(256);
  of.fill(BLOCK, 0x02, 0x05).fill(DEPTH, 0x0c, 0x0e).fill(LOCAL, 0x20, 0x23).fill(GLOBAL, 0x23, 0x25).fill(INDEX, 0x25, 0x27);
  of.fill(ALIGN | OFFSET << 4, 0x28, 0x3f).fill(INDEX, 0x3f, 0x41).fill(RAW, 0x43, 0x45);
  of.set([TABLE], 0x0e);
  of.set([CALLEE, SIGNATURE | INDEX << 4], 0x10);
  of.set([I32, I64], 0x41);
  of.set([PREFIXED], 0xfc);
  return of;
}

const CLEARS = -8;

/** What each opcode does to the height of the stack. */
function heights(): Int8Array {
  const of = new Int8Array(256);
  for (const opcode of [0x00, 0x02, 0x03, 0x05, 0x0b, 0x0c, 0x0f]) of[opcode] = CLEARS;
  for (const opcode of [0x20, 0x23, 0x41, 0x42, 0x44]) of[opcode] = 1;
  for (const opcode of [0x04, 0x0d, 0x1a, 0x21, 0x24]) of[opcode] = -1;
  of.fill(-2, 0x36, 0x3f).fill(-2, 0x1b, 0x1c);
  // Of two numbers one.
  return of.fill(-1, 0x46, 0x50).fill(-1, 0x51, 0x5b).fill(-1, 0x6a, 0x79).fill(-1, 0x7c, 0x8b);
}

/** The place that was reached in a module. */
export class Place {
  /** What the next byte is. */
  kind = HEADER;
  /** The last four opcodes of this body, the last one in the lowest byte. */
  opcodes = 0;
  /** Hashes of what the next byte may depend on. */
  readonly contexts = new Int32Array(CONTEXTS);
  /** The last four bytes, and the two before. */
  #recent = 0; #before = 0;
  #section = 0; #sectionLeft = 8; #bodyLeft = 0; #groups = 0;
  /** The LEB128 number that is being read, and how many bytes of it were. */
  #value = 0; #read = 0;
  /** The immediates to come, the present one in the lowest four bits; and its entries, or its bytes. */
  #pending = 0; #entries = 0;
  #opcode = 0; #height = 0;
  /** The last immediate of each opcode. */
  readonly #last = new Int32Array(256);
  readonly #immediates = immediates();
  readonly #heights = heights();

  constructor() { this.#see(); }

  /** A hash of the last six bytes. */
  lastSix(): number { return hash(this.#recent, this.#before); }

  /** Goes on by one byte. */
  pass(byte: number): void {
    this.#before = (this.#before << 8 | this.#recent >>> 24) & 0xffff;
    this.#recent = this.#recent << 8 | byte;
    this.#take(byte);
    this.#see();
  }

  #see(): void {
    const { kind, contexts, opcodes } = this;
    const recent = this.#recent;
    if (kind >= BODIES) {
      const place = hash(kind, kind > IMMEDIATE ? this.#value + 1 + (this.#read << 24) : 0);
      contexts[0] = hash(place, opcodes);
      contexts[1] = place;
      contexts[2] = hash(hash(place, opcodes & 0xff), this.#height);
      contexts[3] = hash(hash(place, opcodes & 0xffff), this.#last[this.#opcode]!);
      contexts[4] = hash(kind, recent & 0xffff);
    } else {
      contexts[0] = hash(kind, recent & 0xff);
      contexts[1] = hash(kind, recent & 0xffff);
      contexts[2] = hash(kind, recent & 0xffffff);
      contexts[3] = hash(kind, recent);
      contexts[4] = kind;
    }
    for (let n = 0; n < CONTEXTS; n += 1) contexts[n] = hash(contexts[n]!, n + 1);
  }

  #begin(kind: number): void {
    this.kind = kind;
    this.#value = this.#read = 0;
  }

  #take(byte: number): void {
    const kind = this.kind, ends = byte < 128;
    this.#value |= (byte & 127) << 7 * this.#read;
    this.#read += 1;
    this.#sectionLeft -= 1;
    this.#bodyLeft -= 1;
    if (kind === OPCODE) {
      this.#operate(byte);
    } else if (kind >= IMMEDIATE) {
      this.#immediate(ends);
    } else if (kind === ID) {
      this.#section = byte;
      this.#sectionLeft = -1;
      this.#begin(SIZE);
    } else if (kind === SIZE) {
      this.#sectionLeft = ends ? this.#value : -1;
      if (ends) this.#begin(this.#section === CODE_SECTION ? BODIES : SECTION + (this.#section & 15));
    } else if (ends) {
      if (kind === BODIES) this.#begin(BODY);
      else if (kind === BODY) {
        this.#bodyLeft = this.#value;
        this.opcodes = this.#height = 0;
        this.#begin(GROUPS);
      } else if (kind === GROUPS) {
        this.#groups = this.#value;
        this.#begin(this.#groups ? LOCALS : OPCODE);
      } else if (kind === LOCALS) this.#begin(TYPE);
      else if (kind === TYPE) this.#begin(--this.#groups > 0 ? LOCALS : OPCODE);
    }
    if (this.kind > BODY && this.#bodyLeft === 0) this.#begin(BODY);
    if (this.#sectionLeft === 0) this.#begin(ID);
  }

  #operate(opcode: number): void {
    const height = this.#heights[opcode]!;
    this.#height = height === CLEARS ? 0 : Math.max(0, this.#height + height);
    this.#opcode = opcode;
    this.opcodes = this.opcodes << 8 | opcode;
    // The bytes of a float.
    this.#entries = opcode === 0x44 ? 8 : 4;
    this.#expect(this.#immediates[opcode]!);
  }

  #expect(pending: number): void {
    this.#pending = pending;
    this.#begin(pending ? IMMEDIATE + (pending & 15) : OPCODE);
  }

  #immediate(ends: boolean): void {
    const which = this.#pending & 15, value = this.#value;
    if (which === RAW ? --this.#entries > 0 : !ends) {
      this.kind = IMMEDIATE + FURTHER + which;
    } else if (which === TABLE) {
      this.#entries = value + 1;
      this.#expect(ENTRY);
    } else if (which === ENTRY && --this.#entries > 0) {
      this.#expect(ENTRY);
    } else if (which === PREFIXED) {
      this.#expect(value === 10 ? INDEX | INDEX << 4 : value === 11 || value > 14 ? INDEX : 0);
    } else {
      if (which === CALLEE) this.#height = 0;
      this.#last[this.#opcode] = value;
      this.#expect(this.#pending >> 4);
    }
  }
}
