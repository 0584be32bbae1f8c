/** A study file read back into the form, as far as the form can show it. */
import {
  ANALYSIS_NAMES,
  BASIC_ANALYSES,
  entryName,
  type AnalysisName,
} from '../../../contract/study-analyses.ts';
import { splitKindOf, studySchema, type Arm, type StudySpec } from '../../../contract/study.ts';
import { beyond, differences, isMapping, type Mapping } from './merge.ts';
import { emptyForm, formToStudy, type StudyForm } from './study-form.ts';

/** `lost`: dotted keys that say something else in the form; then it must not be used. */
export interface ReadForm {
  form: StudyForm;
  lost: string[];
}

/**
 * The form that describes a written study. Keys that the form has no field for are kept in `rest`;
 * null when the study is not complete.
 */
export function writtenToForm(written: Mapping): ReadForm | null {
  const spec = specOf(written);
  if (spec === null) return null;
  const at = (...keys: string[]): unknown =>
    keys.reduce<unknown>((value, key) => (isMapping(value) ? value[key] : undefined), written);
  const bare = {
    ...emptyForm(),
    ...fromData(spec, at),
    ...fromModel(spec, at),
    ...fromTraining(spec, at),
  };
  const rest = beyond(withoutGrouped(written), formToStudy(bare) as unknown as Mapping);
  const form = { ...bare, rest };
  const shown = specOf(formToStudy(form) as unknown as Mapping);
  return {
    form,
    lost: shown === null ? ['architecture'] : differences(comparable(spec), comparable(shown)),
  };
}

/** With every default, so that what is written can be compared with what is not. */
function specOf(written: Mapping): StudySpec | null {
  const { architecture } = written;
  // A checkpoint may give the image size; which one does not matter here.
  const sized = isMapping(architecture) ? { image: 32, ...architecture } : architecture;
  return studySchema.safeParse({ ...written, architecture: sized }).data ?? null;
}

/** For comparing: what is said by other keys than the form's is the same all the same. */
function comparable(spec: StudySpec) {
  const { split, findings } = spec.data;
  const { train, test } = studySchema.shape.data.shape.split.parse({});
  const kind = splitKindOf(split);
  const shares = kind === 'given' ? { train, test } : {};
  const isBasic = (entry: (typeof spec.analyses)[number]) =>
    BASIC_ANALYSES.some((name) => name === entry);
  return {
    ...spec,
    analyses: spec.analyses.toSorted((a, b) => Number(isBasic(b)) - Number(isBasic(a))),
    data: {
      ...spec.data,
      split: { ...split, ...shares, kind, grouped: true },
      findings: findings && fromFindings(spec),
    },
  };
}

/** `grouped` is what the kind of split says. */
function withoutGrouped(written: Mapping): Mapping {
  const { data } = written;
  if (!isMapping(data) || !isMapping(data['split'])) return written;
  const split = Object.fromEntries(
    Object.entries(data['split']).filter(([key]) => key !== 'grouped'),
  );
  return { ...written, data: { ...data, split } };
}

type At = (...keys: string[]) => unknown;

function fromData(spec: StudySpec, at: At): Partial<StudyForm> {
  const { data } = spec;
  const start = spec.arms['P-T']?.init;
  const named = checkpointNamed(start);
  const source = Object.keys(spec.pretraining)[0] ?? null;
  const own = source === null ? undefined : spec.pretraining[source];
  return {
    ...{ name: spec.name, set: data.set, target: data.domain ?? '' },
    checkpoint: source === null ? named : '',
    sources: own?.data.domains ?? [],
    sourceName: source,
    pretrainingEpochs: numberOr(own?.epochs),
    pretrainingSeed: own?.seed ?? 0,
    ...fromSplit(spec, at),
    minPerClass: data['min-per-class'],
    perClass: numberOr(data['per-class']),
    ...fromFindings(spec),
    subgroups: data.subgroups,
    ...fromAnalyses(spec, at),
  };
}

