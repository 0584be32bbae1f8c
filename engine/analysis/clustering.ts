/** Hierarchical clustering of few things by their distances. */
import { CarryoverError } from '../../contract/errors.ts';

/** Two clusters joined: things are 0 .. n-1, the k-th merge makes cluster n + k. */
export interface Merge {
  a: number;
  b: number;
  distance: number;
  /** Things in the new cluster. */
  size: number;
}

/**
 * Average linkage (UPGMA, Sokal and Michener 1958): the two clusters are joined whose members are
 * closest on average. `scipy.cluster.hierarchy.linkage(method='average')` gives the same; of equal
 * distances the pair that comes first.
 * @param distances [row, column], symmetric
 */
export function averageLinkage(distances: ArrayLike<number>, n: number): Merge[] {
  if (distances.length !== n * n) {
    throw new CarryoverError('bad-input', `${distances.length} distances between ${n} things`);
  }
  const live = Array.from({ length: n }, (_, at) => ({ id: at, size: 1, row: at }));
  const between = Float64Array.from({ length: n * n }, (_, at) => distances[at]!);
  const merges: Merge[] = [];
  while (live.length > 1) {
    const [i, j] = closest(live, between, n);
    const [a, b] = [live[i]!, live[j]!];
    const distance = between[a.row * n + b.row]!;
    const size = a.size + b.size;
    for (const { row } of live) {
      const mixed =
        (a.size * between[a.row * n + row]! + b.size * between[b.row * n + row]!) / size;
      between[a.row * n + row] = mixed;
      between[row * n + a.row] = mixed;
    }
    merges.push({ a: Math.min(a.id, b.id), b: Math.max(a.id, b.id), distance, size });
    live[i] = { id: n + merges.length - 1, size, row: a.row };
    live.splice(j, 1);
  }
  return merges;
}

function closest(
  live: readonly { row: number }[],
  between: Float64Array,
  n: number,
): [number, number] {
  let best: [number, number] = [0, 1];
  let least = Infinity;
  for (let i = 0; i < live.length; i++) {
    for (let j = i + 1; j < live.length; j++) {
      const distance = between[live[i]!.row * n + live[j]!.row]!;
      if (distance < least) [least, best] = [distance, [i, j]];
    }
  }
  return best;
}

/** The things in the order of the tree's leaves: as `scipy.cluster.hierarchy.leaves_list`. */
export function leafOrder(merges: readonly Merge[]): number[] {
  const n = merges.length + 1;
  const walk = (id: number): number[] => {
    if (id < n) return [id];
    const { a, b } = merges[id - n]!;
    return [...walk(a), ...walk(b)];
  };
  return walk(2 * n - 2);
}
