/** Arms that the analyses of a study train besides the study's own: not shuffled, of all its seeds. */
import { controlOf, sourceSchema } from '../../contract/source.ts';
import type { Arm, StudySpec, TrainingOverride } from '../../contract/study.ts';
import type { AnalysisName, AnalysisOptions } from '../../contract/study-analyses.ts';
import { entryName, optionsOf } from '../../contract/study-analyses.ts';
import { imageProblems, wayMessages } from './checks-sources.ts';
import { stagesOf } from './checks-training.ts';
import { problem, unknownName, type Problem } from './issues.ts';
import { armTraining, pretrainingTraining } from './overrides.ts';
import { isPretrained, pretrainingOf, readStart } from './starts.ts';

type Arms = Record<string, Arm>;

/** What analyses add to a study, or why they cannot. */
export interface AnalysisArms {
  arms: Arms;
  pretraining: StudySpec['pretraining'];
  problems: Problem[];
}

type Derive<N extends AnalysisName> = (
  spec: StudySpec,
  options: AnalysisOptions<N>,
  at: (key?: string) => PropertyKey[],
) => Partial<AnalysisArms>;

const DERIVED: { [N in AnalysisName]?: Derive<N> } = {
  checkpoints,
  rewinding,
  'low-level-statistics': lowLevelStatistics,
  'transfer-depth': transferDepth,
  'low-data': lowData,
  'kinds-of-transfer': kindsOfTransfer,
};

/**
 * The arms, by the names that the analyses know them by. Every override and start of the study must
 * have passed the checks. An arm of the study that has such a name stands for it.
 */
export function analysisArms(spec: StudySpec): AnalysisArms {
  const all: AnalysisArms = { arms: {}, pretraining: {}, problems: [] };
  for (const name of Object.keys(DERIVED) as AnalysisName[]) {
    const options = optionsOf(spec, name);
    if (options === null) continue;
    const index = spec.analyses.findIndex((entry) => entryName(entry) === name);
    const written = typeof spec.analyses[index] === 'string' ? [] : [name];
    const at = (key?: string): PropertyKey[] => [
      ...['analyses', index, ...written],
      ...(key !== undefined && written.length > 0 ? [key] : []),
    ];
    const derive = DERIVED[name] as Derive<AnalysisName>;
    const { arms = {}, pretraining = {}, problems = [] } = derive(spec, options, at);
    Object.assign(all.arms, arms);
    Object.assign(all.pretraining, pretraining);
    all.problems.push(...problems);
  }
  return all;
}

/** The study with what its analyses add; nothing of the study's own is changed. */
export function withAnalysisArms(spec: StudySpec): StudySpec {
  const { arms, pretraining } = analysisArms(spec);
  return {
    ...spec,
    arms: { ...spec.arms, ...without(arms, spec.arms) },
    pretraining: { ...spec.pretraining, ...without(pretraining, spec.pretraining) },
  };
}

function without<T>(all: Record<string, T>, known: Record<string, unknown>): Record<string, T> {
  return Object.fromEntries(Object.entries(all).filter(([name]) => !Object.hasOwn(known, name)));
}

/** The arm that an analysis is about: the one it names, else the first that starts pretrained. */
function baseArm(
  spec: StudySpec,
  named: string | undefined,
  at: (key?: string) => PropertyKey[],
): { name: string; arm: Arm } | Problem {
  const known = Object.keys(spec.arms);
  if (named !== undefined && !known.includes(named)) {
    return unknownName(at('arm'), 'arm', named, known);
  }
  const name = named ?? known.find((each) => isPretrained(spec.arms[each]!));
  if (name === undefined) {
    return problem(at(), 'needs an arm that starts from a checkpoint; there is none');
  }
  return { name, arm: spec.arms[name]! };
}

function isProblem(found: object): found is Problem {
  return 'message' in found;
}

/** 0, 1, 2, then twice as many each time, and the last. */
function doubling(last: number): number[] {
  const epochs = [0];
  for (let epoch = 1; epoch < last; epoch *= 2) epochs.push(epoch);
  return [...epochs, last];
}

function beyondLast(
  epochs: readonly number[] | undefined,
  last: number,
  whose: string,
  path: readonly PropertyKey[],
): Problem[] {
  return (epochs ?? []).flatMap((epoch, index) =>
    epoch <= last
      ? []
      : [problem([...path, index], `${whose} has ${last} epochs; there is no epoch ${epoch}`)],
  );
}

