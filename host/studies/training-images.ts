/** What arms learn from: the study's training images, or those that an own `per-class` leaves. */
import type { StudySpec } from '../../contract/study.ts';
import { numbered } from './assign.ts';
import type { StudyImage } from './data.ts';
import { perClass } from './split.ts';
import { parentArmOf, readStart } from './starts.ts';

/** The training side after `data.per-class`, and before it. */
interface TrainingSides {
  train: StudyImage[];
  allTrain: StudyImage[];
}

/** At most so many images of each class, drawn with the split's seed; fewer are among more. */
export function drawFew(
  most: number,
  { data }: StudySpec,
  allTrain: readonly StudyImage[],
): StudyImage[] {
  const kept = perClass(numbered(allTrain), most, data.split.seed);
  return allTrain.filter((_, at) => kept[at]);
}

export function trainingImages(
  spec: StudySpec,
  arm: string,
  { train, allTrain }: TrainingSides,
): StudyImage[] {
  const most = spec.arms[arm]?.['per-class'];
  return most === undefined ? train : drawFew(most, spec, allTrain);
}

/** Every training image of the arms, and of those whose trained weights they start from. */
export function imagesBehind(
  spec: StudySpec,
  arms: readonly string[],
  sides: TrainingSides,
): StudyImage[] {
  const all = new Set(arms.flatMap((arm) => [arm, ...ancestors(spec, arm)]));
  return [...new Set([...all].flatMap((arm) => trainingImages(spec, arm, sides)))];
}

/** Arms whose training is behind an arm's start; before its first epoch a run learnt nothing. */
function ancestors(spec: StudySpec, arm: string): string[] {
  const parent = parentArmOf(readStart(spec.arms[arm]!.init));
  if (!parent) return [];
  const before = ancestors(spec, parent.arm);
  return parent.epoch === 0 ? before : [parent.arm, ...before];
}
