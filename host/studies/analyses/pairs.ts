/** Pairs of runs, and numbers of pairs with intervals over seeds. */
import type { Arm } from '../../../contract/study.ts';
import type { Quantity } from '../../../contract/figures.ts';
import { jackknife } from '../../../engine/analysis/jackknife.ts';
import { isPretrained } from '../starts.ts';
import type { StudyRun, StudyView } from './definition.ts';

export interface RunPair {
  /** `P-T/RI-T`: arms in the study's order. */
  kind: string;
  a: StudyRun;
  b: StudyRun;
}

/** Runs of the study's own arms under one shuffle, in the order of arms, then seeds. */
export function armRuns({ study: { spec }, runs }: StudyView, shuffle = 'none'): StudyRun[] {
  return Object.keys(spec.arms).flatMap((arm) =>
    spec.seeds.flatMap((seed) =>
      runs.filter((run) => run.arm === arm && run.seed === seed && run.shuffle === shuffle),
    ),
  );
}

/** All pairs of the study's own arms under one shuffle. */
export function runPairs(view: StudyView, shuffle = 'none'): RunPair[] {
  const own = armRuns(view, shuffle);
  return own.flatMap((a, index) =>
    own.slice(index + 1).map((b) => ({ kind: `${a.arm}/${b.arm}`, a, b })),
  );
}

/** What pairs of a kind are made of, for the links of figures. */
export function runsOfKind(pairs: readonly RunPair[], kind: string): { run: string }[] {
  const own = pairs.filter((pair) => pair.kind === kind);
  return own.flatMap(({ a, b }) => [{ run: a.id }, { run: b.id }]);
}

/**
 * The first arm that starts from a checkpoint as it is (where there is none, from anything but a random
 * start), and the first random one; null: none. Arms that learn from source images are neither.
 */
export function comparedArms({ study: { spec } }: StudyView): {
  pretrained: string | null;
  random: string | null;
} {
  const arms = Object.entries(spec.arms).filter(([, { source }]) => !source);
  const first = (is: (arm: Arm) => boolean) => arms.find(([, arm]) => is(arm))?.[0] ?? null;
  return {
    pretrained: first(isPretrained) ?? first(({ init }) => init !== 'random'),
    random: first(({ init }) => init === 'random'),
  };
}

/** A number of one pair. */
export interface PairValue {
  kind: string;
  seeds: readonly [number, number];
  value: number;
}

type Estimate = Pick<Quantity, 'value' | 'interval' | 'method' | 'n'>;

/** Mean over the pairs of a kind, with the jackknife interval over seeds. */
export function overPairs(values: readonly PairValue[], kind: string): Estimate {
  return estimate(values, [kind], (kept) => meanOf(kept, kind));
}

/** The mean of one kind less that of another; a seed is left out of both at once. */
export function pairDifference(
  values: readonly PairValue[],
  kind: string,
  other: string,
): Estimate {
  return estimate(values, [kind, other], (kept) => {
    const [first, second] = [meanOf(kept, kind), meanOf(kept, other)];
    return first === null || second === null ? null : first - second;
  });
}

function estimate(
  values: readonly PairValue[],
  kinds: readonly string[],
  statistic: (kept: readonly PairValue[]) => number | null,
): Estimate {
  const seeds = [...new Set(values.flatMap((each) => each.seeds))];
  const { value, interval } = jackknife(seeds.length, (kept) => {
    const own = new Set(kept.map((at) => seeds[at]!));
    return statistic(values.filter((each) => each.seeds.every((seed) => own.has(seed))));
  });
  const method = `jackknife over ${seeds.length} seeds`;
  return { value, interval, method, n: values.filter((each) => kinds.includes(each.kind)).length };
}

function meanOf(values: readonly PairValue[], kind: string): number | null {
  const own = values.filter((each) => each.kind === kind);
  if (own.length === 0) return null;
  return own.reduce((sum, { value }) => sum + value, 0) / own.length;
}
