/** Proxy A-distance (Ben-David et al. 2007, "Analysis of Representations for Domain Adaptation"). */
import { groupedFolds } from './confident-learning.ts';
import { probeProbabilities, trainProbe } from './probe.ts';

/** Which rows a linear classifier took for the other domain, each judged by one that never saw its group. */
export interface DomainClassification {
  /** P(domain 1) of each row. */
  probabilities: Float64Array;
  /** 1 where the likelier domain is not the row's. */
  wrong: Uint8Array;
}

const FOLDS = 5;

/**
 * Tells two domains apart by logistic regression on standardised features, cross-validated in five
 * folds that divide no group.
 * @param rows [row, feature]
 * @param domains 0 or 1 of each row
 * @param groups of each row
 */
export function classifyDomains(
  rows: Float32Array,
  features: number,
  domains: Int32Array,
  groups: readonly string[],
  seed: number,
): DomainClassification {
  const folds = groupedFolds(domains, groups, FOLDS, seed);
  const probabilities = new Float64Array(domains.length);
  for (let fold = 0; fold < FOLDS; fold++) {
    const of = (held: boolean) => indicesOf(folds, (own) => (own === fold) === held);
    const [train, test] = [of(false), of(true)];
    if (test.length === 0) continue;
    const labels = Int32Array.from(train, (row) => domains[row]!);
    const probe = trainProbe(pick(rows, features, train), labels, { features, classes: 2 });
    const found = probeProbabilities(probe, pick(rows, features, test));
    test.forEach((row, at) => (probabilities[row] = found[at * 2 + 1]!));
  }
  const wrong = Uint8Array.from(probabilities, (p, row) =>
    Number(p > 0.5 !== (domains[row] === 1)),
  );
  return { probabilities, wrong };
}

/**
 * 2 (1 - 2 err): 2 where the domains are told apart without error, 0 where they cannot be, below it
 * by chance. err is the mean of the error rates of both domains, so that their sizes do not matter.
 * @param times how often each row counts; absent: once
 * @returns NaN where a domain has no rows
 */
export function proxyDistance(
  wrong: ArrayLike<number>,
  domains: Int32Array,
  times?: ArrayLike<number>,
): number {
  const [counts, errors] = [
    [0, 0],
    [0, 0],
  ];
  for (let row = 0; row < domains.length; row++) {
    const weight = times?.[row] ?? 1;
    counts[domains[row]!]! += weight;
    errors[domains[row]!]! += weight * wrong[row]!;
  }
  const error = (errors[0]! / counts[0]! + errors[1]! / counts[1]!) / 2;
  return 2 * (1 - 2 * error);
}

function indicesOf(folds: Int32Array, wanted: (fold: number) => boolean): number[] {
  return Array.from(folds.keys()).filter((row) => wanted(folds[row]!));
}

/** Some rows of a matrix [row, feature]. */
export function pick(
  rows: Float32Array,
  features: number,
  chosen: readonly number[],
): Float32Array {
  const result = new Float32Array(chosen.length * features);
  chosen.forEach((row, at) => {
    result.set(rows.subarray(row * features, (row + 1) * features), at * features);
  });
  return result;
}
