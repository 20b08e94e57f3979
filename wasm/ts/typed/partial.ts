// Parses JSON that is still being written, as core/src/typed/partial.rs does. The tests of both read core/cases/partial.json.

/** The maximum nesting depth. */
const MAX_DEPTH = 128;

const enum State {
  /** Before the root. */
  Start,
  /** Before a value. */
  Value,
  /** After `[`. */
  FirstItem,
  /** After `{`. */
  FirstKey,
  /** After a comma in an object. */
  Key,
  InKey,
  AfterKey,
  InString,
  /** In a number or a literal. */
  InScalar,
  /** After a value. */
  AfterValue,
  /** After the root. */
  Done,
}

const enum Step {
  /** The character is used up. */
  Taken,
  /** The same, and the value has grown. */
  Grown,
  /** The value has grown, and the character is not used up. */
  GrownBefore,
  /** The text is not JSON. */
  NotJson,
}

/** An array or an object that is being written, and the place of the member that is being read. */
interface Open { value: unknown[] | Record<string, unknown>; at: string | number; size: number }

/** Everything up to the next quote or backslash. */
const PLAIN = /[^"\\]*/y;
const ESCAPES: Readonly<Record<string, string>> = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };
const REPLACEMENT = '\ufffd';

/**
 * @internal
 * The value holds everything that has arrived so far: strings grow piece by piece, and a number, `true`, `false` or
 * `null` appears once it is complete. Each character is read once. Text before the first `{` or `[` is skipped, and so
 * is text after the end. If the text turns out not to be JSON, the value is that of the next object or array.
 */
export class PartialJson {
  readonly #isObject: boolean;
  #root: unknown = null;
  /** The open arrays and objects, outermost first. */
  #open: Open[] = [];
  #state = State.Start;
  /** The text of the string, key, number or literal being read. */
  #text = '';
  /** Undefined outside of an escape sequence, empty after a backslash, else `u` and the digits so far. */
  #escape: string | undefined;
  /** The first half of a surrogate pair whose second half has not arrived yet. */
  #high = '';
  /** Whether the caller has the value, which then must not be changed. */
  #isShared = false;

  /** `isObject`: only an object is accepted as the root. */
  constructor(isObject = false) {
    this.#isObject = isObject;
  }

  /** The value so far; null before it begins. It is not changed later: a grown value is a new one that shares what is complete. */
  get value(): unknown {
    this.#isShared = true;
    return this.#root;
  }

  get isComplete(): boolean {
    return this.#state === State.Done;
  }

  /** The number of members that must be copied when a value that the caller has grows. */
  get width(): number {
    return this.#open.reduce((sum, { size }) => sum + size, 0);
  }

  /** Reads the next piece of the text. Returns whether the value has grown. */
  feed(piece: string): boolean {
    let hasGrown = false;
    let at = 0;
    while (at < piece.length) {
      if ((this.#state === State.InString || this.#state === State.InKey) && this.#escape === undefined) {
        PLAIN.lastIndex = at;
        const [plain] = PLAIN.exec(piece)!;
        if (plain) {
          this.#endPair();
          this.#text += plain;
          at += plain.length;
          if (at === piece.length) break;
        }
      }
      const char = piece[at]!;
      const step = this.#step(char);
      if (step === Step.NotJson) {
        hasGrown ||= this.#root !== null;
        this.#reset();
        // The brace that made the text invalid may also begin the next value.
        if (char !== '{' && char !== '[') at += 1;
        continue;
      }
      hasGrown ||= step !== Step.Taken;
      if (step !== Step.GrownBefore) at += 1;
    }
    return this.#flush() || hasGrown;
  }

  #reset(): void {
    this.#root = null;
    this.#open = [];
    this.#state = State.Start;
    this.#text = '';
    this.#escape = undefined;
    this.#high = '';
    this.#isShared = false;
  }

  #step(char: string): Step {
    switch (this.#state) {
      case State.Done: return Step.Taken;
      case State.Start: return char === '{' || (char === '[' && !this.#isObject) ? this.#begin(char) : Step.Taken;
      case State.InString: case State.InKey: return this.#inString(char);
      case State.InScalar: return this.#inScalar(char);
    }
    if (char === ' ' || char === '\t' || char === '\n' || char === '\r') return Step.Taken;
    switch (this.#state) {
      case State.FirstItem: return char === ']' ? this.#close() : this.#begin(char);
      case State.Value: return this.#begin(char);
      case State.FirstKey: return char === '}' ? this.#close() : this.#key(char);
      case State.Key: return this.#key(char);
      case State.AfterKey: return char === ':' ? this.#go(State.Value) : Step.NotJson;
    }
    const isArray = Array.isArray(this.#open.at(-1)?.value);
    if (char === ',') return this.#go(isArray ? State.Value : State.Key);
    return char === (isArray ? ']' : '}') ? this.#close() : Step.NotJson;
  }

  #go(state: State): Step {
    this.#state = state;
    return Step.Taken;
  }

