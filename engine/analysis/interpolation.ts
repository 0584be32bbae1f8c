import type { Weights } from '../models/registry.ts';

/**
 * (1 - lambda) a + lambda b, parameter by parameter (Neyshabur et al. 2020, section on the
 * performance barrier), running statistics like all else. Exactly a at 0 and exactly b at 1.
 */
export function interpolate(a: Weights, b: Weights, lambda: number): Weights {
  return new Map(
    [...a].map(([name, from]) => {
      const to = b.get(name);
      if (to?.length !== from.length) throw new Error(`"${name}" differs between the networks`);
      return [name, from.map((value, i) => (1 - lambda) * value + lambda * (to[i] ?? 0))];
    }),
  );
}
