import type { Recipe, Shuffle, StudyInput } from '../../../contract/study.ts';
import { ARCHITECTURES } from '../../../contract/architecture.ts';
import type { DatasetDetail } from '../../../contract/datasets.ts';

/** What the form of a new study holds; numbers are null while their field is empty. */
export interface StudyForm {
  name: string;
  set: string;
  /** Domains the pretraining uses; none means there is no pretrained arm. */
  sources: string[];
  pretrainingEpochs: number | null;
  pretrainingSeed: number | null;
  /** Domain of the target; '' takes all. */
  target: string;
  train: number | null;
  test: number | null;
  splitSeed: number | null;
  grouped: boolean;
  minPerClass: number | null;
  architecture: (typeof ARCHITECTURES)[number];
  width: number | null;
  image: number | null;
  stem: 'small' | 'imagenet';
  /** "0, 1, 2" or "0-2". */
  seeds: string;
  shuffles: Shuffle[];
  resize: Recipe['resize'];
  background: string;
  shift: number | null;
  flip: boolean;
  epochs: number | null;
  batch: number | null;
  peak: number | null;
  schedule: 'constant' | 'multistep' | 'cosine' | 'one-cycle';
  milestones: string;
  warmup: number | null;
  momentum: number | null;
  weightDecay: number | null;
  clipNorm: number | null;
  barrier: boolean;
}

/** A form to start from: small enough to finish in minutes on a laptop. */
export function emptyForm(): StudyForm {
  return {
    ...{ name: '', set: '', sources: [], pretrainingEpochs: 12, pretrainingSeed: 0, target: '' },
    ...{ train: 0.65, test: 0.35, splitSeed: 0, grouped: true, minPerClass: 2 },
    ...{ architecture: ARCHITECTURES[0], width: 16, image: 48, stem: 'small' },
    ...{ seeds: '0, 1', shuffles: ['none'], resize: 'fit', background: '#ffffff' },
    ...{ shift: null, flip: false, epochs: 30, batch: 32, peak: 0.05, schedule: 'one-cycle' },
    ...{ milestones: '', warmup: null, momentum: 0.9, weightDecay: 0.0005, clipNorm: null },
    barrier: true,
  };
}

/** The form for a data set: the last domain as target, all others as sources. */
export function formFor(form: StudyForm, dataset: DatasetDetail): StudyForm {
  const domains = dataset.domainNames;
  const target = domains.length > 1 ? (domains.at(-1) ?? '') : '';
  const sources = domains.filter((domain) => domain !== target && domains.length > 1);
  return { ...form, set: dataset.name, target, sources, name: studyName(target, sources) };
}

/** A name from what the study does: "duotone after line and solid", cut to what is legal. */
export function studyName(target: string, sources: readonly string[]): string {
  const text = sources.length === 0 ? `${target} from scratch` : `${target} after ${and(sources)}`;
  return legal(text.trim());
}

function and(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(' ')} and ${words.at(-1)}`;
}

const legal = (text: string): string =>
  text
    .replace(/[^A-Za-z0-9 ._-]/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 64)
    .trim();

/** "0, 1, 4-6" → [0, 1, 4, 5, 6]; what is no whole number is passed over. */
export function parseNumbers(text: string): number[] {
  const numbers: number[] = [];
  for (const part of text.split(/[\s,]+/).filter(Boolean)) {
    const range = /^(\d+)-(\d+)$/.exec(part);
    const from = Number(range?.[1] ?? part);
    const to = Number(range?.[2] ?? part);
    if (!/^\d+(-\d+)?$/.test(part) || to - from > 999) continue;
    for (let n = from; n <= to; n += 1) numbers.push(n);
  }
  return [...new Set(numbers)];
}

/** The study that a form describes. Empty fields are left to the study file's defaults. */
export function formToStudy(form: StudyForm): StudyInput {
  const pretrained = form.sources.length > 0;
  const start = legal(form.sources.join('-and-')) || 'source';
  const random = { 'RI-T': { init: 'random' as const } };
  const study = {
    name: form.name,
    ...(pretrained && { pretraining: { [start]: pretraining(form) } }),
    data: targetData(form),
    architecture: {
      name: form.architecture,
      ...given('width', form.width),
      image: form.image ?? 0,
      ...(form.stem !== 'small' && { stem: form.stem }),
    },
    arms: pretrained ? { 'P-T': { init: { checkpoint: `${start}@last` } }, ...random } : random,
    seeds: parseNumbers(form.seeds),
    shuffles: form.shuffles,
    recipe: recipe(form),
    training: training(form),
    analyses: ['agreement', 'optimisation-speed', ...(measuresBarrier(form) ? ['barrier'] : [])],
  };
  return study as StudyInput;
}

/** The line of a barrier runs between two seeds of an arm. */
const measuresBarrier = (form: StudyForm): boolean =>
  form.barrier && parseNumbers(form.seeds).length > 1;

function given<K extends string>(key: K, value: number | null): { [P in K]?: number } {
  return value === null ? {} : ({ [key]: value } as { [P in K]?: number });
}

function pretraining(form: StudyForm) {
  return {
    data: { set: form.set, domains: [...form.sources] },
    ...given('epochs', form.pretrainingEpochs),
    ...given('seed', form.pretrainingSeed),
  };
}

function targetData(form: StudyForm) {
  return {
    set: form.set,
    ...(form.target !== '' && { domain: form.target }),
    split: {
      train: form.train ?? 0,
      test: form.test ?? 0,
      grouped: form.grouped,
      ...given('seed', form.splitSeed),
    },
    ...given('min-per-class', form.minPerClass),
  };
}

function recipe(form: StudyForm) {
  const augmented = form.flip || (form.shift ?? 0) > 0;
  const augment = { ...given('shift', form.shift), ...(form.flip && { flip: true }) };
  return {
    resize: form.resize,
    background: form.background,
    ...(augmented && { augment }),
  };
}

function training(form: StudyForm) {
  const milestones = parseNumbers(form.milestones);
  return {
    epochs: form.epochs ?? 0,
    ...given('batch', form.batch),
    optimiser: {
      kind: 'sgd',
      ...given('momentum', form.momentum),
      ...given('weight-decay', form.weightDecay),
    },
    lr: {
      peak: form.peak ?? 0,
      schedule: form.schedule,
      ...(form.schedule === 'multistep' && milestones.length > 0 && { milestones }),
      ...given('warmup-epochs', form.warmup),
    },
    ...given('clip-norm', form.clipNorm),
  };
}

/** Issues of a field: those at its path or below it (`training.lr` takes `training.lr.peak`). */
export function issuesAt<T extends { path: string }>(issues: readonly T[], path: string): T[] {
  return issues.filter((issue) => issue.path === path || issue.path.startsWith(`${path}.`));
}
