import { z } from 'zod';
import { architectureSchema } from './architecture.ts';
import { findingsSchema } from './findings.ts';
import { sourceSchema } from './source.ts';
import type { StudyResults } from './study-results.ts';
import { analysisEntry, claimSchema } from './study-analyses.ts';

const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$/, 'letters, digits, space, . _ - (64 at most)');
const fraction = z.number().gt(0).lt(1);
const count = z.int().positive();
const seed = z.int().min(0).max(0xffffffff);

const resize = z.enum(['crop', 'fit', 'stretch']);

/** What happens to training images beyond resizing; `none` turns all of it off. */
const augment = z.union([
  z.literal('none'),
  z.strictObject({
    /** Whole-image shift of at most this many pixels each way, the border repeated as background. */
    shift: z.int().min(0).max(64).optional(),
    flip: z.boolean().optional(),
    'random-resized-crop': z
      .strictObject({
        scale: z.tuple([z.number().gt(0).max(1), z.number().gt(0).max(1)]).default([0.08, 1]),
        ratio: z.tuple([z.number().positive(), z.number().positive()]).default([3 / 4, 4 / 3]),
      })
      .optional(),
  }),
]);

const triple = z.tuple([z.number(), z.number(), z.number()]);

export const recipeSchema = z.strictObject({
  /** crop: shorter side to size, centre crop; fit: longer side to size, padded; stretch: both. */
  resize: resize.default('crop'),
  /** Padding and what shows through alpha, #rrggbb. */
  background: z
    .string()
    .regex(/^#[0-9a-fA-F]{6}$/)
    .default('#ffffff'),
  /** Per channel, of values in [0, 1]. */
  mean: triple.default([0.5, 0.5, 0.5]),
  std: triple.default([0.5, 0.5, 0.5]),
  /**
   * How DICOM values become grey: the file's own window (percentile where it has none), the 1st to
   * 99th percentile of the image, or the whole range.
   */
  window: z.enum(['file', 'percentile', 'full']).default('file'),
  /** How images are resized. */
  interpolation: z.enum(['bilinear', 'bicubic']).default('bilinear'),
  augment: augment.default('none'),
});
export type Recipe = z.infer<typeof recipeSchema>;

const learningRate = z.strictObject({
  peak: z.number().positive(),
  schedule: z.enum(['constant', 'multistep', 'cosine', 'one-cycle']).default('constant'),
  /** multistep: epochs after which the rate is multiplied by gamma. */
  milestones: z.array(count).optional(),
  gamma: z.number().gt(0).lt(1).default(0.1),
  /** Linear from 0 over the first epochs (constant, multistep, cosine). */
  'warmup-epochs': z.number().min(0).default(0),
});

const sgd = z.strictObject({
  kind: z.literal('sgd').default('sgd'),
  momentum: z.number().min(0).lt(1).default(0.9),
  nesterov: z.boolean().default(false),
  'weight-decay': z.number().min(0).default(1e-4),
  /** coupled: decay is part of the gradient (PyTorch's SGD); decoupled: w <- w - rate decay w. */
  decay: z.enum(['coupled', 'decoupled']).default('coupled'),
});

/** AdamW (Loshchilov and Hutter, arXiv 1711.05101), PyTorch's defaults. */
const adamw = z.strictObject({
  kind: z.literal('adamw'),
  betas: z.tuple([z.number().min(0).lt(1), z.number().min(0).lt(1)]).default([0.9, 0.999]),
  epsilon: z.number().positive().default(1e-8),
  'weight-decay': z.number().min(0).default(1e-2),
});

const loss = z.strictObject({
  /** Share of the target that is spread evenly over all classes. */
  'label-smoothing': z.number().min(0).lt(1).default(0),
  /** balanced: images / (classes x images of the class), over the training side. */
  'class-weights': z
    .union([z.enum(['none', 'balanced']), z.record(z.string(), z.number().positive())])
    .default('none'),
});

/** What of a network is trained when; stages are the architecture's, from `stem` to `head`. */
const fineTuning = z.strictObject({
  /** The first stages up to and with this one keep their start: no gradients, BatchNorm as in evaluation. */
  'freeze-to': z.string().optional(),
  /** From this many epochs on, one more stage is trained each time, from the head downwards. */
  'unfreeze-every': count.optional(),
  /** Learning rate of each stage below the head is that of the stage above, divided by this; absent: `rateFactor`. */
  'rate-factor': z.number().min(1).max(100).optional(),
});

/** fastai's, where stages are frozen at first; else all learn alike. */
const TUNED_RATE_FACTOR = 2.6;

/** The rate factor that holds: as written, else 2.6 with `freeze-to` or `unfreeze-every`, else 1. */
export function rateFactor(tuning: z.infer<typeof fineTuning>): number {
  const freezes = tuning['freeze-to'] !== undefined || tuning['unfreeze-every'] !== undefined;
  return tuning['rate-factor'] ?? (freezes ? TUNED_RATE_FACTOR : 1);
}

export const trainingSchema = z.strictObject({
  epochs: count.max(10_000),
  batch: count.max(4096).default(32),
  optimiser: z.union([sgd, adamw]).prefault({}),
  loss: loss.prefault({}),
  /** Beta(alpha, alpha) mixes pairs of images and their targets; 0: off (Zhang et al., arXiv 1710.09412). */
  mixup: z.number().min(0).max(10).default(0),
  lr: learningRate,
  /** Multipliers on the learning rate by kind of parameter (1/10 in the paper's code). */
  'lr-multipliers': z
    .strictObject({ bias: z.number().min(0).default(0.1), scale: z.number().min(0).default(0.1) })
    .prefault({}),
  /** Global gradient norm is clipped to this; absent: no clipping. */
  'clip-norm': z.number().positive().optional(),
  'fine-tuning': fineTuning.prefault({}),
  /** Progressive resizing: from which epoch (1-based) on images have which side; the last is the architecture's. */
  'image-sizes': z
    .array(z.strictObject({ from: count, image: z.int().min(32).max(1024) }))
    .default([]),
  /** Stops after this many epochs without a better loss on the validation split; its best weights are kept. */
  'early-stopping': z.strictObject({ patience: count }).optional(),
  /** Clean accuracies are taken every this many epochs, and always after the last. */
  'evaluate-every': count.default(1),
});
export type Training = z.infer<typeof trainingSchema>;
export type Optimiser = Training['optimiser'];

/**
 * What differs from the study's `training`: keys given here win, objects are merged key by key.
 * Another optimiser kind or schedule starts from its own defaults.
 */
const trainingOverride = withoutDefaults(trainingSchema) as z.ZodType<TrainingOverride>;
export type TrainingOverride = PartialDeep<z.input<typeof trainingSchema>>;
type PartialDeep<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { [K in keyof T]?: PartialDeep<T[K]> | undefined }
    : T;

/** The schema of what may be written where nothing must be: no key is required, none filled in. */
function withoutDefaults(schema: z.core.$ZodType): z.ZodType {
  const def = (schema as z.core.$ZodTypes)._zod.def;
  switch (def.type) {
    case 'default':
    case 'prefault':
    case 'optional':
      return withoutDefaults(def.innerType);
    case 'union':
      return z.union(def.options.map(withoutDefaults));
    case 'object':
      return z.strictObject(
        Object.fromEntries(
          Object.entries(def.shape).map(([key, each]) => [key, withoutDefaults(each).optional()]),
        ),
      );
    default:
      return schema as z.ZodType;
  }
}

/** What a pretraining learns: the labels of its images, or something that needs none. */
export const PRETRAINING_TASKS = ['supervised', 'rotation'] as const;
export type Unsupervised = Exclude<(typeof PRETRAINING_TASKS)[number], 'supervised'>;

const pretrainingSchema = z.strictObject({
  data: z.strictObject({
    set: z.string().min(1),
    domains: z.array(z.string()).min(1).optional(),
    'min-per-class': count.default(1),
    /** Leave out images that are tested later, and (same data set) all others of their groups. */
    'hold-out-test-groups': z.boolean().default(true),
    /** Share of the images, in whole groups, that is tested instead of trained on; absent: none. */
    test: fraction.optional(),
  }),
  /** random: what the training images are labelled as is dealt out anew among them. */
  labels: z.enum(['given', 'random']).default('given'),
  /** rotation: tells by how many quarter turns an image was turned; no labels are used. */
  task: z.enum(PRETRAINING_TASKS).default('supervised'),
  seed: seed.default(0),
  recipe: recipeSchema.optional(),
  training: trainingOverride.optional(),
  /** Short for training.epochs. */
  epochs: count.optional(),
});

export const SPLIT_KINDS = [
  'given', // as the source has it
  'random',
  'stratified', // every class alike
  'grouped', // no group on two sides
  'stratified-grouped',
  'temporal', // the earliest by `column` train, the latest test
] as const;

export const splitSchema = z.strictObject({
  /** Absent: stratified-grouped, or stratified with `grouped: false`. */
  kind: z.enum(SPLIT_KINDS).optional(),
  train: fraction.default(0.7),
  test: fraction.default(0.3),
  /** temporal: the attribute with the time; numbers, or dates as ISO 8601 writes them. */
  column: z.string().min(1).optional(),
  /** Goes on although images or groups are on both sides; every figure then says so. */
  'allow-leaks': z.boolean().default(false),
  /** Share of the training side that is taken from it. Early stopping looks at it, never at test. */
  validation: z.number().min(0).max(0.5).default(0),
  /** Keep images of one group on one side. */
  grouped: z.boolean().default(true),
  seed: seed.default(0),
});

export type SplitKind = (typeof SPLIT_KINDS)[number];

/** The kind of split that holds where none is written. */
export function splitKindOf({
  kind,
  grouped,
}: Pick<z.infer<typeof splitSchema>, 'kind' | 'grouped'>): SplitKind {
  return kind ?? (grouped ? 'stratified-grouped' : 'stratified');
}

/**
 * Controls that keep only low-level statistics of pretrained weights: values permuted within each
 * tensor; filters redrawn from a Gaussian of their mean and covariance; the random start at the
 * pretrained tensors' standard deviations.
 */
export const REDRAWN = ['permuted', 'gaussian', 'rescaled'] as const;
export type Redrawn = (typeof REDRAWN)[number];

/** The stages up to and with this one are copied; absent: all that can be. */
const keepTo = z.string().min(1).optional();

const init = z.union([
  z.literal('random'),
  z.strictObject({
    /** `<pretraining>@last`, `<pretraining>@<epoch>`, or the name of an imported checkpoint. */
    checkpoint: z.string().min(1),
    weights: z.enum(REDRAWN).optional(),
    'keep-to': keepTo,
  }),
  z.strictObject({
    /** Another arm of the study: its run of the same seed and shuffle. */
    arm: z.string().min(1),
    epoch: z.union([z.literal('last'), z.int().min(0)]),
    'keep-to': keepTo,
  }),
]);

const arm = z.strictObject({
  init,
  training: trainingOverride.optional(),
  /** Instead of `data.per-class`. */
  'per-class': count.optional(),
  /** Images of a pretraining that it learns from besides, or instead of, the target's. */
  source: sourceSchema.optional(),
});
export type Arm = z.infer<typeof arm>;

export const shuffleSchema = z.union([z.literal('none'), z.literal('pixel'), count]);
export type Shuffle = z.infer<typeof shuffleSchema>;
/** 1234 is added to it, within 32 bits. */
export const HIGHEST_SHUFFLE_SEED = 0xffffffff - 1234;

/** The study file (design: "A study file"). Unknown keys are errors. */
export const studySchema = z.strictObject({
  name,
  description: z.string().optional(),
  pretraining: z.record(name, pretrainingSchema).default({}),
  data: z.strictObject({
    set: z.string().min(1),
    domain: z.string().optional(),
    domains: z.array(z.string()).min(1).optional(),
    split: splitSchema.prefault({}),
    'min-per-class': count.default(2),
    /** Low data: at most so many training images of each class, drawn with the split's seed; 5 is part of 10. */
    'per-class': count.optional(),
    /** Multi-label data sets only. */
    findings: findingsSchema.optional(),
    /** Attributes whose values are reported apart (sex, age band, scanner). */
    subgroups: z.array(z.string().min(1)).max(20).default([]),
  }),
  architecture: architectureSchema,
  arms: z.record(name, arm).refine((arms) => Object.keys(arms).length > 0, 'at least one arm'),
  seeds: z.array(seed).min(1),
  shuffles: z.array(shuffleSchema).min(1).default(['none']),
  recipe: recipeSchema.prefault({}),
  training: trainingSchema,
  analyses: z.array(analysisEntry).default(['agreement', 'optimisation-speed']),
  /** What the study is to show; a scorecard judges each by its rule. */
  claims: z.array(claimSchema).max(100).default([]),
});
export type StudySpec = z.infer<typeof studySchema>;
/** A study as it may be written: keys with defaults may be left out. */
export type StudyInput = z.input<typeof studySchema>;

/** One thing wrong with a study file. */
export interface StudyIssue {
  /** 1-based line in the file; null when the study was not a file. */
  line: number | null;
  /** Dotted path, `training.lr.peak`. */
  path: string;
  message: string;
  /** The nearest legal key or value, when there is one close by. */
  suggestion: string | null;
  /** What else than correcting the file helps. */
  wayOut?: string;
}

/** What a study would do, before it does it. */
export interface StudyPlan {
  trainImages: number;
  /** Of the training side, kept apart for early stopping and the learning-rate finder. */
  validationImages: number;
  testImages: number;
  classNames: string[];
  groupedBy: string;
  /** Of the architecture, from the images to the head: what `freeze-to` may name. */
  stages: string[];
  runs: {
    id: string;
    arm: string;
    seed: number;
    shuffle: string;
    kind: 'pretraining' | 'target';
    done: boolean;
  }[];
  warnings: string[];
}

export interface StudySummary {
  id: string;
  name: string;
  status: 'planned' | 'running' | 'paused' | 'done' | 'failed' | 'cancelled' | 'interrupted';
  runs: number;
  runsDone: number;
  datasetName: string;
  createdAt: string;
  finishedAt: string | null;
}

export interface StudyDetail extends StudySummary {
  yaml: string;
  spec: StudySpec;
  plan: StudyPlan;
  jobId: string | null;
  /** Address of the HTML report once there is one. */
  reportUrl: string | null;
  results: StudyResults | null;
}
