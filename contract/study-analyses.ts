/** The analyses of a study: their names and options in a study file, and what comes of them. */
import { z } from 'zod';
import type { Failure } from './errors.ts';
import type { Figure, Quantity, Table } from './figures.ts';
import { TRAINED_WAYS } from './source.ts';

const count = z.int().positive();
const epochs = z.array(z.int().min(0).max(10_000)).min(1).max(50);
/** Images that features or losses are computed on; more are drawn down with a fixed seed. */
const images = z.int().min(16).max(100_000);
const replicates = z.int().min(100).max(100_000).default(1000);
const arm = z.string().min(1);
const stage = z.string().min(1);

/** Options by analysis; every key has a default, so that a bare name will do. */
export const analysisOptions = {
  /** Accuracy, optimisation speed and relative drop by block size (paper, Fig. 3). */
  'shuffle-sweep': z.strictObject({
    /** The paper's digitised curves, drawn dashed. */
    overlay: z.enum(['none', 'real', 'clipart', 'quickdraw']).default('none'),
  }),
  /** Common and uncommon mistakes by class, ambiguity, matrix of all runs. */
  mistakes: z.strictObject({
    replicates,
    /** Findings: the rate of false positives at which a finding is called present. */
    'false-positive-rate': z.number().gt(0).lt(1).default(0.1),
    /** Images a wall shows. */
    wall: z.int().min(0).max(60).default(12),
  }),
  /** Similarity of features, layer by layer (linear CKA, unbiased). */
  cka: z.strictObject({
    images: images.default(512),
    estimator: z.enum(['unbiased', 'biased']).default('unbiased'),
    'second-opinion': z.enum(['none', 'svcca', 'procrustes']).default('none'),
    permutations: z.int().min(0).max(10_000).default(100),
    bootstrap: z.int().min(0).max(10_000).default(200),
  }),
  /** L2 between weights, by module. */
  distance: z.strictObject({ head: z.enum(['excluded', 'included']).default('excluded') }),
  /** Loss and accuracy on the straight line between two runs, and beyond. */
  barrier: z.strictObject({
    points: z.int().min(3).max(101).default(11),
    /** How far past both ends, as a share of their distance. */
    beyond: z.number().min(0).max(5).default(0.5),
    /** Of each of training and test. */
    images: images.default(512),
    'batch-norm': z.enum(['interpolated', 'recalibrated']).default('interpolated'),
    /** Estimates the (epsilon, delta) of the basin around pairs of one start. */
    basin: z.boolean().default(false),
  }),
  /** What rewinding a module costs, and how robust it is on its path. */
  criticality: z.strictObject({
    alphas: z.int().min(2).max(51).default(6),
    sigmas: z.int().min(1).max(51).default(5),
    samples: z.int().min(1).max(100).default(3),
    /** Allowed rise of the error rate. */
    epsilon: z.number().gt(0).lt(1).default(0.05),
    images: images.default(256),
    path: z.enum(['direct', 'checkpoints', 'both']).default('direct'),
    /** Only the rewinding test of Fig. 5, no grid. */
    'rewind-only': z.boolean().default(false),
  }),
  /** Fine-tuning from a series of pretraining epochs (Fig. 7). */
  checkpoints: z.strictObject({ epochs: epochs.optional(), arm: arm.optional() }),
  /** The same within a run: training anew from its own early weights. */
  rewinding: z.strictObject({ epochs: epochs.optional(), arm: arm.optional() }),
  /** Starts that keep only low-level statistics of the pretrained weights. */
  'low-level-statistics': z.strictObject({
    arm: arm.optional(),
    controls: z
      .array(z.enum(['permuted', 'gaussian', 'rescaled', 'random-labels']))
      .min(1)
      .default(['permuted', 'gaussian', 'random-labels']),
  }),
  /** AnB, BnB, AnB+, BnB+ over cut depth (Yosinski et al. 2014). */
  'transfer-depth': z.strictObject({
    arm: arm.optional(),
    cuts: z.array(stage).min(1).optional(),
  }),
  /** Filters, activations and attribution, both models side by side. */
  'what-layers-see': z.strictObject({
    images: z.int().min(1).max(60).default(8),
    channels: z.int().min(1).max(64).default(6),
    layer: z.string().min(1).optional(),
  }),
  /** Source accuracy before and after fine-tuning, old head kept. */
  forgetting: z.strictObject({ replicates }),
  /** Error with the pretrained start less error without, with an interval. */
  'negative-transfer': z.strictObject({ replicates }),
  /** Accuracy by labelled images per class, and the break-even point. */
  'low-data': z.strictObject({
    'per-class': z.array(count).min(1).max(20).default([1, 2, 5, 10]),
    arms: z.array(arm).min(1).optional(),
  }),
  /** Distances between domains in a network's features. */
  'domain-shift': z.strictObject({
    images: images.default(1000),
    /** Arm or run whose features, trained; absent: the pretrained start's. */
    features: z.string().min(1).optional(),
    /** Exchanges of domains at random that MMD is compared with. */
    permutations: z.int().min(0).max(10_000).default(200),
    replicates,
  }),
  /** Scores of checkpoints before training, against what fine-tuning came to. */
  transferability: z.strictObject({ images: images.default(2000), replicates }),
  /** Instance transfer, transductive and unsupervised starts, as arms. */
  'kinds-of-transfer': z.strictObject({
    kinds: z
      .array(
        z.enum([
          'importance-weights',
          'kliep',
          'tradaboost',
          'coral',
          'adabn',
          'pseudo-labels',
          'rotation',
        ]),
      )
      .min(1)
      .default(['importance-weights', 'tradaboost', 'coral', 'pseudo-labels', 'rotation']),
    /** Of which whole networks are trained, too, with the controls that they need. */
    trained: z.array(z.enum(TRAINED_WAYS)).default([]),
    arm: arm.optional(),
  }),
  /** Accuracy, calibration and agreement by subgroup. */
  bias: z.strictObject({
    attributes: z.array(z.string().min(1)).min(1).optional(),
    correction: z.enum(['holm', 'benjamini-hochberg']).default('holm'),
    replicates,
  }),
  /** Balanced accuracy, F1, AUC, calibration, confusion. */
  metrics: z.strictObject({ bins: z.int().min(2).max(100).default(15), replicates }),
} as const;

