/**
 * The cosine between each filter and its counterpart: 1 where it only grew or shrank, 0 where it
 * was turned into something unrelated.
 * @param a [filter, ...], as is `b`
 * @returns in [-1, 1]; 0 where either is zero
 */
export function cosines(a: Float32Array, b: Float32Array, filters: number): number[] {
  const size = a.length / filters;
  return Array.from({ length: filters }, (_, filter) => {
    let [dot, squareA, squareB] = [0, 0, 0];
    for (let at = filter * size; at < (filter + 1) * size; at++) {
      dot += a[at]! * b[at]!;
      squareA += a[at]! ** 2;
      squareB += b[at]! ** 2;
    }
    const length = Math.sqrt(squareA * squareB);
    return length === 0 ? 0 : Math.max(-1, Math.min(1, dot / length));
  });
}
