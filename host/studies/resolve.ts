/** What the names in a study stand for: data sets, domains, imported checkpoints. */
import type { Database } from 'better-sqlite3';
import type { CheckpointSummary } from '../../contract/checkpoints.ts';
import type { StudySpec } from '../../contract/study.ts';
import { lookUpCheckpoint, listCheckpoints } from '../checkpoints/store.ts';
import { listSummaries } from '../datasets/read.ts';
import { SAMPLES } from '../samples/catalogue.ts';
import { fitProblems, writtenCheckpoints, writtenPretrainings } from './checkpoint-defaults.ts';
import { imagesOf, lookUpDataset } from './data.ts';
import type { StudyDataset, StudyImage } from './data.ts';
import { problem, unknownName, type Problem } from './issues.ts';
import { checkpointOf, readStart } from './starts.ts';

export interface Target {
  dataset: StudyDataset;
  domains: string[];
  images: StudyImage[];
}

/** The data set and domains that a study trains and tests on. */
export function resolveTarget(db: Database, spec: StudySpec, problems: Problem[]): Target | null {
  const dataset = resolveSet(db, spec.data.set, ['data', 'set'], problems);
  if (!dataset) return null;
  const named = spec.data.domain === undefined ? spec.data.domains : [spec.data.domain];
  const path = ['data', spec.data.domain === undefined ? 'domains' : 'domain'];
  const before = problems.length;
  const domains = resolveDomains(dataset, named, path, problems);
  if (problems.length > before) return null;
  return { dataset, domains, images: imagesOf(db, dataset, domains) };
}

/** The data set of that name; else a problem, and null. */
export function resolveSet(
  db: Database,
  set: string,
  path: string[],
  problems: Problem[],
): StudyDataset | null {
  const dataset = lookUpDataset(db, set);
  if (dataset) return dataset;
  const names = listSummaries(db).map(({ name }) => name);
  const sample = SAMPLES.some(({ name }) => name === set);
  problems.push(sample ? unbuiltSample(path, set) : unknownName(path, 'data set', set, names));
  return null;
}

function unbuiltSample(path: string[], name: string): Problem {
  const wayOut = `carryover samples build ${name}`;
  const message = `no data set "${name}": the sample set is not built here yet (${wayOut})`;
  return { ...problem(path, message), wayOut };
}

/** The imported checkpoints that arms start from, by name; what is not there or does not fit is a problem. */
export function resolveCheckpoints(
  db: Database,
  spec: StudySpec,
  problems: Problem[],
): Map<string, CheckpointSummary> {
  const found = new Map<string, CheckpointSummary>();
  for (const [arm, { init }] of Object.entries(spec.arms)) {
    const name = checkpointOf(readStart(init));
    if (name === null) continue;
    const path = ['arms', arm, 'init', 'checkpoint'];
    const checkpoint = lookUpCheckpoint(db, name);
    if (checkpoint === null) {
      problems.push(unknownCheckpoint(db, arm, name, Object.keys(spec.pretraining)));
      continue;
    }
    problems.push(...fitProblems(path, spec.architecture, checkpoint));
    found.set(name, checkpoint);
  }
  return found;
}

function unknownCheckpoint(
  db: Database,
  arm: string,
  name: string,
  pretrainings: readonly string[],
): Problem {
  const own = pretrainings.map((each) => `${each}@last`);
  const imported = listCheckpoints(db).map((each) => each.name);
  const path = ['arms', arm, 'init', 'checkpoint'];
  return unknownName(path, 'checkpoint', name, [...own, ...imported]);
}

/** Checkpoints that are not there, of a study as written that does not make a specification. */
export function unknownCheckpoints(db: Database, written: object): Problem[] {
  const pretrainings = writtenPretrainings(written);
  return writtenCheckpoints(written)
    .filter(({ name }) => !pretrainings.includes(name) && lookUpCheckpoint(db, name) === null)
    .map(({ arm, name }) => unknownCheckpoint(db, arm, name, pretrainings));
}

/** The named domains, or all; unknown ones are problems. */
export function resolveDomains(
  dataset: StudyDataset,
  named: string[] | undefined,
  path: PropertyKey[],
  problems: Problem[],
): string[] {
  const unknown = (named ?? []).filter((domain) => !dataset.domainNames.includes(domain));
  problems.push(...unknown.map((each) => unknownName(path, 'domain', each, dataset.domainNames)));
  return dataset.domainNames.filter((domain) => named === undefined || named.includes(domain));
}