export type AnalysisName = keyof typeof analysisOptions;
export type AnalysisOptions<N extends AnalysisName> = z.infer<(typeof analysisOptions)[N]>;

export const ANALYSIS_NAMES = Object.keys(analysisOptions) as AnalysisName[];

/** Parts of every study's results. */
export const BASIC_ANALYSES = ['agreement', 'optimisation-speed'] as const;

/** `cka`, or with options `{ cka: { images: 256 } }`. */
export const analysisEntry = z.union([
  z.enum([...BASIC_ANALYSES, ...ANALYSIS_NAMES]),
  z
    .strictObject(
      Object.fromEntries(
        ANALYSIS_NAMES.map((name) => [name, analysisOptions[name].optional()]),
      ) as unknown as {
        [N in AnalysisName]: z.ZodOptional<(typeof analysisOptions)[N]>;
      },
    )
    .refine(
      (entry) => Object.keys(entry).length === 1,
      'one analysis an entry: its name and options',
    ),
]);
export type AnalysisEntry = z.infer<typeof analysisEntry>;

/** The name of an entry. */
export function entryName(entry: AnalysisEntry): string {
  return typeof entry === 'string' ? entry : Object.keys(entry)[0]!;
}

/** Whether a study asks for an analysis. */
export function asksFor(
  { analyses }: { analyses: readonly AnalysisEntry[] },
  name: AnalysisName | (typeof BASIC_ANALYSES)[number],
): boolean {
  return analyses.some((entry) => entryName(entry) === name);
}

/** The options of an analysis, defaults filled in; null where the study does not ask for it. */
export function optionsOf<N extends AnalysisName>(
  { analyses }: { analyses: readonly AnalysisEntry[] },
  name: N,
): AnalysisOptions<N> | null {
  const entry = analyses.find((each) => entryName(each) === name);
  if (entry === undefined) return null;
  const written = typeof entry === 'string' ? {} : ((entry as Record<string, unknown>)[name] ?? {});
  return analysisOptions[name].parse(written) as AnalysisOptions<N>;
}

/** What an analysis of a study came to. */
export interface StudyAnalysis {
  /** Hash of what determines it: options, runs and their weights, version. */
  id: string;
  name: AnalysisName;
  title: string;
  options: Record<string, unknown>;
  runIds: string[];
  createdAt: string;
  seconds: number;
  quantities: Quantity[];
  figures: Figure[];
  tables: Table[];
  /** What to know before reading it. */
  notes: string[];
  /** As in its state. */
  alerts?: string[];
}

/** An analysis with its figures as markup, in their order. */
export interface DrawnAnalysis extends StudyAnalysis {
  drawn: string[];
}

/** Whether an analysis was computed, in the study's order. */
export interface AnalysisState {
  name: AnalysisName;
  id: string | null;
  /** Why there is none. */
  failure: Failure | null;
  /** What the study's page says above all. */
  alerts?: string[];
}

/** A claim of a study file, and how it is judged. Written before the run. */
export const claimSchema = z
  .strictObject({
    /** The paper's finding, in words. */
    claim: z.string().min(1).max(500),
    /** Key of the quantity that it is judged by. */
    quantity: z.string().min(1).max(200),
    /** Holds when the whole interval is above (below) it; fails when the whole interval is not. */
    above: z.number().optional(),
    below: z.number().optional(),
    /** Where in the paper. */
    source: z.string().max(200).optional(),
  })
  .refine(
    ({ above, below }) => above !== undefined || below !== undefined,
    'give above, below or both',
  );
export type Claim = z.infer<typeof claimSchema>;

/** A claim with what was measured. */
export interface JudgedClaim extends Claim {
  measured: Quantity | null;
  verdict: 'holds' | 'does not hold' | 'undecided';
  why: string;
}
