/** Images of a study's domains, as analyses of features are given them. */
import { stream } from '../../../engine/random/streams.ts';
import type { StudyImage } from '../data.ts';
import type { PlannedRun } from '../plan.ts';
import type { ImagesRef } from './lab.ts';
import type { StudyView } from './definition.ts';
import { armRuns } from './pairs.ts';

/** Images of one domain that a study treats alike. */
export interface Sample {
  /** `line (source)`, `duotone (train)`, `duotone (test)`. */
  name: string;
  role: 'source' | 'source test' | 'train' | 'test';
  domain: string;
  datasetId: string;
  images: ImagesRef & { only: number[] };
  /** Of each image, in the order of the run's split; groups of one data set keep their numbers. */
  groups: number[];
}

/** Numbers groups over data sets. */
export class GroupNumbers {
  readonly #numbers = new Map<string, number>();

  of({ group }: StudyImage, datasetId: string): number {
    const key = `${datasetId} ${group}`;
    const known = this.#numbers.get(key) ?? this.#numbers.size;
    this.#numbers.set(key, known);
    return known;
  }
}

/** The pretrainings that the study's own arms start from. */
export function sourcesOf({ study: { spec, runs } }: StudyView): PlannedRun[] {
  const own = runs.filter(({ arm }) => Object.hasOwn(spec.arms, arm));
  const parents = new Set(
    own.flatMap(({ spec: { start } }) => (start !== 'random' && 'run' in start ? [start.run] : [])),
  );
  return runs.filter(({ id, spec: { kind } }) => kind === 'pretraining' && parents.has(id));
}

/**
 * The domains of what was pretrained on, and of the target's training and test images, at most so many
 * images of each, drawn with a fixed seed.
 */
export function samplesOf(view: StudyView, most: number): Sample[] {
  const target = plannedOf(view, armRuns(view)[0]?.id);
  const numbers = new GroupNumbers();
  const several = new Set(view.study.runs.map(({ dataset }) => dataset.id)).size > 1;
  const all: Sample[] = [];
  const add = (
    run: PlannedRun,
    role: Sample['role'],
    split: ImagesRef['split'],
    images: readonly StudyImage[],
  ) => {
    for (const domain of new Set(images.map((image) => image.domain))) {
      const own = Array.from(images.keys()).filter((at) => images[at]!.domain === domain);
      const name = `${several ? `${run.dataset.name}/` : ''}${domain} (${role})`;
      if (all.some((each) => each.name === name)) continue;
      const chosen = drawn(own, most, name);
      all.push({
        ...{ name, role, domain, datasetId: run.dataset.id },
        images: { run: run.id, split, only: chosen },
        groups: chosen.map((at) => numbers.of(images[at]!, run.dataset.id)),
      });
    }
  };
  for (const source of sourcesOf(view)) {
    add(source, 'source', 'train', source.train);
    add(source, 'source test', 'test', source.test ?? []);
  }
  if (target) {
    add(target, 'train', 'train', target.train);
    add(target, 'test', 'test', target.test ?? []);
  }
  return all;
}

/** Images of one side of a target run, all domains together, at most so many. */
export function targetImages(
  view: StudyView,
  run: string,
  split: 'train' | 'test',
  most: number,
): { images: ImagesRef & { only: number[] }; groups: number[] } {
  const planned = plannedOf(view, run);
  const all = planned?.[split] ?? [];
  const only = drawn([...all.keys()], most, `target ${split}`);
  const numbers = new GroupNumbers();
  const groups = only.map((at) => numbers.of(all[at]!, planned?.dataset.id ?? ''));
  return { images: { run, split, only }, groups };
}

/** The plan of a run of the study. */
export function plannedOf({ study }: StudyView, id: string | undefined): PlannedRun | undefined {
  return study.runs.find((run) => run.id === id);
}

/** Of some positions, at most so many, ascending. */
function drawn(positions: readonly number[], most: number, name: string): number[] {
  if (positions.length <= most) return [...positions];
  const order = stream(0, 'images of a domain', name).permutation(positions.length);
  return Array.from(order.subarray(0, most))
    .sort((a, b) => a - b)
    .map((at) => positions[at]!);
}
