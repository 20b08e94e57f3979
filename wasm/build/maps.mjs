// Source maps that name only sources of the package.
import { readFileSync, writeFileSync } from 'node:fs';
import { decode, encode } from '@jridgewell/sourcemap-codec';

/**
 * Takes the sources outside of `ts` out of a source map: generated bindings and code of npm packages, whose files are not in the
 * package. Debuggers and bundlers warn of a source that they do not find.
 */
export function keepOwnSources(file) {
  const map = JSON.parse(readFileSync(file, 'utf8'));
  const kept = map.sources.filter((source) => source.startsWith('../ts/'));
  const places = map.sources.map((source) => kept.indexOf(source));
  const lines = decode(map.mappings).map((line) => line.flatMap((segment, n) => {
    const [column, source, ...rest] = segment;
    if (source !== undefined && places[source] >= 0) return [[column, places[source], ...rest]];
    // A segment without a source ends the one before it.
    return n > 0 && places[line[n - 1][1]] >= 0 ? [[column]] : [];
  }));
  writeFileSync(file, JSON.stringify({ ...map, sources: kept, mappings: encode(lines) }));
}
