/**
 * The candidate that was probably meant: least edit distance (insert, delete, replace, swap of
 * neighbours; case does not count), or one that contains the word or is contained in it.
 * null when none is close by. Ties go to the first candidate.
 */
export function nearest(word: string, candidates: readonly string[]): string | null {
  let best: string | null = null;
  let bestDistance = Infinity;
  for (const candidate of candidates) {
    const distance = closeness(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Edit distance, or Infinity when the two are too different to be a slip. */
function closeness(a: string, b: string): number {
  const distance = editDistance(a, b);
  const longer = Math.max(a.length, b.length);
  if (distance <= Math.max(1, Math.floor(longer * 0.4))) return distance;
  const contained = a.includes(b) || b.includes(a);
  return contained && Math.min(a.length, b.length) >= 3 ? distance : Infinity;
}

/** Optimal string alignment distance. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, at(beforeLast, j - 2) + 1);
      }
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return at(last, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity;
}
