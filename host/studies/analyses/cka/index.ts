/** Similarity of features between runs, layer by layer (paper, Table 1). */
import { CarryoverError } from '../../../../contract/errors.ts';
import type { AnalysisOptions } from '../../../../contract/study-analyses.ts';
import { buildModel } from '../../../../engine/models/registry.ts';
import type { AnalysisDefinition, NetworkRef, StudyRun, StudyView } from '../definition.ts';
import { armRuns, runPairs } from '../pairs.ts';
import { groupNumbers } from '../../group-numbers.ts';
import type { CkaJob, CkaMeasured } from './measure.ts';
import { presented, type Pair } from './present.ts';

type Options = AnalysisOptions<'cka'>;

/** Bytes of features, and of inner products, that are kept at once. */
const MEMORY = 2 ** 29;
/** Features of one layer may take twice as much. */
const LAYER_MEMORY = 2 ** 30;
/** Inner products of all layers of two networks are kept at once for a map. */
const MOST_IMAGES = 1024;

/** Pairs in the order in which they are measured: between runs, then each run and its start. */
function pairsOf(view: StudyView): Pair[] {
  const own = armRuns(view).map((run): Pair => ({ kind: `${run.arm}/start`, a: run, b: run }));
  return [...runPairs(view), ...own];
}

function plan(view: StudyView, options: Options) {
  const runs = armRuns(view);
  const [first] = runs;
  if (!first) {
    throw new CarryoverError('unsupported', 'cka needs runs that are not shuffled', {
      wayOut: 'add none to shuffles',
    });
  }
  const pairs = pairsOf(view);
  const networks = new Networks();
  const numbered = pairs.map(({ a, b }): [number, number] => [
    networks.number(a.result),
    networks.number(a === b ? b.start : b.result),
  ]);
  const sizes = layerSizes(view);
  const most = imagesThatFit(options.images, sizes);
  const job: CkaJob = {
    images: { run: first.id, split: 'test', most },
    groups: groupNumbers(view.study.sides.test),
    networks: networks.all,
    layers: together(sizes, most, networks.all.length),
    pairs: numbered,
    maps: firstOfKinds(pairs).map((at) => numbered[at]!),
    ...{ estimator: options.estimator, permutations: options.permutations },
    ...{ replicates: options.bootstrap, second: options['second-opinion'] },
  };
  return { job, uses: runs.map(({ id }: StudyRun) => id) };
}

class Networks {
  readonly all: NetworkRef[] = [];

  number({ run, epoch }: NetworkRef): number {
    const known = this.all.findIndex((each) => each.run === run && each.epoch === epoch);
    return known >= 0 ? known : this.all.push({ run, epoch }) - 1;
  }
}

function firstOfKinds(pairs: readonly Pair[]): number[] {
  const kinds = [...new Set(pairs.map(({ kind }) => kind))];
  return kinds.map((kind) => pairs.findIndex((pair) => pair.kind === kind));
}

/** Numbers per image of every layer but the logits, whose units are another network's own. */
function layerSizes({ study: { spec, sides } }: StudyView): Map<string, number> {
  const { architecture } = spec;
  const classes = sides.classNames.length;
  const { taps } = buildModel({ architecture, classes, batch: 1, mode: 'evaluation' });
  const sizes = [...taps].map(([name, { shape }]): [string, number] => [
    name,
    shape.reduce((product, side) => product * side, 1),
  ]);
  return new Map(sizes.filter(([name]) => name !== 'logits'));
}

function imagesThatFit(wanted: number, sizes: ReadonlyMap<string, number>): number {
  const largest = Math.max(...sizes.values());
  return Math.min(wanted, MOST_IMAGES, Math.floor(LAYER_MEMORY / (4 * largest)));
}

/** Layers whose features of one network, and inner products of all, are in memory together. */
function together(sizes: ReadonlyMap<string, number>, images: number, networks: number) {
  const groups: string[][] = [];
  let [features, grams] = [Infinity, Infinity];
  for (const [layer, size] of sizes) {
    const [own, gram] = [4 * images * size, 8 * images * images * networks];
    if (features + own > MEMORY || grams + gram > MEMORY) {
      groups.push([]);
      [features, grams] = [0, 0];
    }
    groups.at(-1)!.push(layer);
    features += own;
    grams += gram;
  }
  return groups;
}

export const cka: AnalysisDefinition<'cka', CkaJob, CkaMeasured> = {
  name: 'cka',
  title: 'Similarity of features',
  version: 2,
  plan,
  present: (view, options, measured, job) => presented(view, pairsOf(view), options, measured, job),
};
