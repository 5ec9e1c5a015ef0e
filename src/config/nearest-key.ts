/** The one of `known` that somebody who wrote `name` probably meant: at most two letters off, and less in short names. */
export function nearestKey(name: string, known: Iterable<string>): string | undefined {
  if (name.length > LONGEST) return undefined;
  const candidates = [...known].map((key) => ({ key, distance: editDistance(name.toLowerCase(), key) }));
  const [best] = candidates.toSorted((a, b) => a.distance - b.distance);
  return best && best.distance <= tolerance(best.key) ? best.key : undefined;
}

const LONGEST = 64;

function tolerance(key: string): number {
  return key.length < 4 ? 1 : 2;
}

/** Insertions, deletions, replacements and swaps of neighbours that lead from one to the other. */
function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const changed = at(last, column - 1) + (from[row - 1] === to[column - 1] ? 0 : 1);
      const swapped = isSwap(from, to, row, column) ? at(beforeLast, column - 2) + 1 : changed;
      current.push(Math.min(changed, swapped, at(last, column) + 1, at(current, column - 1) + 1));
    }
    [beforeLast, last] = [last, current];
  }
  return at(last, to.length);
}

function isSwap(from: string, to: string, row: number, column: number): boolean {
  return row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
