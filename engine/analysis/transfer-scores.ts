/** Scores of a start for a target before training, with intervals. */
import { hScores } from './h-score.ts';
import { jackknife } from './jackknife.ts';
import { leep, negativeConditionalEntropy } from './leep.ts';
import { logMe } from './logme.ts';
import { argmaxRows, softmaxRows } from './metrics.ts';
import { pick } from './proxy-distance.ts';
import { stream } from '../random/streams.ts';

export const TRANSFER_SCORES = ['leep', 'nce', 'h-score', 'h-score-regularised', 'logme'] as const;
export type TransferScore = (typeof TRANSFER_SCORES)[number];

/** Target images as a start sees them. */
export interface SeenByStart {
  /** [image, feature] */
  features: Float32Array;
  dimensions: number;
  /** The source head's, [image, source class]; null where the start has none. */
  logits: Float32Array | null;
  sourceClasses: number;
  labels: Int32Array;
  classes: number;
  /** Group of each image. */
  groups: Int32Array;
}

/** A score with its jackknife interval; null where it is not defined. */
export interface ScoreEstimate {
  value: number | null;
  interval: [number, number] | null;
}

/** Parts that the jackknife leaves out one after the other. */
const BLOCKS = 10;

/** All scores, each with the jackknife interval over ten blocks of whole groups. */
export function transferScores(
  seen: SeenByStart,
  seed: number,
): Record<TransferScore, ScoreEstimate> {
  const names = [...new Set(seen.groups)];
  const count = Math.min(BLOCKS, names.length);
  const order = stream(seed, 'blocks of groups').permutation(names.length);
  const blocks = new Map(names.map((group, at) => [group, order[at]! % count]));
  const probabilities = seen.logits && softmaxRows(seen.logits, seen.sourceClasses);
  const parts = new Map<number, Record<TransferScore, number | null>>();
  const without = (block: number): Record<TransferScore, number | null> => {
    const known = parts.get(block);
    if (known) return known;
    const kept = Array.from(seen.labels.keys()).filter(
      (row) => blocks.get(seen.groups[row]!) !== block,
    );
    const found = scoresOf(seen, probabilities, kept);
    parts.set(block, found);
    return found;
  };
  const estimates = TRANSFER_SCORES.map((score) => {
    const { value, interval } = jackknife(count, (units) => {
      const left = Array.from({ length: count }, (_, block) => block).find(
        (block) => !units.includes(block),
      );
      return without(left ?? -1)[score];
    });
    return [score, { value, interval }] as const;
  });
  return Object.fromEntries(estimates) as Record<TransferScore, ScoreEstimate>;
}

function scoresOf(
  { features, dimensions, sourceClasses, labels: all, classes }: SeenByStart,
  probabilities: Float32Array | null,
  kept: readonly number[],
): Record<TransferScore, number | null> {
  const rows = pick(features, dimensions, kept);
  const labels = Int32Array.from(kept, (row) => all[row]!);
  const { plain, regularised } = hScores(rows, dimensions, labels, classes);
  const own = {
    ...{ 'h-score': plain, 'h-score-regularised': regularised },
    logme: logMe(rows, dimensions, labels, classes),
  };
  if (probabilities === null) return { ...own, leep: null, nce: null };
  const soft = pick(probabilities, sourceClasses, kept);
  const hard = argmaxRows(soft, sourceClasses);
  return {
    ...own,
    leep: leep(soft, sourceClasses, labels, classes),
    nce: negativeConditionalEntropy(hard, sourceClasses, labels, classes),
  };
}
