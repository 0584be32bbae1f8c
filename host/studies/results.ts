import { setImmediate as nextTurn } from 'node:timers/promises';
import { CarryoverError } from '../../contract/errors.ts';
import type { RunSummary } from '../../contract/runs.ts';
import type { StudySpec } from '../../contract/study.ts';
import type { StudyResults } from '../../contract/study-results.ts';
import { measureOf } from '../../contract/study-results.ts';
import { asksFor } from '../../contract/study-analyses.ts';
import type { HostContext } from '../context.ts';
import { breakDown, findingResults, subgroupResults, type Breakdown } from './breakdown.ts';
import { createComparer } from './compare.ts';
import type { Comparer } from './compare.ts';
import { overSeeds } from './over-seeds.ts';
import type { ExpandedStudy } from './plan.ts';
import { listRuns } from './run-rows.ts';
import { storedStudy } from './store.ts';
import { subgroupsOf, type Subgroup } from './subgroups.ts';

/** The numbers of a study whose runs are all done. Aborts with the signal's reason. */
export async function computeResults(
  context: HostContext,
  studyId: string,
  { dataset, sides, leaks }: Pick<ExpandedStudy, 'dataset' | 'sides' | 'leaks'>,
  progress: (done: number, total: number) => void,
  signal: AbortSignal,
): Promise<StudyResults> {
  const { spec } = storedStudy(context.db, studyId);
  const runs = listRuns(context.db, { studyId }).filter(({ kind }) => kind === 'target');
  const arms = armResults(spec, runs);
  const wanted = comparesPairs(spec, sides) ? pairsOf(spec, runs) : [];
  const ids = sides.test.map(({ id }) => id);
  const subgroups = spec.data.subgroups.flatMap((attribute) =>
    subgroupsOf(context.db, dataset.id, attribute, ids),
  );
  const parts = await brokenDown(context, spec, runs, subgroups, signal);
  const comparer = createComparer(context);
  const pairs: StudyResults['pairs'] = [];
  for (const pair of wanted) {
    signal.throwIfAborted();
    progress(pairs.length, wanted.length);
    pairs.push(pairResult(comparer, pair));
    await nextTurn();
  }
  const relativeDrop = relativeDrops(spec, arms);
  const rest = { warnings: leaks, analyses: [], claims: [] };
  return { arms, ...parts, ...rest, relativeDrop, pairs };
}

/** Agreement is of one answer an image: not of several findings. */
function comparesPairs(spec: StudySpec, { findings }: ExpandedStudy['sides']): boolean {
  return asksFor(spec, 'agreement') && (findings === null || findings.names.length === 1);
}

/** By finding and by subgroup, where there is either. */
async function brokenDown(
  context: HostContext,
  spec: StudySpec,
  runs: readonly RunSummary[],
  subgroups: readonly Subgroup[],
  signal: AbortSignal,
): Promise<Pick<StudyResults, 'findings' | 'subgroups'>> {
  const found: Pick<StudyResults, 'findings' | 'subgroups'> = { findings: [], subgroups: [] };
  if (subgroups.length === 0 && runs.every(({ testAuc }) => testAuc === null)) return found;
  for (const cell of cells(spec)) {
    const own: Breakdown[] = [];
    for (const run of bySeed(spec, runs, cell.arm, cell.shuffle)) {
      signal.throwIfAborted();
      own.push(breakDown(context, run, subgroups));
      await nextTurn();
    }
    found.findings.push(...findingResults(cell, own));
    found.subgroups.push(...subgroupResults(cell, subgroups, own));
  }
  return found;
}

/** Accuracy and optimisation speed over the seeds, arms by shuffles, in the study's order. */
export function armResults(spec: StudySpec, runs: readonly RunSummary[]): StudyResults['arms'] {
  const speeds = asksFor(spec, 'optimisation-speed');
  return cells(spec).map(({ arm, shuffle }) => {
    const own = bySeed(spec, runs, arm, shuffle).map((run) => ({ run }));
    return {
      arm,
      shuffle,
      accuracy: overSeeds(own, ({ run }) => run.testAccuracy) ?? notYet(own),
      auc: overSeeds(own, ({ run }) => run.testAuc),
      optimisationSpeed: speeds ? overSeeds(own, ({ run }) => run.optimisationSpeed) : null,
    };
  });
}

function notYet(own: readonly { run: RunSummary }[]): never {
  const run = own.find((each) => each.run.testAccuracy === null)?.run;
  throw new CarryoverError('conflict', `run ${run?.id} is ${run?.status}, it has no accuracy yet`);
}

function cells(spec: StudySpec): { arm: string; shuffle: string }[] {
  return spec.shuffles.flatMap((shuffle) =>
    Object.keys(spec.arms).map((arm) => ({ arm, shuffle: String(shuffle) })),
  );
}

function bySeed(
  spec: StudySpec,
  runs: readonly RunSummary[],
  arm: string,
  shuffle: string,
): RunSummary[] {
  const own = runs.filter((run) => run.arm === arm && run.shuffle === shuffle);
  return spec.seeds.flatMap((seed) => own.filter((run) => run.seed === seed));
}

/**
 * 100 (A_P - A_R) / A_P of every pretrained arm against every random one, A the accuracy or, where
 * there are findings, the area under the ROC curve; none where A_P is 0.
 */
export function relativeDrops(
  spec: StudySpec,
  arms: StudyResults['arms'],
): StudyResults['relativeDrop'] {
  const isRandom = (arm: string) => spec.arms[arm]?.init === 'random';
  const measure = (arm: StudyResults['arms'][number]) => measureOf(arm).mean;
  return arms.flatMap((pretrained) =>
    isRandom(pretrained.arm) || measure(pretrained) === 0
      ? []
      : arms
          .filter((each) => each.shuffle === pretrained.shuffle && isRandom(each.arm))
          .map((random) => ({
            shuffle: pretrained.shuffle,
            pretrained: pretrained.arm,
            random: random.arm,
            percent: (100 * (measure(pretrained) - measure(random))) / measure(pretrained),
          })),
  );
}

/** All pairs of runs of one shuffle; within a pair arms in the study's order, then seeds. */
export function pairsOf(
  spec: StudySpec,
  runs: readonly RunSummary[],
): { a: RunSummary; b: RunSummary }[] {
  return spec.shuffles.flatMap((shuffle) => {
    const own = Object.keys(spec.arms).flatMap((arm) => bySeed(spec, runs, arm, String(shuffle)));
    return own.flatMap((a, index) => own.slice(index + 1).map((b) => ({ a, b })));
  });
}

function pairResult(
  comparer: Comparer,
  { a, b }: { a: RunSummary; b: RunSummary },
): StudyResults['pairs'][number] {
  const { agreement } = comparer.join(a.id, b.id, 'test');
  const { kappa, kappaInterval, sameWrongLabelRate, commonMistakes, uncommonMistakes, n } =
    agreement;
  return {
    kind: `${a.arm}/${b.arm}`,
    shuffle: a.shuffle,
    a: a.id,
    b: b.id,
    kappa,
    kappaInterval,
    sameWrongLabelRate,
    commonMistakes,
    uncommonMistakes,
    n,
  };
}
