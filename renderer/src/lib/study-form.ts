import { ARCHITECTURES, type ArchitectureName } from '../../../contract/architecture.ts';
import type { DatasetDetail } from '../../../contract/datasets.ts';
import { BASIC_ANALYSES, type AnalysisName } from '../../../contract/study-analyses.ts';
import type { Findings, Uncertainty } from '../../../contract/findings.ts';
import {
  rateFactor,
  type Recipe,
  type Shuffle,
  type SplitKind,
  type StudyInput,
  type StudyIssue,
} from '../../../contract/study.ts';
import { merged, type Mapping } from './merge.ts';

/** What the form of a new study holds; numbers are null while their field is empty. */
export interface StudyForm {
  name: string;
  set: string;
  /** An imported checkpoint that the pretrained arm starts from; '': a pretraining, or none. */
  checkpoint: string;
  /** Domains the pretraining uses; without them and without a checkpoint there is no pretrained arm. */
  sources: string[];
  /** As the study file calls the pretraining; null: by its domains. */
  sourceName: string | null;
  pretrainingEpochs: number | null;
  pretrainingSeed: number | null;
  /** Domain of the target; '' takes all. */
  target: string;
  train: number | null;
  test: number | null;
  validation: number | null;
  splitSeed: number | null;
  split: SplitKind;
  /** The attribute with the time; only of a temporal split. */
  splitColumn: string;
  allowLeaks: boolean;
  minPerClass: number | null;
  /** Training images of each class; null: all there are. */
  perClass: number | null;
  /** Multi-label: the findings that are learnt; none: all. */
  findings: string[];
  uncertain: Uncertainty;
  /** Findings whose uncertain values count as something else. */
  policies: Record<string, Uncertainty>;
  blank: Findings['blank'];
  /** Attributes whose values are reported apart. */
  subgroups: string[];
  architecture: ArchitectureName;
  width: number | null;
  image: number | null;
  stem: '' | 'small' | 'imagenet';
  channels: 1 | 3;
  /** "0, 1, 2" or "0-2". */
  seeds: string;
  shuffles: Shuffle[];
  resize: Recipe['resize'];
  interpolation: '' | Recipe['interpolation'];
  background: string;
  /** "0.5, 0.5, 0.5"; '': the checkpoint's, or the study file's default. */
  mean: string;
  std: string;
  shift: number | null;
  flip: boolean;
  epochs: number | null;
  batch: number | null;
  peak: number | null;
  schedule: 'constant' | 'multistep' | 'cosine' | 'one-cycle';
  milestones: string;
  warmup: number | null;
  optimiser: 'sgd' | 'adamw';
  momentum: number | null;
  nesterov: boolean;
  weightDecay: number | null;
  decoupled: boolean;
  smoothing: number | null;
  classWeights: 'none' | 'balanced';
  mixup: number | null;
  clipNorm: number | null;
  freezeTo: string;
  unfreezeEvery: number | null;
  rateFactor: number | null;
  /** "1: 32, 11: 48": from which epoch on images have which side. */
  imageSizes: string;
  patience: number | null;
  /** Besides those of every study, in the order of the study file. */
  analyses: AnalysisName[];
  /** Options of analyses, as the study file has them. */
  analysisOptions: Partial<Record<AnalysisName, Mapping>>;
  /** What the study file says besides; the form keeps it. */
  rest: Mapping;
}

