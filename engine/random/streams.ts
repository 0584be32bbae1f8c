import { RandomState } from './random-state.ts';

/**
 * The random stream for one purpose: independent of every other name under the same seed, and
 * never disturbed by how much another stream draws. Anyone can redraw it with NumPy:
 * `RandomState([seed, *'/'.join(names).encode()])`.
 *
 * @param seed integer in [0, 2^32 - 1]
 * @param names the purpose, from wide to narrow, such as `'augment', epoch, index`
 */
export function stream(seed: number, ...names: (string | number)[]): RandomState {
  return new RandomState([seed, ...new TextEncoder().encode(names.join('/'))]);
}
