/** Numbers by name, from one of the evaluators. */
export type Named = ReadonlyMap<string, ArrayLike<number>>;

/** Where two evaluators disagree most: max |a - b| over the scale of that tensor. */
export interface Disagreement {
  name: string;
  relative: number;
}

/**
 * The worst of max |a - b| / scale over all tensors named in `a`, where a tensor's scale is the
 * largest magnitude in it, but at least `FLOOR` times the largest magnitude in any of them: below
 * that, single precision has nothing left to say (a bias's gradient is a sum of thousands of terms
 * that may cancel).
 */
export function disagreement(a: Named, b: Named): Disagreement {
  const all = Math.max(...[...a.values()].map(magnitude));
  let worst: Disagreement = { name: '', relative: 0 };
  for (const [name, left] of a) {
    const right = b.get(name);
    if (right?.length !== left.length) return { name, relative: Infinity };
    let difference = 0;
    for (let i = 0; i < left.length; i++) {
      difference = Math.max(difference, Math.abs((left[i] ?? NaN) - (right[i] ?? NaN)));
    }
    const scale = Math.max(magnitude(left), magnitude(right), FLOOR * all);
    const relative = difference === 0 ? 0 : difference / scale;
    if (!(relative <= worst.relative)) worst = { name, relative };
  }
  return worst;
}

const FLOOR = 1e-2;

function magnitude(values: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i] ?? NaN));
  return most;
}
