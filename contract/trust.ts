/** What there is to distrust in a data set: the report page, and what its exports hold. */

/** Images that belong together. */
export interface ImageSet {
  ids: number[];
  paths: string[];
  /** Distinct. */
  labels: string[];
  domains: string[];
  splits: string[];
  /** Of each image, in the order of `ids`: its place in `labels`, `domains` and `splits`. */
  labelOf: number[];
  domainOf: number[];
  splitOf: number[];
}

/** Images that are copies of each other, or nearly. */
export interface DuplicateSet extends ImageSet {
  /** Largest distance of the perceptual hashes within the set; 0 for identical files. */
  distance: number;
}

/** A group with images in two splits and more. */
export interface LeakedGroup extends ImageSet {
  group: string;
}

export interface OddImage {
  id: number;
  path: string;
  /** In words, with the number: "deviation 0.002". */
  why: string;
}

export interface TrustSpec {
  /** Bits of 64 in which perceptual hashes may differ in a near duplicate. */
  nearBits: number;
  /** Standard deviation of the luma in [0, 1] below which an image is near-constant. */
  constantBelow: number;
  /** Whose splits are looked at: as given by the source, or those of a study. */
  studyId: string | null;
}

export interface TrustReport {
  id: string;
  /** Of the rules that it was made by: reports of others are made anew. */
  version: number;
  datasetId: string;
  datasetName: string;
  contentHash: string;
  createdAt: string;
  spec: TrustSpec;
  images: number;
  excluded: number;
  /** What the images are grouped by, as DatasetSummary has it. */
  groupedBy: string;
  /** Images without a perceptual hash: imported by an early version, never a near duplicate. */
  unhashed: number;
  classNames: string[];
  domainNames: string[];
  /** Of the looked-at splits, in the order train, validation, test, then `none` for the rest. */
  splitNames: string[];
  /** counts[split][domain][class]. */
  counts: number[][][];
  /** Largest class over smallest, per domain and overall (`all`); null where a class is empty. */
  imbalance: { domain: string; ratio: number | null; largest: string; smallest: string }[];
  exact: DuplicateSet[];
  near: DuplicateSet[];
  /**
   * Sets of either kind that reach over splits; test images with a copy, or nearly one, that is
   * trained or validated on.
   */
  acrossSplits: { exact: number; near: number; testImages: number; affectedTestImages: number };
  /** Test images whose group another split knows; all leaked groups, the largest first. */
  groupsAcrossSplits: { groups: number; affectedTestImages: number; leaked: LeakedGroup[] };
  /** Identical or nearly identical images under different classes. */
  conflicts: DuplicateSet[];
  /** Sizes that are far from the rest: sides beyond 3 interquartile ranges, elongated over 3:1. */
  oddSizes: OddImage[];
  /**
   * No difference in the luma as the import measures it: at 8 bits, beyond 512 x 512 pixels on
   * 256 x 256. Colours of equal luma, differences finer than 8 bits and thin lines are not seen.
   */
  blank: OddImage[];
  nearConstant: OddImage[];
  unreadable: { path: string; reason: string }[];
  /** The most important of all that, in sentences, worst first. */
  findings: { level: 'bad' | 'warn' | 'info'; text: string; ids: number[] }[];
}
