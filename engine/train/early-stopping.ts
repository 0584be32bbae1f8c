import type { Training } from '../../contract/study.ts';
import type { Weights } from '../models/registry.ts';

/** The epoch with the least validation loss so far. */
export interface Best {
  /** 1-based. */
  epoch: number;
  loss: number;
  weights: Weights;
}

/** The better of two; the earlier one of equals. A loss that is not a number is never best. */
export function betterOf(best: Best | null, candidate: Best): Best | null {
  if (Number.isNaN(candidate.loss)) return best;
  return best === null || candidate.loss < best.loss ? candidate : best;
}

/** Whether `patience` epochs have gone by without a better one, `done` epochs into the training. */
export function isExhausted(
  training: Pick<Training, 'early-stopping'>,
  best: Best | null,
  done: number,
): boolean {
  const patience = training['early-stopping']?.patience;
  return patience !== undefined && done - (best?.epoch ?? 0) >= patience;
}
