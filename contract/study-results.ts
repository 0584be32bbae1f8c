/** The numbers of a study. */
import type { AnalysisState, JudgedClaim } from './study-analyses.ts';

/** A subgroup of fewer test images than this is marked: its numbers say little. */
export const FEW_IMAGES = 10;

/** Accuracy of one arm on the test images with one value of an attribute. */
export interface SubgroupResult {
  attribute: string;
  value: string;
  arm: string;
  shuffle: string;
  images: number;
  accuracy: OverSeeds;
  /** Multi-label. */
  auc: OverSeeds | null;
}

/** Mean and range over seeds. */
export interface OverSeeds {
  mean: number;
  min: number;
  max: number;
  values: number[];
  runIds: string[];
}

/** What an arm is judged by: with findings the area under the ROC curve, else accuracy. */
export function measureOf(arm: { accuracy: OverSeeds; auc: OverSeeds | null }): OverSeeds {
  return arm.auc ?? arm.accuracy;
}

/** The numbers of a study, as the report, the app and `--json` show them. */
export interface StudyResults {
  arms: {
    arm: string;
    shuffle: string;
    accuracy: OverSeeds;
    /** Multi-label: mean area under the ROC curve over the findings. */
    auc: OverSeeds | null;
    optimisationSpeed: OverSeeds | null;
  }[];
  /** Multi-label: area under the ROC curve of each finding, per arm and shuffle. */
  findings: {
    finding: string;
    arm: string;
    shuffle: string;
    positives: number;
    negatives: number;
    auc: OverSeeds | null;
  }[];
  subgroups: SubgroupResult[];
  /** Leaks that were overruled; shown on every figure. */
  warnings: string[];
  /** In the study's order. */
  analyses: AnalysisState[];
  /** The scorecard. */
  claims: JudgedClaim[];
  /** 100 (A_pretrained - A_random) / A_pretrained by shuffle, from the means over seeds; A: `measureOf`. */
  relativeDrop: { shuffle: string; pretrained: string; random: string; percent: number }[];
  /** Every pair of runs of one shuffle, by the kind of pair (P-T/P-T ...). */
  pairs: {
    kind: string;
    shuffle: string;
    a: string;
    b: string;
    kappa: number;
    kappaInterval: [number, number];
    sameWrongLabelRate: number | null;
    commonMistakes: number;
    uncommonMistakes: number;
    n: number;
  }[];
}
