/** Images of a pretraining as material of an arm's own training: kinds of transfer beside parameters. */
import { z } from 'zod';

/** Source images beside the target's labelled training images (instance transfer). */
export const INSTANCE_WAYS = [
  'joint', // all weigh 1: the control
  'importance-weights', // P(target | x) / P(source | x) by a classifier of domains (Bickel et al. 2007)
  'kliep', // the same by Kullback-Leibler importance estimation (Sugiyama et al. 2008)
  'tradaboost', // what boosting leaves of each image's weight (Dai et al. 2007)
] as const;

/** Source images, and no label of the target (transductive transfer). */
export const UNLABELLED_WAYS = [
  'source-only', // the control
  'pseudo-labels', // with target images of whose label a first model is sure (Lee 2013)
  'coral', // then a new head, on source features aligned to the target's (Sun, Feng, Saenko 2016)
  'adabn', // then BatchNorm's statistics of the target's images (Li et al. 2016)
] as const;

export const SOURCE_WAYS = [...INSTANCE_WAYS, ...UNLABELLED_WAYS] as const;
export type SourceWay = (typeof SOURCE_WAYS)[number];
/** Those that are no controls. */
export const TRAINED_WAYS = [
  ...(['importance-weights', 'kliep', 'tradaboost'] as const),
  ...(['pseudo-labels', 'coral', 'adabn'] as const),
];
export type InstanceWay = (typeof INSTANCE_WAYS)[number];

/** What an arm learns from besides, or instead of, the target's labelled training images. */
export const sourceSchema = z.strictObject({
  /** A pretraining of the study, whose images of classes that the target has are taken. */
  images: z.string().min(1),
  way: z.enum(SOURCE_WAYS),
  /** So many at most, drawn with the split's seed. */
  most: z.int().min(2).max(100_000).default(2000),
});
export type ArmSource = z.infer<typeof sourceSchema>;

/** Whether a way learns from the labels of the target's training images. */
export function usesTargetLabels(way: SourceWay): way is InstanceWay {
  return INSTANCE_WAYS.some((each) => each === way);
}

/** Whether a way changes the network after its last epoch. */
export function adaptsAfterwards(way: SourceWay): way is 'coral' | 'adabn' {
  return way === 'coral' || way === 'adabn';
}

/** The way that differs from another in nothing but what the other is about. */
export function controlOf(way: SourceWay): 'joint' | 'source-only' {
  return usesTargetLabels(way) ? 'joint' : 'source-only';
}

/** Which images a run with a source learnt from, as it was found on the features of its start. */
export interface LearntFrom {
  way: SourceWay;
  /** Source images first, then target images. */
  imageIds: number[];
  /** So many of them are of the source. */
  sources: number;
  /** Class indices; of pseudo-labelled images what they were given. */
  labels: number[];
  /** As the way gives them; target images weigh 1. */
  weights: number[];
  /** (sum w)^2 / sum w^2 of the source images' weights (Kish 1965). */
  effectiveSources: number;
  /** Target images that were given a label, of how many, and how many of those labels are right. */
  pseudoLabelled: { given: number; of: number; right: number } | null;
}