function checkpoints(
  spec: StudySpec,
  options: AnalysisOptions<'checkpoints'>,
  at: (key?: string) => PropertyKey[],
): Partial<AnalysisArms> {
  const base = baseArm(spec, options.arm, at);
  if (isProblem(base)) return { problems: [base] };
  const { name, arm } = base;
  const source = pretrainingOf(readStart(arm.init));
  if (source === null) {
    const message = `checkpoints needs an arm that starts from a pretraining of this study; "${name}" does not`;
    return { problems: [problem(at('arm'), message)] };
  }
  const { pretraining } = source;
  const last = pretrainingTraining(spec, pretraining).epochs;
  const problems = beyondLast(options.epochs, last, `"${pretraining}"`, at('epochs'));
  const epochs = options.epochs ?? doubling(last);
  const arms = epochs.map((epoch): [string, Arm] => [
    `${name} from epoch ${epoch}`,
    { ...arm, init: { ...initOf(arm), checkpoint: `${pretraining}@${epoch}` } },
  ]);
  return { arms: Object.fromEntries(arms), problems };
}

function initOf({ init }: Arm): Extract<Arm['init'], { checkpoint: string }> {
  if (init !== 'random' && 'checkpoint' in init) return init;
  throw new Error('this arm starts from a checkpoint');
}

function rewinding(
  spec: StudySpec,
  options: AnalysisOptions<'rewinding'>,
  at: (key?: string) => PropertyKey[],
): Partial<AnalysisArms> {
  const base = baseArm(spec, options.arm, at);
  if (isProblem(base)) return { problems: [base] };
  const { name, arm } = base;
  const { epochs: last, 'early-stopping': stopping } = armTraining(spec, name);
  if (stopping) {
    const message = `rewinding needs every epoch of "${name}": leave early-stopping out`;
    return { problems: [problem(at(), message)] };
  }
  const problems = beyondLast(options.epochs, last, `arm "${name}"`, at('epochs'));
  const epochs = options.epochs ?? doubling(last).slice(0, -1);
  const arms = epochs.map((epoch): [string, Arm] => [
    `${name} rewound to ${epoch}`,
    { ...arm, init: { arm: name, epoch } },
  ]);
  return { arms: Object.fromEntries(arms), problems };
}

function lowLevelStatistics(
  spec: StudySpec,
  options: AnalysisOptions<'low-level-statistics'>,
  at: (key?: string) => PropertyKey[],
): Partial<AnalysisArms> {
  const base = baseArm(spec, options.arm, at);
  if (isProblem(base)) return { problems: [base] };
  const { name, arm } = base;
  if (!isPretrained(arm)) {
    const message = `"${name}" does not start from a checkpoint as it is: there is nothing to redraw`;
    return { problems: [problem(at('arm'), message)] };
  }
  const arms: Arms = {};
  for (const weights of options.controls) {
    if (weights === 'random-labels') continue;
    arms[`${name} ${weights}`] = { ...arm, init: { ...initOf(arm), weights } };
  }
  if (!options.controls.includes('random-labels')) return { arms };
  const source = pretrainingOf(readStart(arm.init));
  if (source === null) {
    const message = `random-labels needs an arm that starts from a pretraining of this study; "${name}" does not: name other controls`;
    return { arms, problems: [problem(at('controls'), message)] };
  }
  const { pretraining, epoch } = source;
  const control = `${pretraining} random labels`;
  const init = { ...initOf(arm), checkpoint: `${control}@${epoch}` };
  return {
    arms: { ...arms, [`${name} random labels`]: { ...arm, init } },
    pretraining: { [control]: { ...spec.pretraining[pretraining]!, labels: 'random' } },
  };
}

