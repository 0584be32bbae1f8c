import {
  boosted,
  coral,
  importanceWeighted,
  kliepWeighted,
  pseudoLabelled,
  sourceOnly,
  targetOnly,
  type FeatureTransferInput,
  type LabelledRows,
  type Told,
} from '../../../../engine/analysis/feature-transfer.ts';
import { bootstrap, unitsOf } from '../../../../engine/analysis/bootstrap.ts';
import { argmaxRows } from '../../../../engine/analysis/metrics.ts';
import { recalibrate } from '../../../../engine/train/recalibrate.ts';
import type { NetworkRef } from '../definition.ts';
import type { ImagesRef, Lab, Measure } from '../lab.ts';
import type { Trained } from './trained.ts';

/** Ways to use labels and images, with a linear head on the start's features or the source's own. */
export type Way =
  | 'target-only'
  | 'source-only'
  | 'importance-weights'
  | 'kliep'
  | 'tradaboost'
  | 'coral'
  | 'pseudo-labels'
  | 'source-head'
  | 'adabn';

export interface KindsJob {
  ways: Way[];
  /** Whose features: the start of a target run. */
  start: NetworkRef;
  /** The pretraining itself, with its own head. */
  source: NetworkRef;
  sourceImages: ImagesRef;
  target: ImagesRef;
  test: ImagesRef;
  /** A number per image of the split. */
  groups: { source: number[]; target: number[]; test: number[] };
  replicates: number;
  /** Presented as they are. */
  trained: Trained;
}

export interface WayResult {
  way: Way;
  accuracy: number;
  interval: [number, number] | null;
  /** Accuracy less that of `target-only`, and of `source-only` (of `source-head` for AdaBN). */
  overTarget: Difference;
  overSource: Difference;
  effectiveSources: number | null;
  pseudoLabelled: number | null;
}

export interface Difference {
  value: number;
  interval: [number, number] | null;
}

export interface KindsMeasured {
  results: WayResult[];
  sourceImages: number;
  targetImages: number;
  testImages: number;
  /** Test images of classes that the source has. */
  sharedClasses: number;
}

const OF_FEATURES: Partial<Record<Way, (input: FeatureTransferInput) => Told>> = {
  'target-only': targetOnly,
  'source-only': sourceOnly,
  'importance-weights': importanceWeighted,
  kliep: kliepWeighted,
  tradaboost: boosted,
  coral,
  'pseudo-labels': pseudoLabelled,
};

const POOL = 'pool';

export const measure: Measure<KindsJob, KindsMeasured> = async (job, lab) => {
  const { run } = job.start;
  const classes = lab.job(run).classNames;
  const sourceClasses = lab.job(job.source.run).classNames;
  const rows = async (images: ImagesRef) => {
    const weights = await lab.weights(job.start);
    const found = await lab.activations(run, weights, images, [POOL], 'mean');
    return found.get(POOL)!;
  };
  const target = await rows(job.target);
  const source = await rows(job.sourceImages);
  const test = await rows(job.test);
  const truth = labelsOf(lab, job.test);
  const shared = keepShared(
    {
      rows: source.values,
      labels: labelsOf(lab, job.sourceImages),
      groups: groupsOf(lab, job.sourceImages, job.groups.source),
    },
    source.dimensions,
    sourceClasses.map((name) => classes.indexOf(name)),
  );
  const input: FeatureTransferInput = {
    ...{ features: target.dimensions, classes: classes.length, source: shared, test: test.values },
    target: { rows: target.values, labels: labelsOf(lab, job.target), groups: job.groups.target },
  };
  const told = new Map<Way, Told>();
  for (const way of job.ways) {
    lab.tell(way, told.size, job.ways.length, 'ways');
    const own = OF_FEATURES[way];
    told.set(way, own ? own(input) : await bySourceHead(job, lab, way, sourceClasses, classes));
  }
  return {
    results: judge(told, truth, job),
    sourceImages: shared.labels.length,
    targetImages: target.images,
    testImages: test.images,
    sharedClasses: sourceClasses.filter((name) => classes.includes(name)).length,
  };
};

function labelsOf(lab: Lab, images: ImagesRef): Int32Array {
  const { labels } = lab.job(images.run)[images.split]!;
  return Int32Array.from(lab.rows(images), (row) => labels[row]!);
}

function groupsOf(lab: Lab, images: ImagesRef, groups: readonly number[]): number[] {
  return lab.rows(images).map((row) => groups[row]!);
}

/** Rows of classes that the target has, in its numbering. @param to -1: it has not */
function keepShared(
  { rows, labels, groups }: LabelledRows,
  features: number,
  to: readonly number[],
): LabelledRows {
  const kept = [...labels.keys()].filter((row) => to[labels[row]!]! >= 0);
  const values = new Float32Array(kept.length * features);
  kept.forEach((row, at) =>
    values.set(rows.subarray(row * features, (row + 1) * features), at * features),
  );
  return {
    rows: values,
    labels: Int32Array.from(kept, (row) => to[labels[row]!]!),
    groups: kept.map((row) => groups[row]!),
  };
}

/** The pretraining's own head over the classes that both have, as it is or with AdaBN's statistics. */
async function bySourceHead(
  job: KindsJob,
  lab: Lab,
  way: Way,
  from: readonly string[],
  classes: readonly string[],
): Promise<Told> {
  const { run } = job.source;
  let weights = await lab.weights(job.source);
  if (way === 'adabn') {
    const images = await lab.source(job.target);
    weights = await recalibrate(lab.options(run), weights, images, { threads: 1 });
  }
  const found = await lab.activations(run, weights, job.test, ['logits'], 'flat');
  const { values, images } = found.get('logits')!;
  const to = from.map((name) => classes.indexOf(name));
  const logits = new Float32Array(images * classes.length).fill(-1e30);
  for (let image = 0; image < images; image++) {
    to.forEach((own, c) => {
      if (own >= 0) logits[image * classes.length + own] = values[image * from.length + c]!;
    });
  }
  return { predicted: argmaxRows(logits, classes.length) };
}

function judge(
  told: ReadonlyMap<Way, Told>,
  truth: Int32Array,
  { groups, replicates }: KindsJob,
): WayResult[] {
  const units = unitsOf(truth.length, groups.test);
  const right = (way: Way): number[] =>
    Array.from(truth, (label, image) => Number(told.get(way)!.predicted[image] === label));
  const estimate = (values: readonly number[]): Difference => {
    const [interval = null] = bootstrap(
      units.count,
      (times) => {
        let [sum, count] = [0, 0];
        values.forEach((value, image) => {
          const drawn = times[units.of[image]!]!;
          sum += drawn * value;
          count += drawn;
        });
        return [count === 0 ? null : sum / count];
      },
      { replicates },
    );
    return { value: values.reduce((sum, each) => sum + each, 0) / values.length, interval };
  };
  return [...told].map(([way, { effectiveSources = null, pseudoLabelled: pseudo = null }]) => {
    const own = right(way);
    const less = (other: Way) => {
      const values = right(other);
      return estimate(own.map((value, image) => value - values[image]!));
    };
    const { value: accuracy, interval } = estimate(own);
    const base = way === 'adabn' || way === 'source-head' ? 'source-head' : 'source-only';
    const differences = { overTarget: less('target-only'), overSource: less(base) };
    const counts = { effectiveSources, pseudoLabelled: pseudo };
    return { way, accuracy, interval, ...differences, ...counts };
  });
}
