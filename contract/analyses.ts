/** What is computed over all images of a data set with a network's features. */
import { z } from 'zod';

/** Whose features: an imported checkpoint, a run, or (for trying) plain pixels. */
export const featureSource = z.union([
  z.strictObject({ checkpoint: z.string().min(1) }),
  z.strictObject({ run: z.string().min(1) }),
  z.strictObject({ pixels: z.literal(true) }),
]);
export type FeatureSource = z.infer<typeof featureSource>;

export const mapSpecSchema = z.strictObject({
  source: featureSource,
  /** UMAP (McInnes et al., arXiv 1802.03426). */
  neighbours: z.int().min(2).max(200).default(15),
  minDistance: z.number().min(0).max(1).default(0.1),
  seed: z.int().min(0).max(0xffffffff).default(0),
  /** At most so many images, drawn with the seed, classes alike; the rest is left out. */
  most: z.int().min(10).max(200_000).default(20_000),
});
export type MapSpec = z.infer<typeof mapSpecSchema>;

/** A map of a data set as lists have it. */
export interface MapSummary {
  id: string;
  datasetId: string;
  spec: MapSpec;
  /** Name of the checkpoint or run, for people. */
  sourceName: string;
  images: number;
  /** Of the features. */
  dimensions: number;
  createdAt: string;
}

/** A map as the scatter plot takes it; parallel arrays. */
export interface MapPoints extends MapSummary {
  ids: number[];
  /** In [0, 1], rounded to 5 digits. */
  x: number[];
  y: number[];
  /** Indices into `labelNames` and `domainNames`. */
  label: number[];
  domain: number[];
  labelNames: string[];
  domainNames: string[];
}

export const suspectSpecSchema = z.strictObject({
  source: featureSource,
  /** Multi-label: the finding that is looked at; in other sets absent. */
  finding: z.string().min(1).optional(),
  /** Parts of the cross-validation; groups are never divided. */
  folds: z.int().min(2).max(20).default(5),
  seed: z.int().min(0).max(0xffffffff).default(0),
});
export type SuspectSpec = z.infer<typeof suspectSpecSchema>;

/** The classes of a search in one finding, and the values that they stand for. */
export const FINDING_CLASSES = { absent: 0, present: 1 } as const;

/**
 * An image whose class is likely wrong (confident learning: Northcutt et al., arXiv 1911.00068). In a
 * search of one finding the classes are FINDING_CLASSES.
 */
export interface Suspect {
  id: number;
  path: string;
  domain: string;
  label: string;
  /** The class that the model, trained without the image, finds likelier. */
  suggested: string;
  /** Out-of-sample probability of the label it has, in [0, 1]. */
  selfConfidence: number;
  /** p(label) - max of the others, in [-1, 1]; the wall is sorted by it, lowest first. */
  margin: number;
}

export interface SuspectReport {
  id: string;
  datasetId: string;
  spec: SuspectSpec;
  sourceName: string;
  createdAt: string;
  images: number;
  /** Out-of-sample accuracy of the probe: of a poor one, suspicions are worth little. */
  accuracy: number;
  /** Area under the ROC curve of the probe, out of sample; null with more than two classes. */
  auc: number | null;
  /** Images estimated to be mislabelled: off-diagonal of the confident joint. */
  estimated: number;
  /** Mean self-confidence of each class's images: the thresholds of the confident joint. */
  thresholds: { label: string; threshold: number; images: number }[];
  /** Pairs of classes that are confused most: images of `label` that look like `suggested`. */
  confusions: { label: string; suggested: string; images: number }[];
  /** In lists empty. */
  suspects: Suspect[];
  /** What the user should know: classes or images that were left out. */
  notes: string[];
}

/**
 * What the quality of the probe says of its suspicions; null where there is nothing to say. With two
 * classes by the area under the ROC curve: where one of them is rare, any probe is mostly right.
 */
export function caution({
  accuracy,
  auc,
  thresholds,
}: Pick<SuspectReport, 'accuracy' | 'auc' | 'thresholds'>): string | null {
  const [told, well] =
    auc === null
      ? [accuracy >= 2 / Math.max(1, thresholds.length), accuracy >= 0.75]
      : [auc >= 0.6, auc >= 0.8];
  if (well) return null;
  return told
    ? 'Where the model is often wrong, many suspicions are its own mistakes: look at the first ones, and choose better features.'
    : 'By these features the classes are hardly told apart: suspicions are close to guesses.';
}

/** The nearest images by cosine similarity of features. */
export interface Neighbour {
  id: number;
  similarity: number;
}
