/** The trainings of a study: what its arms and pretrainings change of the study's own. */
import type { StudySpec, Training, TrainingOverride } from '../../contract/study.ts';
import { rateFactor, trainingSchema } from '../../contract/study.ts';

type Mapping = Record<string, unknown>;

/** The key that tells kinds of an object apart, and what another kind keeps of the old one. */
const KINDS: Record<string, { key: string; keeps: readonly string[] }> = {
  optimiser: { key: 'kind', keeps: [] },
  lr: { key: 'schedule', keeps: ['peak'] },
};

/** Replaced as a whole: its keys are names of classes. */
const WHOLE = new Set(['class-weights']);

/** What a pretraining does not take over. */
const OF_THE_TARGET = new Set(['fine-tuning', 'early-stopping', 'image-sizes']);

/**
 * The training of an arm, with all that depends on other keys filled in. Its override must have
 * passed `checkOverrides`.
 */
export function armTraining(spec: StudySpec, arm: string): Training {
  const override = spec.arms[arm]?.training;
  return resolved(override ? trainingSchema.parse(merged(spec.training, override)) : spec.training);
}

/** A training as a run records it: what was not written says what holds. */
export function resolved(training: Training): Training {
  const tuning = training['fine-tuning'];
  return { ...training, 'fine-tuning': { ...tuning, 'rate-factor': rateFactor(tuning) } };
}

/** The training of a pretraining, as of an arm. Its override must have passed `checkOverrides`. */
export function pretrainingTraining(spec: StudySpec, name: string): Training {
  const own = spec.pretraining[name];
  const given = own?.epochs === undefined ? {} : { epochs: own.epochs };
  const override = { ...own?.training, ...given };
  return resolved(trainingSchema.parse(merged(inheritedByPretraining(spec.training), override)));
}

/**
 * What a pretraining takes over from the study. Not: fine-tuning, which is about a start that was
 * pretrained; early stopping, which needs validation images; image sizes, which are tied to
 * epochs; weights of classes that it may not have.
 */
export function inheritedByPretraining(training: Training): Mapping {
  const kept = Object.entries(training).filter(([key]) => !OF_THE_TARGET.has(key));
  const { loss } = training;
  const named = typeof loss['class-weights'] !== 'string';
  return {
    ...Object.fromEntries(kept),
    loss: named ? { ...loss, 'class-weights': 'none' } : loss,
  };
}

/** A training with an override laid over it, not yet checked. */
export function merged(base: Mapping, override: TrainingOverride): Mapping {
  return mergeInto(base, override as Mapping);
}

function mergeInto(base: Mapping, override: Mapping): Mapping {
  const result: Mapping = { ...base };
  for (const [key, value] of Object.entries(override)) {
    if (value === undefined) continue;
    const before = result[key];
    const mergeable = isMapping(before) && isMapping(value) && !WHOLE.has(key);
    result[key] = mergeable ? mergeInto(keptOf(key, before, value), value) : value;
  }
  return result;
}

function keptOf(name: string, before: Mapping, override: Mapping): Mapping {
  const kind = KINDS[name];
  const wanted = kind && override[kind.key];
  if (!kind || wanted === undefined || wanted === before[kind.key]) return before;
  return Object.fromEntries(Object.entries(before).filter(([key]) => kind.keeps.includes(key)));
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Dotted keys in which the training of an arm differs from the study's. */
export function differingKeys(spec: StudySpec, arm: string): string[] {
  return differences(resolved(spec.training), armTraining(spec, arm), '');
}

function differences(a: unknown, b: unknown, path: string): string[] {
  if (isMapping(a) && isMapping(b)) {
    const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])];
    return keys.flatMap((key) => differences(a[key], b[key], path === '' ? key : `${path}.${key}`));
  }
  return JSON.stringify(a) === JSON.stringify(b) ? [] : [path];
}
