/** Reads a module: how many functions it imports, the bytes of those that it defines, their names, and its data. */
export function readModule(wasm) {
  let at = 8;
  /** Reads a number in LEB128. */
  const number = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = wasm[at++];
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  const piece = () => {
    const size = number();
    at += size;
    return wasm.subarray(at - size, at);
  };
  /** Skips an import, and says whether it is a function. */
  const isFunction = () => {
    piece();
    piece();
    const kind = wasm[at++];
    // A type's number, or a table's element type, and limits; or a global's type.
    if (kind === 0) number();
    else if (kind === 3) at += 2;
    else {
      if (kind === 1) at += 1;
      if (number() & 1) number();
      number();
    }
    return kind === 0;
  };
  const module = { imported: 0, bodies: [], names: new Map(), data: wasm.subarray(0, 0) };
  while (at < wasm.length) {
    const id = wasm[at++];
    const end = number() + at;
    // Imported functions come first in the numbering.
    if (id === 2) for (let left = number(); left > 0; left -= 1) module.imported += Number(isFunction());
    if (id === 10) module.bodies = Array.from({ length: number() }, piece);
    if (id === 11) module.data = wasm.subarray(at, end);
    if (id === 0 && piece().toString() === 'name') {
      while (at < end) {
        const kind = wasm[at++];
        const stop = number() + at;
        if (kind === 1) for (let left = number(); left > 0; left -= 1) module.names.set(number(), piece().toString());
        at = stop;
      }
    }
    at = end;
  }
  return module;
}