/** A form to start from: small enough to finish in minutes on a laptop. */
export function emptyForm(): StudyForm {
  return {
    ...{ name: '', set: '', checkpoint: '', sources: [], sourceName: null, target: '' },
    ...{ pretrainingEpochs: 12, pretrainingSeed: 0 },
    ...{ train: 0.65, test: 0.35, validation: null, splitSeed: 0, split: 'stratified-grouped' },
    ...{ splitColumn: '', allowLeaks: false, minPerClass: 2, perClass: null },
    ...{ findings: [], uncertain: 'ignore', policies: {}, blank: 'zeros', subgroups: [] },
    ...{ architecture: ARCHITECTURES[0], width: 16, image: 48, stem: '', channels: 3 },
    ...{ seeds: '0, 1', shuffles: ['none'], resize: 'fit', background: '#ffffff' },
    ...{ interpolation: '', mean: '', std: '', shift: null, flip: false },
    ...{ epochs: 30, batch: 32, peak: 0.05, schedule: 'one-cycle', milestones: '', warmup: null },
    ...{ optimiser: 'sgd', momentum: 0.9, nesterov: false, weightDecay: 0.0005 },
    ...{ decoupled: false, smoothing: null, classWeights: 'none', mixup: null, clipNorm: null },
    ...{ freezeTo: '', unfreezeEvery: null, rateFactor: null, imageSizes: '', patience: null },
    ...{ analyses: ['barrier'], analysisOptions: {}, rest: {} },
  };
}

/** The form for a data set: the last domain as target, all others as sources. */
export function formFor(form: StudyForm, dataset: DatasetDetail): StudyForm {
  const domains = dataset.domainNames;
  const target = domains.length > 1 ? (domains.at(-1) ?? '') : '';
  const sources = domains.filter((domain) => domain !== target && domains.length > 1);
  const name = studyName(target, sources, form.checkpoint);
  const ofOther: Partial<StudyForm> = {
    splitColumn: '',
    findings: [],
    policies: {},
    subgroups: [],
  };
  const split = form.split === 'temporal' ? 'stratified-grouped' : form.split;
  return { ...form, ...ofOther, split, set: dataset.name, target, sources, sourceName: null, name };
}

/** A name from what the study does: "duotone after line and solid", cut to what is legal. */
export function studyName(target: string, sources: readonly string[], checkpoint = ''): string {
  const start = checkpoint === '' ? and(sources) : checkpoint;
  return legal((start === '' ? `${target} from scratch` : `${target} after ${start}`).trim());
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

/** "1: 32, 11: 48" → from which epoch on images have which side; what is no such pair is passed over. */
export function parseSizes(text: string): { from: number; image: number }[] {
  return [...text.matchAll(/(\d+)\s*:\s*(\d+)/g)].map(([, from, image]) => ({
    from: Number(from),
    image: Number(image),
  }));
}

/** The study that a form describes. Empty fields are left to the study file's defaults. */
export function formToStudy(form: StudyForm): StudyInput {
  const pretrained = form.checkpoint === '' && form.sources.length > 0;
  const source = form.sourceName ?? (legal(form.sources.join('-and-')) || 'source');
  const start = pretrained ? `${source}@last` : form.checkpoint;
  const random = { 'RI-T': { init: 'random' as const } };
  const study = {
    name: form.name,
    ...(pretrained && { pretraining: { [source]: pretraining(form) } }),
    data: targetData(form),
    architecture: architecture(form),
    arms: start === '' ? random : { 'P-T': { init: { checkpoint: start } }, ...random },
    seeds: parseNumbers(form.seeds),
    shuffles: form.shuffles,
    recipe: recipe(form),
    training: training(form),
    analyses: analyses(form),
  };
  return merged(study, form.rest) as unknown as StudyInput;
}

/** The line of a barrier runs between two seeds of an arm. */
function analyses({ analyses: chosen, analysisOptions: options, seeds }: StudyForm) {
  const able = chosen.filter((name) => name !== 'barrier' || parseNumbers(seeds).length > 1);
  const entries = able.map((name) => (options[name] ? { [name]: options[name] } : name));
  return [...BASIC_ANALYSES, ...entries];
}

function given<K extends string>(key: K, value: number | null): { [P in K]?: number } {
  return value === null ? {} : ({ [key]: value } as { [P in K]?: number });
}

function architecture(form: StudyForm) {
  return {
    name: form.architecture,
    ...given('width', form.width),
    ...given('image', form.image),
    ...(form.stem !== '' && { stem: form.stem }),
    ...(form.channels !== 3 && { channels: form.channels }),
  };
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
    split: split(form),
    ...given('min-per-class', form.minPerClass),
    ...given('per-class', form.perClass),
    ...findings(form),
    ...(form.subgroups.length > 0 && { subgroups: [...form.subgroups] }),
  };
}

