import { CarryoverError } from '../../contract/errors.ts';
import { stream } from '../random/streams.ts';
import type { Estimator, GramPair, PermutationNull } from './cka.ts';
import { cka, featureCka, halfSampleInterval, permutationNull } from './cka.ts';
import type { Features } from './gram.ts';
import { gramOf, rowsOf } from './gram.ts';

/** Up to so many images, all are compared with all. */
const WHOLE = 2048;
/** Images of a batch, where there are more. */
const BATCH = 1024;

export interface FeatureComparison {
  /** null where the features of a side do not differ between images. */
  cka: number | null;
  /** Images that the estimate is over. */
  n: number;
  dimensions: [number, number];
  estimator: Estimator;
  /** What it was computed from. */
  form: 'features' | 'images' | 'minibatches';
  null: PermutationNull | null;
  /** 95 %, over images; null for the biased estimator, whose bias is another for fewer images. */
  interval: [number, number] | null;
  seed: number;
}

export interface CompareOptions {
  estimator: Estimator;
  permutations: number;
  replicates: number;
  seed: number;
}

/**
 * Linear CKA of features of the same images, with its null and interval. By features where there
 * are more images than dimensions, else by inner products of images: of all up to 2048, beyond that
 * in minibatches of 1024 in random order (what is left over is dropped), which null and interval of
 * many images are always from.
 * @throws bad-input as `cka`, and for the biased estimator where only minibatches would do
 */
export async function compareFeatures(
  x: Features,
  y: Features,
  { estimator, permutations, replicates, seed }: CompareOptions,
): Promise<FeatureComparison> {
  const { rows } = x;
  const manyRows = rows > Math.max(x.dimensions, y.dimensions);
  if (estimator === 'biased' && rows > WHOLE && !manyRows) {
    throw new CarryoverError('bad-input', `the biased estimate of ${rows} images needs them all`, {
      value: String(rows),
      wayOut: `give ${WHOLE} images at most, or take the unbiased estimate`,
    });
  }
  const batches = await batchesOf(x, y, seed);
  const used = batches.reduce((sum, pair) => sum + pair.x.rows, 0);
  const unbiased = estimator === 'unbiased';
  return {
    cka: manyRows ? await featureCka(x, y, estimator) : cka(batches, estimator),
    n: manyRows ? rows : used,
    dimensions: [x.dimensions, y.dimensions],
    estimator,
    form: manyRows ? 'features' : batches.length > 1 ? 'minibatches' : 'images',
    null: permutationNull(batches, estimator, { permutations, seed }),
    interval: unbiased ? halfSampleInterval(batches, { replicates, seed }) : null,
    seed,
  };
}

async function batchesOf(x: Features, y: Features, seed: number): Promise<GramPair[]> {
  if (x.rows <= WHOLE) return [{ x: await gramOf(x), y: await gramOf(y) }];
  const order = stream(seed, 'minibatches').permutation(x.rows);
  const batches: GramPair[] = [];
  for (let from = 0; from + BATCH <= x.rows; from += BATCH) {
    const kept = order.subarray(from, from + BATCH).toSorted();
    batches.push({ x: await gramOf(rowsOf(x, kept)), y: await gramOf(rowsOf(y, kept)) });
  }
  return batches;
}
