/** What the schema cannot say about where arms start. */
import type { Arm, StudySpec } from '../../contract/study.ts';
import { stagesOf } from './checks-training.ts';
import { problem, unknownName, type Problem } from './issues.ts';
import { armTraining, pretrainingTraining } from './overrides.ts';
import {
  checkpointOf,
  keptOf,
  parentArmOf,
  pretrainingOf,
  readStart,
  type Start,
} from './starts.ts';

type Path = readonly PropertyKey[];

/** Starts that do not exist, that are the same, or that go round in a circle. */
export function checkArms(spec: StudySpec): Problem[] {
  const seen = new Map<string, string>();
  return Object.entries(spec.arms).flatMap(([name, arm]) => {
    const start = readStart(arm.init);
    const path = pathOf(name, start);
    const problems = [...checkStart(spec, name, start, path), ...circle(spec, name, path)];
    const key = JSON.stringify([
      startKey(spec, arm),
      arm.training ?? {},
      arm['per-class'],
      arm.source,
    ]);
    const twin = seen.get(key);
    seen.set(key, name);
    if (twin !== undefined) problems.push(problem(path, `the same start as arm "${twin}"`));
    return problems;
  });
}

function pathOf(name: string, start: Start): Path {
  const path = ['arms', name, 'init'];
  if (start === 'random') return path;
  return [...path, 'arm' in start ? 'arm' : 'checkpoint'];
}

function startKey(spec: StudySpec, { init }: Arm): string {
  const start = readStart(init);
  const source = pretrainingOf(start);
  if (source === null || !Object.hasOwn(spec.pretraining, source.pretraining)) {
    return JSON.stringify([start, keptOf(init)]);
  }
  const last = pretrainingTraining(spec, source.pretraining).epochs;
  const epoch = source.epoch === 'last' ? last : source.epoch;
  return JSON.stringify([{ ...source, epoch }, keptOf(init)]);
}

function checkStart(spec: StudySpec, own: string, start: Start, path: Path): Problem[] {
  const source = pretrainingOf(start);
  const name = checkpointOf(start);
  const parent = parentArmOf(start);
  if (parent !== null) return checkParent(spec, own, parent, path);
  if (name !== null && Object.hasOwn(spec.pretraining, name)) {
    const message = `which epoch of the pretraining "${name}"? ${name}@last, or ${name}@EPOCH`;
    return [{ path, message, suggestion: `${name}@last` }];
  }
  if (source === null) return [];
  const { pretraining, epoch } = source;
  if (!Object.hasOwn(spec.pretraining, pretraining)) {
    return [unknownName(path, 'pretraining', pretraining, Object.keys(spec.pretraining))];
  }
  const { epochs } = pretrainingTraining(spec, pretraining);
  if (epoch === 'last' || epoch <= epochs) return [];
  return [problem(path, `"${pretraining}" has ${epochs} epochs; there is no epoch ${epoch}`)];
}

function checkParent(
  spec: StudySpec,
  own: string,
  { arm, epoch }: { arm: string; epoch: number | 'last' },
  path: Path,
): Problem[] {
  if (!Object.hasOwn(spec.arms, arm)) {
    const others = Object.keys(spec.arms).filter((each) => each !== own);
    return [unknownName(path, 'arm', arm, others)];
  }
  if (epoch === 'last' || epoch === 0) return [];
  const at = [...path.slice(0, -1), 'epoch'];
  const { epochs, 'early-stopping': stopping } = armTraining(spec, arm);
  if (epoch > epochs) {
    return [problem(at, `arm "${arm}" has ${epochs} epochs; there is no epoch ${epoch}`)];
  }
  if (!stopping) return [];
  const message = `arm "${arm}" may be stopped before epoch ${epoch}: start from its last`;
  return [{ path: at, message, suggestion: 'last' }];
}

/** Stages that starts are kept to; the architecture must be sound. */
export function checkKeptStages({ arms, architecture }: StudySpec): Problem[] {
  return Object.entries(arms).flatMap(([name, { init }]) => {
    const last = keptOf(init)['keep-to'];
    if (last === undefined) return [];
    const body = stagesOf(architecture).slice(0, -1);
    if (body.includes(last)) return [];
    const path = ['arms', name, 'init', 'keep-to'];
    return [unknownName(path, `stage of ${architecture.name} below the head`, last, body)];
  });
}

/** Said once, at the arm of the circle that comes first in the study. */
function circle({ arms }: StudySpec, name: string, path: Path): Problem[] {
  const way = [name];
  for (;;) {
    const arm = arms[way.at(-1)!];
    const parent = arm && parentArmOf(readStart(arm.init));
    if (!parent) return [];
    if (parent.arm === name) break;
    if (way.includes(parent.arm)) return [];
    way.push(parent.arm);
  }
  const names = Object.keys(arms);
  if (way.some((each) => names.indexOf(each) < names.indexOf(name))) return [];
  const message = `arms start from each other: ${[...way, name].join(' <- ')}`;
  return [problem(path, message)];
}
