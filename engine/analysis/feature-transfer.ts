/**
 * Kinds of transfer with a linear head on fixed features: what source images and unlabelled target
 * images add to, or do without, labelled target images (Pan and Yang 2010 for the kinds).
 */
import { stream } from '../random/streams.ts';
import { coralAligned } from './coral.ts';
import { classifierWeights, effectiveSampleSize, kliep, kliepBandwidth } from './importance.ts';
import { argmaxRows } from './metrics.ts';
import { medianDistance } from './mmd.ts';
import { momentsOf, probeProbabilities, standardised, trainProbe } from './probe.ts';
import { classifyDomains, pick } from './proxy-distance.ts';
import { boostedClasses, trAdaBoost, type Boosted } from './tradaboost.ts';

/** Rows of features with their classes, in one numbering for source and target. */
export interface LabelledRows {
  /** [row, feature] */
  rows: Float32Array;
  labels: Int32Array;
  /** A number per row, in one numbering for source and target; no group is on both sides of a fold. */
  groups: ArrayLike<number>;
}

export interface FeatureTransferInput {
  features: number;
  classes: number;
  /** Only rows of classes that the target has. */
  source: LabelledRows;
  target: LabelledRows;
  /** [row, feature]: what is judged. */
  test: Float32Array;
}

/** What a way learns from. */
export type Material = Omit<FeatureTransferInput, 'test'>;

/** What one way told of the test rows. */
export interface Told {
  predicted: Int32Array;
  /** Of weighted source images: (sum w)^2 / sum w^2 (Kish 1965). */
  effectiveSources?: number;
  /** Unlabelled images that were given a label. */
  pseudoLabelled?: number;
}

/** Learners of TrAdaBoost. */
const TURNS = 10;
/** Kernels of KLIEP, the bandwidths tried (of the median distance), and its folds. */
const CENTRES = 100;
const BANDWIDTHS = [0.25, 0.5, 1, 2];
const FOLDS = 3;
/** An unlabelled image is taken as of its likeliest class above this probability (Sohn et al. 2020). */
const SURE = 0.9;

type Way = (input: FeatureTransferInput) => Told;

/** Only the target's own labelled images. */
export const targetOnly: Way = (input) => ({ predicted: learnt(input, input.target) });

/** Only the source's images: no label of the target is used. */
export const sourceOnly: Way = (input) => ({ predicted: learnt(input, input.source) });

/** Source and target images, source images weighted by how much they look like the target's. */
export const importanceWeighted: Way = (input) => weightedBy(input, importanceWeights(input));

/** The same with weights by KLIEP, its bandwidth chosen by cross-validation on the target's images. */
export const kliepWeighted: Way = (input) => weightedBy(input, kliepWeights(input));

function weightedBy(input: FeatureTransferInput, weights: Float64Array): Told {
  const both = joined(input.source, input.target);
  const ones = Array.from(input.target.labels, () => 1);
  const predicted = learnt(input, both, Float64Array.from([...weights, ...ones]));
  return { predicted, effectiveSources: effectiveSampleSize(weights) };
}

/** `classifierWeights` of the source rows, mean 1; probabilities by cross-validation over groups. */
export function importanceWeights(material: Material): Float64Array {
  return classifierWeights(targetProbabilities(material));
}

/** KLIEP's weights of the source rows, mean 1, on features at the source's mean and deviation. */
export function kliepWeights({ source, target, features }: Material): Float64Array {
  const moments = { features, ...momentsOf(source.rows, features) };
  const rows = standardised(target.rows, moments);
  const random = stream(0, 'kliep');
  const centres = Array.from(random.permutation(target.labels.length).subarray(0, CENTRES));
  const scale = medianDistance(pick(Float32Array.from(rows), features, centres), features);
  const given = { source: standardised(source.rows, moments), target: rows, features, centres };
  const folds = random.permutation(target.labels.length).map((at) => at % FOLDS);
  const candidates = BANDWIDTHS.map((share) => share * scale);
  return kliep({ ...given, bandwidth: kliepBandwidth(given, candidates, folds) }).weights;
}

/** TrAdaBoost (Dai et al. 2007) over linear heads. */
export const boosted: Way = (input) => {
  const made = boostedOn(input);
  return {
    predicted: boostedClasses(made, input.test, input.classes),
    effectiveSources: effectiveSampleSize(made.sourceWeights),
  };
};

/** Weights that TrAdaBoost leaves the source rows: 1 at first, less where they were told wrong. */
export function boostedWeights(material: Material): Float64Array {
  return boostedOn(material).sourceWeights;
}

function boostedOn({ source, target, features, classes }: Material): Boosted {
  const { rows, labels } = joined(source, target);
  const sources = source.labels.length;
  return trAdaBoost({ rows, labels, features, classes, sources, turns: TURNS });
}

/** The source's images with their features' covariance made the target's (Sun et al. 2016); no target label. */
export const coral: Way = (input) => {
  const { source, target, features } = input;
  const rows = coralAligned(source.rows, target.rows, features);
  return { predicted: learnt(input, { ...source, rows }) };
};

/**
 * The source's images, then once more with the target's images under the labels that the first head
 * is sure of (Lee 2013); no target label.
 */
export const pseudoLabelled: Way = (input) => {
  const { source, target, features } = input;
  const { rows: sure, labels } = pseudoLabels(input);
  const own: LabelledRows = {
    rows: pick(target.rows, features, sure),
    labels,
    groups: sure.map((row) => target.groups[row]!),
  };
  return { predicted: learnt(input, joined(source, own)), pseudoLabelled: sure.length };
};

/** Target rows of whose label a head learnt on the source is sure, ascending, with those labels. */
export function pseudoLabels({ source, target, features, classes }: Material): {
  rows: number[];
  labels: Int32Array;
} {
  const first = trainProbe(source.rows, source.labels, { features, classes });
  const probabilities = probeProbabilities(first, target.rows);
  const likely = argmaxRows(probabilities, classes);
  const rows = [...likely.keys()].filter(
    (row) => probabilities[row * classes + likely[row]!]! > SURE,
  );
  return { rows, labels: Int32Array.from(rows, (row) => likely[row]!) };
}

function learnt(
  { features, classes, test }: FeatureTransferInput,
  { rows, labels }: LabelledRows,
  rowWeights?: Float64Array,
): Int32Array {
  const probe = trainProbe(rows, labels, { features, classes, ...(rowWeights && { rowWeights }) });
  return argmaxRows(probeProbabilities(probe, test), classes);
}

/** P(target | x) of each source row by a classifier that saw no row of its group. */
function targetProbabilities({ source, target, features }: Material): Float64Array {
  const { rows, labels, groups } = joined(source, target);
  const sources = source.labels.length;
  const domains = Int32Array.from(labels, (_, row) => Number(row >= sources));
  const { probabilities } = classifyDomains(rows, features, domains, Array.from(groups, String), 0);
  return probabilities.subarray(0, sources);
}

function joined(a: LabelledRows, b: LabelledRows): LabelledRows {
  const rows = new Float32Array(a.rows.length + b.rows.length);
  rows.set(a.rows);
  rows.set(b.rows, a.rows.length);
  const labels = Int32Array.from([...a.labels, ...b.labels]);
  return { rows, labels, groups: [...Array.from(a.groups), ...Array.from(b.groups)] };
}