function split(form: StudyForm) {
  return {
    kind: form.split,
    ...(form.split !== 'given' && { train: form.train ?? 0, test: form.test ?? 0 }),
    ...(form.split === 'temporal' && { column: form.splitColumn }),
    ...given('validation', form.validation),
    ...(form.allowLeaks && { 'allow-leaks': true }),
    ...given('seed', form.splitSeed),
  };
}

/** Nothing where all findings are learnt as usual, as with data sets that have none. */
function findings({ findings: names, uncertain, policies, blank }: StudyForm) {
  const own = Object.keys(policies).length > 0;
  const said = {
    ...(names.length > 0 && { names: [...names] }),
    ...(own && { uncertain: { default: uncertain, ...policies } }),
    ...(!own && uncertain !== 'ignore' && { uncertain }),
    ...(blank !== 'zeros' && { blank }),
  };
  return Object.keys(said).length > 0 ? { findings: said } : {};
}

function recipe(form: StudyForm) {
  const augmented = form.flip || (form.shift ?? 0) > 0;
  const augment = { ...given('shift', form.shift), ...(form.flip && { flip: true }) };
  const triple = (text: string) => text.split(/[\s,]+/).map(Number);
  return {
    resize: form.resize,
    ...(form.interpolation !== '' && { interpolation: form.interpolation }),
    background: form.background,
    ...(form.mean !== '' && { mean: triple(form.mean) }),
    ...(form.std !== '' && { std: triple(form.std) }),
    ...(augmented && { augment }),
  };
}

function training(form: StudyForm) {
  const milestones = parseNumbers(form.milestones);
  const sizes = parseSizes(form.imageSizes);
  const loss = {
    ...given('label-smoothing', form.smoothing),
    ...(form.classWeights !== 'none' && { 'class-weights': form.classWeights }),
  };
  const tuning = { ...freezing(form), ...given('rate-factor', form.rateFactor) };
  return {
    epochs: form.epochs ?? 0,
    ...given('batch', form.batch),
    optimiser: optimiser(form),
    ...(Object.keys(loss).length > 0 && { loss }),
    ...given('mixup', form.mixup),
    lr: {
      peak: form.peak ?? 0,
      schedule: form.schedule,
      ...(form.schedule === 'multistep' && milestones.length > 0 && { milestones }),
      ...given('warmup-epochs', form.warmup),
    },
    ...given('clip-norm', form.clipNorm),
    ...(Object.keys(tuning).length > 0 && { 'fine-tuning': tuning }),
    ...(sizes.length > 0 && { 'image-sizes': sizes }),
    ...(form.patience !== null && { 'early-stopping': { patience: form.patience } }),
  };
}

function freezing(form: StudyForm) {
  return {
    ...(form.freezeTo !== '' && { 'freeze-to': form.freezeTo }),
    ...given('unfreeze-every', form.unfreezeEvery),
  };
}

/** The rate factor that holds while its field is empty. */
export function defaultRateFactor(form: StudyForm): number {
  return rateFactor(freezing(form));
}

function optimiser(form: StudyForm) {
  const decay = given('weight-decay', form.weightDecay);
  if (form.optimiser === 'adamw') return { kind: 'adamw', ...decay };
  return {
    kind: 'sgd',
    ...given('momentum', form.momentum),
    ...(form.nesterov && { nesterov: true }),
    ...decay,
    ...(form.decoupled && { decay: 'decoupled' }),
  };
}

/** Issues of a field: those at its path or below it (`training.lr` takes `training.lr.peak`). */
export function issuesAt<T extends { path: string }>(issues: readonly T[], path: string): T[] {
  return issues.filter((issue) => issue.path === path || issue.path.startsWith(`${path}.`));
}

/** Whether a study is refused because its split leaks: there are two ways out then. */
export function isLeak({ path, message }: Pick<StudyIssue, 'path' | 'message'>): boolean {
  return path === 'data.split' && message.startsWith('this split leaks');
}
