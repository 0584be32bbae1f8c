/** How much to freeze, by the runs with frozen copies. */
import type { SeedValue, Estimate } from '../intervals.ts';
import { paired, pairedOverSeeds } from '../intervals.ts';

export interface Suggestion {
  /** The last stage to freeze; null: none. */
  cut: string | null;
  /** Score with it less score of fine-tuning all. */
  cost: Estimate;
}

/**
 * The deepest cut below which freezing costs no more than one standard error against fine-tuning
 * everything, seeds paired (the one-standard-error rule of Breiman et al. 1984); none where a single
 * seed gives no standard error.
 * @param frozen scores by cut, from the images to the head
 * @param tuned scores with all stages copied and fine-tuned
 */
export function howMuchToFreeze(
  frozen: readonly { cut: string; scores: readonly SeedValue[] }[],
  tuned: readonly SeedValue[],
): Suggestion {
  const within = frozen.filter(({ scores }) => {
    const differences = paired(scores, tuned).map(({ value }) => value);
    const error = standardError(differences);
    return error !== null && meanOf(differences) >= -error;
  });
  const last = within.at(-1);
  return {
    cut: last?.cut ?? null,
    cost: pairedOverSeeds(last?.scores ?? tuned, tuned),
  };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function standardError(values: readonly number[]): number | null {
  if (values.length < 2) return null;
  const centre = meanOf(values);
  const squares = values.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1) / values.length);
}
