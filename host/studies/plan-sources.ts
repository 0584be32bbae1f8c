/** Source images that arms learn from besides, or instead of, the target's. */
import type { ArmSource } from '../../contract/source.ts';
import type { StudySpec } from '../../contract/study.ts';
import { stream } from '../../engine/random/streams.ts';
import type { ItemList, SourceList } from '../trainer/protocol.ts';
import type { StudyImage } from './data.ts';
import { numberGroups } from './group-numbers.ts';
import { problem, type Problem } from './issues.ts';
import type { PlannedRun } from './plan.ts';
import type { Sides } from './sides.ts';

/**
 * Training images of a pretraining, of classes that the target has by name, without the target's own
 * training images; so many at most, drawn with the split's seed and kept in their order.
 */
export function sourceImages(
  { most }: Pick<ArmSource, 'most'>,
  pretraining: Pick<PlannedRun, 'train'>,
  { allTrain, validation, classNames }: Pick<Sides, 'allTrain' | 'validation' | 'classNames'>,
  { data }: Pick<StudySpec, 'data'>,
): StudyImage[] {
  const own = new Set([...allTrain, ...validation].map(({ sha256 }) => sha256));
  const shared = pretraining.train.filter(
    ({ labels, sha256 }) => classNames.includes(labels[0] ?? '') && !own.has(sha256),
  );
  if (shared.length <= most) return shared;
  const drawn = stream(data.split.seed, 'source').permutation(shared.length).subarray(0, most);
  return Array.from(drawn.toSorted(), (at) => shared[at]!);
}

/** Classes of the target that there are source images of. */
export function sharedClasses(images: readonly StudyImage[], classNames: readonly string[]) {
  const found = new Set(images.map(({ labels }) => labels[0]));
  return classNames.filter((name) => found.has(name));
}

/** Arms whose source gives them nothing to learn. @param own the arms that the study file has */
export function sourceProblems(
  spec: StudySpec,
  own: StudySpec['arms'],
  sides: Sides,
  pretrainings: ReadonlyMap<string, PlannedRun>,
): Problem[] {
  return Object.entries(spec.arms).flatMap(([arm, { source }]) => {
    const pretraining = source && pretrainings.get(source.images);
    if (!pretraining) return [];
    const path = Object.hasOwn(own, arm) ? ['arms', arm, 'source', 'images'] : ['analyses'];
    if (sides.findings || pretraining.spec.findings) {
      return [problem(path, `"${arm}" learns from source images: these need one class each`)];
    }
    const images = sourceImages(source, pretraining, sides, spec);
    const shared = sharedClasses(images, sides.classNames);
    if (shared.length >= 2) return [];
    const names = shared.length === 0 ? 'none' : shared.join();
    const message = `"${source.images}" has images of ${names} of the target's classes that are not the target's own; two classes are needed`;
    return [problem(path, message)];
  });
}

/** What the trainer is told of a run's source. @param items how it is told of images */
export function sourceList(
  { spec, source, train }: PlannedRun,
  items: (images: readonly StudyImage[]) => ItemList,
): SourceList | null {
  if (!spec.source || !source) return null;
  const [groups = [], targetGroups = []] = numberGroups(source, train);
  return { ...items(source), way: spec.source.way, groups, targetGroups };
}
