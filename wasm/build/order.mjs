// The order of a module's functions. Compression finds a repetition best when it is near, and the compiler's order puts
// similar functions far apart. So each function is followed by the one that shares most with those just before it.
import { readModule } from './sections.mjs';

/** The fewest bytes of a repetition that counts. Shorter ones are in most functions. */
const RUN = 5;

/** A function is compared with so many bytes of those before it. This number gave the smallest module. */
const WINDOW = 3000;

/** A run of bytes in more functions than this is ignored: it does not say which of them are similar. */
const COMMON = 200;

/** A call writes the index of a function below this number in one byte. */
const SHORT = 128;

/**
 * Returns the module with a name for each function, so that `wasm-opt --reorder-functions-by-name` puts them in the better
 * order. The functions that are called most come first in `wasm`, and stay in front, because their indexes are short.
 */
export function nameByOrder(wasm) {
  const { imported, bodies } = readModule(wasm);
  const all = [...bodies.keys()];
  const short = Math.max(SHORT - imported, 0);
  const order = byLikeness(bodies.map(runs), bodies, [all.slice(0, short), all.slice(short)]);
  const names = [];
  for (const [rank, place] of order.entries()) names[place] = `${rank}`.padStart(6, '0');
  const map = names.flatMap((name, place) => [...leb(place + imported), name.length, ...Buffer.from(name)]);
  const functions = [...leb(names.length), ...map];
  const section = [4, ...Buffer.from('name'), 1, ...leb(functions.length), ...functions];
  return Buffer.concat([wasm, Buffer.from([0, ...leb(section.length), ...section])]);
}

/** Orders the functions within each group. The groups follow each other as they are given. */
function byLikeness(runsOf, bodies, groups) {
  /** The functions that hold a run. */
  const holders = new Map();
  for (const [place, own] of runsOf.entries()) {
    for (const run of own) holders.get(run)?.push(place) ?? holders.set(run, [place]);
  }
  /** For each function, how many of its runs are in the window. */
  const scores = new Float64Array(bodies.length);
  /** For each run, how many functions of the window hold it. */
  const counts = new Map();
  /** Adds a function to the window (1), or removes it (-1). */
  const count = (place, step) => {
    for (const run of runsOf[place]) {
      const before = counts.get(run) ?? 0;
      counts.set(run, before + step);
      const like = holders.get(run);
      if (Math.min(before, before + step) === 0 && like.length <= COMMON) for (const other of like) scores[other] += step;
    }
  };
  const order = [];
  let oldest = 0;
  let held = 0;
  for (const group of groups) {
    for (const left = new Set(group); left.size > 0;) {
      let best = -1;
      let most = -1;
      for (const place of left) {
        const score = scores[place] / (runsOf[place].size + 20);
        if (score > most) [best, most] = [place, score];
      }
      left.delete(best);
      order.push(best);
      count(best, 1);
      for (held += bodies[best].length; held > WINDOW && oldest < order.length - 1; oldest += 1) {
        count(order[oldest], -1);
        held -= bodies[order[oldest]].length;
      }
    }
  }
  return order;
}

/** The different runs of bytes in a function. */
function runs(body) {
  const found = new Set();
  for (let at = 0; at + RUN <= body.length; at += 1) found.add(body.toString('latin1', at, at + RUN));
  return found;
}

/** A number in LEB128. */
function leb(value) {
  const bytes = [];
  for (; value > 127; value >>>= 7) bytes.push(value & 127 | 128);
  return [...bytes, value];
}
