import { CarryoverError } from '../../contract/errors.ts';
import type { Responses } from '../../contract/api.ts';
import type { StudyIssue, StudySpec } from '../../contract/study.ts';
import type { HostContext } from '../context.ts';
import { lookUpCheckpoint } from '../checkpoints/store.ts';
import { canonicalJson } from './identity.ts';
import type { ParsedStudy } from './parse.ts';
import { issuesError, parseStudy } from './parse.ts';
import type { ExpandedStudy, PlannedRun } from './plan.ts';
import { expandStudy, studyPlan } from './plan.ts';
import { unknownCheckpoints } from './resolve.ts';
import { isFinished } from './run-files.ts';
import { storedStudy, storeStudy, studyIdOf } from './store.ts';
import { findStudy } from './study-rows.ts';

/** What is wrong with a study file, or what it would do. */
export function checkStudy(context: HostContext, yaml: string): Responses['studies.check'] {
  const { issues, study, written } = layOut(context, yaml);
  const done = ({ id, keepEpochs }: PlannedRun) => isFinished(context, id, keepEpochs);
  return { issues, plan: study && studyPlan(study, done), written };
}

/** Reads a study file with the checkpoints of the home at hand. */
export function readStudy({ db }: Pick<HostContext, 'db'>, yaml: string): ParsedStudy {
  const study = parseStudy(yaml, (name) => lookUpCheckpoint(db, name));
  const { spec, issues, written, locate } = study;
  if (spec !== null || written === null) return study;
  // What a checkpoint that is not there would have filled in may be all that is missing.
  return { ...study, issues: [...issues, ...locate(unknownCheckpoints(db, written))] };
}

/** The specification of a study file, or `bad-input` that says all that is wrong. */
export function requireStudy(context: HostContext, yaml: string, file: string): StudySpec {
  const { spec, issues } = readStudy(context, yaml);
  if (spec === null) throw issuesError(issues, file);
  return spec;
}

/** Whether a text says what the stored study says; comments and the order of keys do not count. */
export function saysTheSame(context: HostContext, studyId: string, yaml: string): boolean {
  const stored = storedStudy(context.db, studyId).yaml;
  if (stored === yaml) return true;
  const [one, other] = [stored, yaml].map((text) => readStudy(context, text).spec);
  return canonicalJson(one) === canonicalJson(other);
}

function layOut(
  context: HostContext,
  yaml: string,
): { issues: StudyIssue[]; study: ExpandedStudy | null; written: ParsedStudy['written'] } {
  const { spec, issues, written, locate } = readStudy(context, yaml);
  if (spec === null) return { issues, study: null, written };
  const { study, problems } = expandStudy(context.db, spec);
  return { issues: locate(problems), study, written };
}

export interface SaveOptions {
  /** Named in messages. */
  file?: string;
  /** A study of that name with another text is replaced instead of refused; its runs stay. */
  replace?: boolean;
}

/**
 * Stores a study with its split and its planned runs; nothing is trained. Storing the same text
 * again changes nothing. Returns the study's id. Throws `bad-input` with every issue and its line,
 * `conflict` when another study has that name or the study is running.
 */
export function saveStudy(context: HostContext, yaml: string, options: SaveOptions = {}): string {
  const parsed = readStudy(context, yaml);
  if (parsed.spec === null) throw issuesError(parsed.issues, options.file);
  const id = studyIdOf(parsed.spec.name);
  if (findStudy(context.db, id) !== null) {
    const stored = storedStudy(context.db, id);
    if (stored.yaml === yaml) return id;
    refuseReplacing(parsed.spec.name, stored.status, options);
  }
  const { study, problems } = expandStudy(context.db, parsed.spec);
  if (study === null) throw issuesError(parsed.locate(problems), options.file);
  return storeStudy(context.db, yaml, parsed.spec, study);
}

function refuseReplacing(name: string, status: string, { replace = false }: SaveOptions): void {
  if (status === 'running') {
    throw new CarryoverError('conflict', `the study "${name}" is running`, {
      value: name,
      wayOut: 'wait for its end or cancel it, then store the new text',
    });
  }
  if (replace) return;
  throw new CarryoverError('conflict', `there is a study "${name}" with another text already`, {
    value: name,
    wayOut: 'give this one another name, or remove the other first (its trained runs stay)',
  });
}
