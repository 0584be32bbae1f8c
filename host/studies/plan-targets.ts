/** The runs on the target: arms, and arms that analyses ask for. */
import type { CheckpointSummary } from '../../contract/checkpoints.ts';
import type { SourceWay } from '../../contract/source.ts';
import type { Recipe, Shuffle, StudySpec } from '../../contract/study.ts';
import { stagesOf } from './checks-training.ts';
import { feedingWarnings } from './checkpoint-defaults.ts';
import type { StudyDataset, StudyImage } from './data.ts';
import { ENGINE_FORMAT } from './identity.ts';
import { splitLeaks } from './leaks.ts';
import { armTraining } from './overrides.ts';
import type { PlannedRun, RunSpec } from './plan.ts';
import { digest, plannedRun, policiesOf } from './planned-run.ts';
import { sourceImages } from './plan-sources.ts';
import type { Sides } from './sides.ts';
import { checkpointOf, keptOf, parentArmOf, pretrainingOf, readStart } from './starts.ts';
import { imagesBehind, trainingImages } from './training-images.ts';

export interface TargetLayout {
  /** With the arms and pretrainings that analyses ask for. */
  spec: StudySpec;
  dataset: StudyDataset;
  domains: string[];
  sides: Sides;
  checkpoints: ReadonlyMap<string, CheckpointSummary>;
  /** Pretrainings by their names in the study. */
  parents: ReadonlyMap<string, PlannedRun>;
  /** Leaks by the names of the pretrainings that saw what is tested. */
  seenBy: ReadonlyMap<string, string[]>;
}

interface Cell {
  arm: string;
  seed: number;
  shuffle: Shuffle;
}

type Begun = Pick<PlannedRun, 'checkpoint'> & Pick<RunSpec, 'start'>;

/** Plans runs, each once, after what it starts from. */
export class TargetPlanner {
  readonly #layout: TargetLayout;
  readonly #planned = new Map<string, PlannedRun>();

  constructor(layout: TargetLayout) {
    this.#layout = layout;
  }

  /** All that were planned, parents before their children. */
  get runs(): PlannedRun[] {
    return [...this.#planned.values()];
  }

  plan(cell: Cell): PlannedRun {
    const key = JSON.stringify([cell.arm, cell.seed, cell.shuffle]);
    const known = this.#planned.get(key);
    if (known) return known;
    const run = this.#run(cell, this.#begin(cell));
    this.#planned.set(key, run);
    return run;
  }

  #run({ arm, seed, shuffle }: Cell, { start, checkpoint }: Begun): PlannedRun {
    const { spec, dataset, domains, sides } = this.#layout;
    const { test, classNames } = sides;
    const train = trainingImages(spec, arm, sides);
    const source = this.#sourceImages(arm);
    const validation = sides.validation.length === 0 ? null : sides.validation;
    const digests = {
      train: digest(train, classNames),
      validation: validation && digest(validation, classNames),
      test: digest(test, classNames),
    };
    const runSpec: RunSpec = {
      format: ENGINE_FORMAT,
      kind: 'target',
      architecture: spec.architecture,
      classNames,
      ...policiesOf(sides.findings),
      recipe: recipeUnder(spec.recipe, shuffle),
      training: armTraining(spec, arm),
      seed,
      shuffle,
      start,
      data: { domains, ...digests },
      ...(source && { source: { way: source.way, ...digest(source.images, classNames) } }),
    };
    const images = { train, validation, test, ...(source && { source: source.images }) };
    const feeding = checkpoint ? feedingWarnings(spec, runSpec.training, checkpoint) : [];
    const notes = [...this.#leaks(arm), ...this.#seen(arm), ...feeding];
    return plannedRun(runSpec, { arm, dataset, ...images, checkpoint }, notes);
  }

  /** Those of the split that are in what this arm learnt from. */
  #leaks(arm: string): string[] {
    const { spec, dataset, sides } = this.#layout;
    if (sides.leaks.length === 0) return [];
    const train = imagesBehind(spec, [arm], sides);
    return splitLeaks({ ...sides, train }, dataset.groupedBy);
  }

  #sourceImages(arm: string): { way: SourceWay; images: StudyImage[] } | null {
    const { spec, parents, sides } = this.#layout;
    const source = spec.arms[arm]?.source;
    if (!source) return null;
    const images = sourceImages(source, parents.get(source.images)!, sides, spec);
    return { way: source.way, images };
  }

  /** What was seen before of what is tested. */
  #seen(arm: string): string[] {
    const { spec, seenBy } = this.#layout;
    const { init, source } = spec.arms[arm]!;
    const start = readStart(init);
    const parent = parentArmOf(start);
    const pretraining = pretrainingOf(start)?.pretraining;
    const seen = [pretraining, source?.images].flatMap((name) => seenBy.get(name ?? '') ?? []);
    return [...new Set([...(parent ? this.#seen(parent.arm) : []), ...seen])];
  }

  #begin(cell: Cell): Begun {
    const { spec, parents, checkpoints } = this.#layout;
    const { init } = spec.arms[cell.arm]!;
    const start = readStart(init);
    if (start === 'random') return { start, checkpoint: null };
    if ('arm' in start) return this.#beginFromArm(cell, start);
    const kept = this.#keptOfCheckpoint(cell.arm);
    const name = checkpointOf(start);
    if (name !== null) {
      const checkpoint = checkpoints.get(name)!;
      return { start: { checkpoint: checkpoint.sha256, ...kept }, checkpoint };
    }
    const { pretraining, epoch } = pretrainingOf(start)!;
    const parent = parents.get(pretraining)!;
    const after = epoch === 'last' ? parent.spec.training.epochs : epoch;
    return { start: { run: parent.id, epoch: after, ...kept }, checkpoint: null };
  }

  #beginFromArm(
    { arm, seed, shuffle }: Cell,
    from: { arm: string; epoch: number | 'last' },
  ): Begun {
    const parent = this.plan({ arm: from.arm, seed, shuffle });
    const epoch = from.epoch === 'last' ? parent.spec.training.epochs : from.epoch;
    const kept = keptOf(this.#layout.spec.arms[arm]!.init);
    if ('keep-to' in kept) return { start: { run: parent.id, epoch, ...kept }, checkpoint: null };
    // Before its first epoch a run is nothing but its start.
    if (epoch === 0) return { start: parent.spec.start, checkpoint: parent.checkpoint };
    return { start: { run: parent.id, epoch, head: true }, checkpoint: null };
  }

  /** Up to the last stage below the head is what is kept anyway. */
  #keptOfCheckpoint(arm: string): ReturnType<typeof keptOf> {
    const { spec } = this.#layout;
    const { 'keep-to': last, ...rest } = keptOf(spec.arms[arm]!.init);
    if (last === undefined || last === stagesOf(spec.architecture).at(-2)) return rest;
    return { ...rest, 'keep-to': last };
  }
}

/** As in the paper's code, a shuffled run is trained without augmentation (its `_noaug` recipes). */
function recipeUnder(recipe: Recipe, shuffle: Shuffle): Recipe {
  return shuffle === 'none' ? recipe : { ...recipe, augment: 'none' };
}
