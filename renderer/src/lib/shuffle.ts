/** The block sizes that tile a square of `size` pixels: its divisors from large to small. */
export function blockSizes(size: number): number[] {
  const sizes: number[] = [];
  for (let block = size; block >= 1; block -= 1) if (size % block === 0) sizes.push(block);
  return sizes;
}

/** The block size nearest to `wanted` among those legal at `size`. */
export function nearestBlock(size: number, wanted: number): number {
  return blockSizes(size).reduce((best, block) =>
    Math.abs(block - wanted) < Math.abs(best - wanted) ? block : best,
  );
}