  #key(char: string): Step {
    return char === '"' ? this.#go(State.InKey) : Step.NotJson;
  }

  /** Begins a value with its first character. */
  #begin(char: string): Step {
    if (/[-0-9tfn]/.test(char)) {
      this.#text += char;
      return this.#go(State.InScalar);
    }
    if (!/[{["]/.test(char) || this.#open.length === MAX_DEPTH) return Step.NotJson;
    const value = char === '{' ? {} : char === '[' ? [] : '';
    this.#put(value);
    if (typeof value !== 'string') this.#open.push({ value, at: '', size: 0 });
    this.#state = char === '{' ? State.FirstKey : char === '[' ? State.FirstItem : State.InString;
    return Step.Grown;
  }

  #close(): Step {
    this.#open.pop();
    return this.#go(this.#open.length === 0 ? State.Done : State.AfterValue);
  }

  #inScalar(char: string): Step {
    if (/[\w+.-]/.test(char) && char !== '_') {
      this.#text += char;
      return Step.Taken;
    }
    let value: unknown;
    try {
      value = JSON.parse(this.#text);
    } catch {
      return Step.NotJson;
    }
    this.#text = '';
    this.#put(value);
    this.#state = State.AfterValue;
    return Step.GrownBefore;
  }

  #inString(char: string): Step {
    if (this.#escape === undefined) {
      if (char !== '\\') return this.#endString();
      this.#escape = '';
    } else if (this.#escape === '') {
      if (char === 'u') {
        this.#escape = 'u';
        return Step.Taken;
      }
      this.#escape = undefined;
      this.#endPair();
      const meant = ESCAPES[char];
      if (meant === undefined) return Step.NotJson;
      this.#text += meant;
    } else {
      if (!/[0-9a-f]/i.test(char)) return Step.NotJson;
      this.#escape += char;
      if (this.#escape.length === 5) {
        this.#unit(parseInt(this.#escape.slice(1), 16));
        this.#escape = undefined;
      }
    }
    return Step.Taken;
  }

  /** Adds a character, or half of a pair, that was written as `\u…`. */
  #unit(unit: number): void {
    const isLow = unit >= 0xdc00 && unit < 0xe000;
    if (this.#high) {
      this.#text += isLow ? this.#high + String.fromCharCode(unit) : REPLACEMENT;
      this.#high = '';
      if (isLow) return;
    }
    if (unit >= 0xd800 && unit < 0xdc00) this.#high = String.fromCharCode(unit);
    else this.#text += isLow ? REPLACEMENT : String.fromCharCode(unit);
  }

  /** Replaces the first half of a surrogate pair whose second half did not follow. */
  #endPair(): void {
    if (this.#high) this.#text += REPLACEMENT;
    this.#high = '';
  }

  #endString(): Step {
    this.#endPair();
    if (this.#state === State.InKey) {
      this.#open.at(-1)!.at = this.#text;
      this.#text = '';
      return this.#go(State.AfterKey);
    }
    const hasGrown = this.#flush();
    this.#state = State.AfterValue;
    return hasGrown ? Step.Grown : Step.Taken;
  }

  /** Moves the text read so far to the string in the value. Returns whether there was any. */
  #flush(): boolean {
    if (this.#state !== State.InString || this.#text === '') return false;
    this.#own();
    const { value, at } = this.#open.at(-1)!;
    set(value, at, (value as Record<string, string>)[at]! + this.#text);
    this.#text = '';
    return true;
  }

  /** Adds a value to the innermost container. */
  #put(value: unknown): void {
    this.#own();
    const open = this.#open.at(-1);
    if (!open) {
      this.#root = value;
      return;
    }
    if (Array.isArray(open.value)) open.at = open.value.length;
    set(open.value, open.at, value);
    open.size += 1;
  }

  /** Copies the open containers if the caller has them. */
  #own(): void {
    if (!this.#isShared) return;
    this.#isShared = false;
    let above: Open | undefined;
    for (const open of this.#open) {
      open.value = Array.isArray(open.value) ? [...open.value] : { ...open.value };
      if (above) set(above.value, above.at, open.value);
      else this.#root = open.value;
      above = open;
    }
  }
}

function set(container: unknown[] | Record<string, unknown>, at: string | number, value: unknown): void {
  // An assignment would set the prototype.
  if (at === '__proto__') Object.defineProperty(container, at, { value, enumerable: true, configurable: true, writable: true });
  else (container as Record<string | number, unknown>)[at] = value;
}
