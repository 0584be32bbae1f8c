/** What the schema cannot say about source images that arms learn from. */
import { usesTargetLabels, type ArmSource, type SourceWay } from '../../contract/source.ts';
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

function checkImages(spec: StudySpec, arm: string, { images }: ArmSource): Problem[] {
  return imageProblems(spec, images, ['arms', arm, 'source', 'images']);
}

/** Why the images of a pretraining cannot be learnt from by their labels. */
export function imageProblems(
  { pretraining }: StudySpec,
  images: string,
  path: readonly PropertyKey[],
): Problem[] {
  const known = Object.hasOwn(pretraining, images) ? pretraining[images] : undefined;
  if (!known) return [unknownName(path, 'pretraining', images, Object.keys(pretraining))];
  if (known.task === 'supervised' && known.labels === 'given') return [];
  const what = known.labels === 'random' ? 'random labels' : `the task ${known.task}`;
  return [problem(path, `"${images}" has ${what}: name a pretraining on the labels as given`)];
}

function checkWay(spec: StudySpec, arm: string, { way }: ArmSource): Problem[] {
  const path = ['arms', arm, 'source', 'way'];
  return wayMessages(spec, arm, way).map((message) => problem(path, message));
}

/** Why an arm of the study cannot learn in a way. */
export function wayMessages(spec: StudySpec, arm: string, way: SourceWay): string[] {
  const { architecture } = spec;
  const messages: string[] = [];
  if (way === 'adabn' && !hasBatchNorm(architecture)) {
    messages.push(
      `${architecture.name} has no BatchNorm whose statistics could be renewed: use coral, or another architecture`,
    );
  }
  if (!usesTargetLabels(way) && armTraining(spec, arm)['early-stopping']) {
    messages.push(
      `${way} uses no labels of the target, and early stopping looks at those of its validation images: leave early-stopping out`,
    );
  }
  return messages;
}
