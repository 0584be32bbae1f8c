import type { ModelOptions } from '../models/model.ts';
import type { Weights } from '../models/registry.ts';
import type { Evaluator } from '../runtime/devices/trainer.ts';
import { evaluate } from '../train/evaluate.ts';
import type { BatchSource } from '../train/loop.ts';

/** One point of the straight line between two networks. */
export interface LinePoint {
  lambda: number;
  accuracy: number;
  /** Mean cross-entropy. */
  loss: number;
}

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

/** Evaluates the networks on the line, in the order of `lambdas`. Throws as `evaluate`. */
export async function* alongLine(
  a: Weights,
  b: Weights,
  lambdas: readonly number[],
  evaluator: Evaluator,
  source: BatchSource,
  options: ModelOptions,
): AsyncGenerator<LinePoint> {
  for (const lambda of lambdas) {
    const { accuracy, loss } = await evaluate(
      evaluator,
      interpolate(a, b, lambda),
      source,
      options,
      {
        when: `at ${lambda} on the line between the two networks`,
        images: [],
        wayOut: 'leave the analysis barrier out',
      },
    );
    yield { lambda, accuracy, loss };
  }
}
