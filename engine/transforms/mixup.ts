import type { RandomState } from '../random/random-state.ts';
import type { Mix } from '../runtime/batch.ts';

/**
 * Draws what a batch is mixed with (Zhang et al., arXiv 1710.09412): one lambda ~ Beta(alpha,
 * alpha) for the batch, and a random partner for each example, as in the authors' code.
 * @param alpha > 0
 */
export function drawMix(random: RandomState, alpha: number, size: number): Mix {
  const lambda = random.beta(alpha, alpha);
  return { partner: random.permutation(size), lambda };
}

/**
 * lambda x + (1 - lambda) x[partner], example by example.
 * @param images [example, ...]; not changed
 * @param mixed receives the result; another array of that length
 */
export function mixImages(
  images: Float32Array,
  { partner, lambda }: Mix,
  mixed: Float32Array = new Float32Array(images.length),
): Float32Array {
  const values = images.length / partner.length;
  partner.forEach((other, example) => {
    const [at, from] = [example * values, other * values];
    for (let i = 0; i < values; i++) {
      mixed[at + i] = lambda * (images[at + i] ?? 0) + (1 - lambda) * (images[from + i] ?? 0);
    }
  });
  return mixed;
}
