import type { Estimator, GramPair, PermutationNull } from '../../../../engine/analysis/cka.ts';
import { cka, halfSampleInterval, permutationNull } from '../../../../engine/analysis/cka.ts';
import { unitsOf } from '../../../../engine/analysis/bootstrap.ts';
import { gramOf, type Gram } from '../../../../engine/analysis/gram.ts';
import { procrustes, spectrumOf, svcca } from '../../../../engine/analysis/second-opinions.ts';
import type { NetworkRef } from '../definition.ts';
import type { ImagesRef, Lab, Measure } from '../lab.ts';

/** Images are redrawn by streams of this seed. */
const SEED = 0;

export type SecondOpinion = 'none' | 'svcca' | 'procrustes';

export interface CkaJob {
  images: ImagesRef;
  /** Group number of every test image; null: there are no groups. */
  groups: number[] | null;
  networks: NetworkRef[];
  /** Layers, those together whose features fit into memory together. */
  layers: string[][];
  /** Pairs of networks that are compared layer by layer. */
  pairs: [number, number][];
  /** Pairs that are compared across layers. */
  maps: [number, number][];
  estimator: Estimator;
  permutations: number;
  replicates: number;
  second: SecondOpinion;
}

/** One pair at one layer. */
export interface LayerSimilarity {
  /** null: the features of one side do not differ between images. */
  cka: number | null;
  null: PermutationNull | null;
  interval: [number, number] | null;
  second: number | null;
}

export interface CkaMeasured {
  images: number;
  groups: number;
  /** [pair][layer] */
  pairs: LayerSimilarity[][];
  /** [map][layer of the first network][layer of the second] */
  maps: (number | null)[][][];
}

export const measure: Measure<CkaJob, CkaMeasured> = async (job, lab) => {
  const rows = lab.rows(job.images);
  const { groups } = job;
  const units = unitsOf(rows.length, groups ? rows.map((row) => groups[row]!) : undefined);
  const parts: LayerSimilarity[][][] = [];
  const total = job.layers.length * (job.networks.length + job.pairs.length) + job.maps.length;
  let done = 0;
  const step = (): void => lab.tell('similarity of features', done++, total, 'comparisons');
  for (const layers of job.layers) {
    const part = await lab.memo(`layers ${layers.join(' ')}`, () =>
      layerByLayer(job, lab, layers, units.of, step),
    );
    parts.push(part);
  }
  const maps: CkaMeasured['maps'] = [];
  for (const [a, b] of job.maps) {
    step();
    maps.push(await lab.memo(`map ${a} ${b}`, () => acrossLayers(job, lab, a, b)));
  }
  const pairs = job.pairs.map((_, pair) => parts.flatMap((part) => part[pair]!));
  return { images: rows.length, groups: units.count, pairs, maps };
};

/** [pair][layer] */
async function layerByLayer(
  job: CkaJob,
  lab: Lab,
  layers: readonly string[],
  units: Int32Array,
  step: () => void,
): Promise<LayerSimilarity[][]> {
  const grams: Gram[][] = [];
  for (let network = 0; network < job.networks.length; network++) {
    step();
    grams.push(await gramsOf(job, lab, network, layers));
  }
  const opinion = secondOpinion(job.second);
  return job.pairs.map(([a, b]) => {
    step();
    return layers.map((_, layer) =>
      similarity({ x: grams[a]![layer]!, y: grams[b]![layer]! }, job, units, opinion),
    );
  });
}

/** Of every layer, in order. */
async function gramsOf(job: CkaJob, lab: Lab, network: number, layers: readonly string[]) {
  const ref = job.networks[network]!;
  const weights = await lab.weights(ref);
  const features = await lab.activations(ref.run, weights, job.images, layers, 'flat');
  const grams: Gram[] = [];
  for (const layer of layers) {
    const { values, images: rows, dimensions } = features.get(layer)!;
    grams.push(await gramOf({ values, rows, dimensions }));
  }
  return grams;
}

type Opinion = (pair: GramPair) => number | null;

/** Spectra are the dear part of it, and each is of several pairs. */
function secondOpinion(kind: SecondOpinion): Opinion {
  if (kind === 'none') return () => null;
  const spectra = new Map<Gram, ReturnType<typeof spectrumOf>>();
  const of = (gram: Gram) => {
    const spectrum = spectra.get(gram) ?? spectrumOf(gram);
    spectra.set(gram, spectrum);
    return spectrum;
  };
  const judge = kind === 'svcca' ? svcca : procrustes;
  return ({ x, y }) => judge(of(x), of(y));
}

function similarity(
  pair: GramPair,
  { estimator, permutations, replicates }: CkaJob,
  units: Int32Array,
  opinion: Opinion,
): LayerSimilarity {
  const batches = [pair];
  const half = { replicates, seed: SEED, units: [units] };
  return {
    cka: cka(batches, estimator),
    null: permutationNull(batches, estimator, { permutations, seed: SEED }),
    interval: estimator === 'unbiased' ? halfSampleInterval(batches, half) : null,
    second: opinion(pair),
  };
}

async function acrossLayers(
  job: CkaJob,
  lab: Lab,
  a: number,
  b: number,
): Promise<(number | null)[][]> {
  const [first, second]: [Gram[], Gram[]] = [[], []];
  for (const layers of job.layers) {
    first.push(...(await gramsOf(job, lab, a, layers)));
    second.push(...(await gramsOf(job, lab, b, layers)));
  }
  return first.map((x) => second.map((y) => cka([{ x, y }], job.estimator)));
}