function fromAnalyses({ analyses }: StudySpec, at: At): Partial<StudyForm> {
  const written = at('analyses');
  const entries = (Array.isArray(written) ? written : []).filter((each) => isMapping(each));
  return {
    analyses: analyses.map(entryName).filter((name) => isAnalysis(name)),
    analysisOptions: Object.assign({}, ...entries) as StudyForm['analysisOptions'],
  };
}

function isAnalysis(name: string): name is AnalysisName {
  return ANALYSIS_NAMES.some((each) => each === name);
}

/** The checkpoint that an arm starts from; '' where it is none. */
function checkpointNamed(init: Arm['init'] | undefined): string {
  return typeof init === 'object' && 'checkpoint' in init ? init.checkpoint : '';
}

function fromSplit({ data: { split } }: StudySpec, at: At): Partial<StudyForm> {
  return {
    ...{ train: split.train, test: split.test, split: splitKindOf(split) },
    splitColumn: split.column ?? '',
    allowLeaks: split['allow-leaks'],
    validation: numberOr(at('data', 'split', 'validation')),
    splitSeed: split.seed,
  };
}

function fromFindings({ data: { findings } }: StudySpec): Partial<StudyForm> {
  const { names = [], uncertain = 'ignore', blank = 'zeros' } = findings ?? {};
  if (typeof uncertain === 'string') return { findings: names, uncertain, policies: {}, blank };
  const { default: usual = 'ignore', ...policies } = uncertain;
  return { findings: names, uncertain: usual, policies, blank };
}

function fromModel(spec: StudySpec, at: At): Partial<StudyForm> {
  const { architecture, recipe } = spec;
  const { augment } = recipe;
  const triple = (value: unknown) => (Array.isArray(value) ? value.join(', ') : '');
  return {
    architecture: architecture.name,
    width: numberOr(at('architecture', 'width')),
    image: numberOr(at('architecture', 'image')),
    stem: (at('architecture', 'stem') ?? '') as StudyForm['stem'],
    channels: architecture.channels,
    seeds: spec.seeds.join(', '),
    shuffles: spec.shuffles,
    ...{ resize: recipe.resize, background: recipe.background },
    interpolation: (at('recipe', 'interpolation') ?? '') as StudyForm['interpolation'],
    mean: triple(at('recipe', 'mean')),
    std: triple(at('recipe', 'std')),
    shift: augment === 'none' ? null : numberOr(augment.shift),
    flip: augment !== 'none' && augment.flip === true,
  };
}

function fromTraining({ training }: StudySpec, at: At): Partial<StudyForm> {
  const { optimiser, loss, lr } = training;
  const tuning = training['fine-tuning'];
  const sgd = optimiser.kind === 'sgd' ? optimiser : null;
  return {
    ...{ epochs: training.epochs, batch: training.batch, peak: lr.peak, schedule: lr.schedule },
    milestones: (lr.milestones ?? []).join(', '),
    warmup: numberOr(at('training', 'lr', 'warmup-epochs')),
    optimiser: optimiser.kind,
    momentum: sgd?.momentum ?? 0.9,
    nesterov: sgd?.nesterov ?? false,
    weightDecay: optimiser['weight-decay'],
    decoupled: sgd?.decay === 'decoupled',
    smoothing: numberOr(at('training', 'loss', 'label-smoothing')),
    classWeights: loss['class-weights'] === 'balanced' ? 'balanced' : 'none',
    mixup: numberOr(at('training', 'mixup')),
    clipNorm: numberOr(training['clip-norm']),
    freezeTo: tuning['freeze-to'] ?? '',
    unfreezeEvery: numberOr(tuning['unfreeze-every']),
    rateFactor: numberOr(at('training', 'fine-tuning', 'rate-factor')),
    imageSizes: training['image-sizes'].map(({ from, image }) => `${from}: ${image}`).join(', '),
    patience: numberOr(training['early-stopping']?.patience),
  };
}

function numberOr(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}
