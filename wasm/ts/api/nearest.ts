// Finds the name that a mistyped one was probably meant to be. The same rule as Rust's `config/nearest.rs`.

const plain = (name: string) => name.toLowerCase().replace(/[ \-_.]/g, '');

/** @internal The name that needs the fewest letters changed or swapped; undefined if more than a third would change. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  const wrong = plain(name.slice(0, 51));
  const all = names.map((of): [number, string] => [changes(wrong, plain(of)), of]).sort(([a], [b]) => a - b);
  return name.length <= 50 && 3 * all[0]![0] <= wrong.length ? all[0]![1] : undefined;
}

/** How many letters must change to make `to` of `from`. */
function changes(from: string, to: string): number {
  const rows = [Array.from({ length: to.length + 1 }, (_, column) => column)];
  for (let row = 1; row <= from.length; row += 1) {
    const next = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const last = rows[row - 1]!;
      next[column] = Math.min(last[column]! + 1, next[column - 1]! + 1, last[column - 1]! + (from[row - 1] === to[column - 1] ? 0 : 1),
        row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1] ? rows[row - 2]![column - 2]! + 1 : Infinity);
    }
    rows.push(next);
  }
  return rows[from.length]![to.length]!;
}
