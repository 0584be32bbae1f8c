/** What the schema cannot say about source images that arms learn from. */
import { usesTargetLabels, type ArmSource } from '../../contract/source.ts';
import type { StudySpec } from '../../contract/study.ts';
import { hasBatchNorm } from '../../engine/models/registry.ts';
import { problem, unknownName, type Problem } from './issues.ts';
import { armTraining } from './overrides.ts';

/** Sources that do not exist or go with nothing else; the architecture and overrides must be sound. */
export function checkSources(spec: StudySpec): Problem[] {
  return Object.entries(spec.arms).flatMap(([arm, { source }]) =>
    source ? [...checkImages(spec, arm, source), ...checkWay(spec, arm, source)] : [],
  );
}

function checkImages({ pretraining }: StudySpec, arm: string, { images }: ArmSource): Problem[] {
  const path = ['arms', arm, 'source', 'images'];
  const known = Object.hasOwn(pretraining, images) ? pretraining[images] : undefined;
  if (!known) return [unknownName(path, 'pretraining', images, Object.keys(pretraining))];
  if (known.task === 'supervised' && known.labels === 'given') return [];
  const what = known.labels === 'random' ? 'random labels' : `the task ${known.task}`;
  return [problem(path, `"${images}" has ${what}: name a pretraining on the labels as given`)];
}

function checkWay(spec: StudySpec, arm: string, { way }: ArmSource): Problem[] {
  const path = ['arms', arm, 'source', 'way'];
  const { architecture } = spec;
  const problems: Problem[] = [];
  if (way === 'adabn' && !hasBatchNorm(architecture)) {
    const message = `${architecture.name} has no BatchNorm whose statistics could be renewed: use coral, or another architecture`;
    problems.push(problem(path, message));
  }
  if (!usesTargetLabels(way) && armTraining(spec, arm)['early-stopping']) {
    const message = `${way} uses no labels of the target, and early stopping looks at those of its validation images: leave early-stopping out`;
    problems.push(problem(path, message));
  }
  return problems;
}