function transferDepth(
  spec: StudySpec,
  options: AnalysisOptions<'transfer-depth'>,
  at: (key?: string) => PropertyKey[],
): Partial<AnalysisArms> {
  const base = baseArm(spec, options.arm, at);
  if (isProblem(base)) return { problems: [base] };
  const { name, arm } = base;
  const random = Object.keys(spec.arms).find((each) => spec.arms[each]!.init === 'random');
  const body = stagesOf(spec.architecture).slice(0, -1);
  const { 'fine-tuning': tuning } = armTraining(spec, name);
  const problems = unknownCuts(options.cuts ?? [], body, at('cuts'));
  const refuse = (message: string): number => problems.push(problem(at(), message));
  if (!isPretrained(arm)) refuse(`"${name}" does not start from a checkpoint as it is`);
  if (random === undefined) refuse('transfer-depth needs an arm that starts at random');
  if (tuning['freeze-to'] !== undefined || tuning['unfreeze-every'] !== undefined) {
    refuse(
      `transfer-depth freezes stages itself; "${name}" must not have freeze-to or unfreeze-every`,
    );
  }
  if (problems.length > 0 || random === undefined) return { problems };
  const frozen = (cut: string): TrainingOverride => ({
    ...arm.training,
    'fine-tuning': { 'freeze-to': cut, 'rate-factor': tuning['rate-factor'] },
  });
  const arms = (options.cuts ?? body).flatMap((cut): [string, Arm][] => {
    const other = { ...arm, init: { ...initOf(arm), 'keep-to': cut } };
    const own: Arm = { ...arm, init: { arm: random, epoch: 'last', 'keep-to': cut } };
    return [
      [`AnB ${cut}`, { ...other, training: frozen(cut) }],
      [`AnB+ ${cut}`, other],
      [`BnB ${cut}`, { ...own, training: frozen(cut) }],
      [`BnB+ ${cut}`, own],
    ];
  });
  return { arms: Object.fromEntries(arms), problems };
}

function unknownCuts(
  cuts: readonly string[],
  body: readonly string[],
  path: readonly PropertyKey[],
): Problem[] {
  return cuts.flatMap((cut, index) =>
    body.includes(cut) ? [] : [unknownName([...path, index], 'stage below the head', cut, body)],
  );
}

function lowData(
  spec: StudySpec,
  options: AnalysisOptions<'low-data'>,
  at: (key?: string) => PropertyKey[],
): Partial<AnalysisArms> {
  const known = Object.keys(spec.arms);
  const problems = (options.arms ?? []).flatMap((name, index) =>
    known.includes(name) ? [] : [unknownName([...at('arms'), index], 'arm', name, known)],
  );
  if (problems.length > 0) return { problems };
  const arms = (options.arms ?? known).flatMap((name) =>
    options['per-class'].map((most): [string, Arm] => [
      `${name} ${most} per class`,
      { ...spec.arms[name]!, 'per-class': most },
    ]),
  );
  return { arms: Object.fromEntries(arms) };
}

/** Starts learnt from the source's images without their labels, and arms that learn from those images. */
function kindsOfTransfer(
  spec: StudySpec,
  { kinds, trained, arm: named }: AnalysisOptions<'kinds-of-transfer'>,
  at: (key?: string) => PropertyKey[],
): Partial<AnalysisArms> {
  const tasks = (['rotation'] as const).filter((task) => kinds.includes(task));
  const base = baseArm(spec, named, at);
  if (isProblem(base)) return { problems: [base] };
  const { name, arm } = base;
  const source = pretrainingOf(readStart(arm.init));
  if (source === null) {
    const needy = [...tasks, ...trained];
    if (needy.length === 0) return {};
    const message = `${needy.join(' and ')} need an arm that starts from a pretraining of this study; "${name}" does not: name other kinds`;
    return { problems: [problem(at(tasks.length > 0 ? 'kinds' : 'trained'), message)] };
  }
  const { pretraining, epoch } = source;
  const added: AnalysisArms = { arms: {}, pretraining: {}, problems: [] };
  for (const task of tasks) {
    const own = `${pretraining} ${task}`;
    added.arms[task] = { ...arm, init: { ...initOf(arm), checkpoint: `${own}@${epoch}` } };
    added.pretraining[own] = { ...spec.pretraining[pretraining]!, labels: 'given', task };
  }
  if (trained.length > 0) added.problems.push(...imageProblems(spec, pretraining, at('arm')));
  trained.forEach((way, index) => {
    const messages = wayMessages(spec, name, way);
    added.problems.push(...messages.map((each) => problem([...at('trained'), index], each)));
    for (const each of [controlOf(way), way]) {
      const source = sourceSchema.parse({ images: pretraining, way: each });
      added.arms[`${name} ${each}`] = { ...arm, source };
    }
  });
  return added;
}
