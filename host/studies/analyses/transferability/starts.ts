/** The starts of a study that can be ranked for its target, and what became of them. */
import type { PlannedRun } from '../../plan.ts';
import { score } from '../arm-values.ts';
import type { NetworkRef, StudyRun, StudyView } from '../definition.ts';
import { plannedOf } from '../samples.ts';
import type { ScoredStart } from './measure.ts';

/**
 * Starts of all arms that train the whole network on the study's own training images: its own arms, and
 * those that analyses added with the same training. Arms that start from a target run, take only a
 * part of their start, or learn from source images, are no starts to choose from.
 */
export function scoredStarts(view: StudyView): ScoredStart[] {
  const ofStudy = (arm: string) => Object.hasOwn(view.study.spec.arms, arm);
  const plans = view.study.runs.filter(({ arm }) => ofStudy(arm));
  const trainings = new Set(plans.map(({ spec }) => JSON.stringify(spec.training)));
  const trainedOn = new Set(plans.map(({ spec }) => spec.data.train.sha256));
  const keys = new Set<string>();
  const found: ScoredStart[] = [];
  for (const [arm, runs] of scoredRuns(view)) {
    const plan = plannedOf(view, runs[0]!.id);
    if (!plan || !isChoosable(plan, view)) continue;
    const { start, training, data } = plan.spec;
    const key = JSON.stringify([start, training]);
    if (keys.has(key) || !trainings.has(JSON.stringify(training))) continue;
    if (!trainedOn.has(data.train.sha256)) continue;
    keys.add(key);
    found.push(startOf(arm, runs, plan));
  }
  return found;
}

/** Target runs with a score, not shuffled, by arm. */
function scoredRuns({ runs }: StudyView): Map<string, StudyRun[]> {
  const byArm = new Map<string, StudyRun[]>();
  for (const run of runs) {
    if (run.kind !== 'target' || run.shuffle !== 'none' || score(run) === null) continue;
    byArm.set(run.arm, [...(byArm.get(run.arm) ?? []), run]);
  }
  return byArm;
}

function isChoosable({ spec: { start, source } }: PlannedRun, view: StudyView): boolean {
  if (source) return false;
  if (start === 'random') return true;
  if (start['keep-to'] !== undefined || start.head) return false;
  return !('run' in start) || plannedOf(view, start.run)?.spec.kind === 'pretraining';
}

function startOf(arm: string, runs: readonly StudyRun[], { spec: { start } }: PlannedRun) {
  const fixed = start !== 'random' && start.weights === undefined;
  const starts = (fixed ? runs.slice(0, 1) : runs).map((run) => run.start);
  const source: NetworkRef | null =
    fixed && 'run' in start ? { run: start.run, epoch: start.epoch } : null;
  const outcomes = runs.map((run) => ({ run: run.id, seed: run.seed, score: score(run)! }));
  return { arm, starts, source, outcomes };
}
