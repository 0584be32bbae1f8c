import type { CheckpointSummary } from '../../contract/checkpoints.ts';
import { CarryoverError } from '../../contract/errors.ts';
import { studySchema, type StudyIssue, type StudySpec } from '../../contract/study.ts';
import { checkSpec } from './checks.ts';
import { withCheckpointDefaults } from './checkpoint-defaults.ts';
import { problem, schemaProblems, type Problem } from './issues.ts';
import { readSource, type Source } from './source.ts';

/** A study file as read: a specification, or what is wrong with it. */
export interface ParsedStudy {
  /** null when there are issues. */
  spec: StudySpec | null;
  issues: StudyIssue[];
  /** The file as it was read, without defaults; null where it is no YAML mapping. */
  written: Record<string, unknown> | null;
  /** Gives problems found later (in the data) their lines. */
  locate(problems: readonly Problem[]): StudyIssue[];
}

/** The imported checkpoint of that name, or null. */
export type FindCheckpoint = (name: string) => CheckpointSummary | null;

/**
 * Reads and checks a study file as far as that is possible without its data. What the file leaves
 * out of architecture and recipe is taken from the imported checkpoint that it starts from. Never
 * throws.
 */
export function parseStudy(yaml: string, findCheckpoint: FindCheckpoint): ParsedStudy {
  const source = readSource(yaml);
  const locate = (problems: readonly Problem[]) => located(source, problems);
  if (source.errors.length > 0) {
    const issues = source.errors.map((error) => ({ ...error, suggestion: null }));
    return { spec: null, issues, written: null, locate };
  }
  const { value } = source;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const what = value === null || value === undefined ? 'the file is empty' : 'this is no mapping';
    const issues = locate([problem([], `${what}; a study has keys`)]);
    return { spec: null, issues, written: null, locate };
  }
  const written = value as Record<string, unknown>;
  const filled = withCheckpointDefaults(written, findCheckpoint);
  const parsed = studySchema.safeParse(filled);
  if (!parsed.success) {
    return { spec: null, issues: locate(schemaProblems(parsed.error, filled)), written, locate };
  }
  const issues = locate(checkSpec(parsed.data, value as WrittenStudy));
  return { spec: issues.length === 0 ? parsed.data : null, issues, written, locate };
}

/** Issues as one failure: a line of text for each; its detail is the first that knows a remedy. */
export function issuesError(issues: readonly StudyIssue[], file?: string): CarryoverError {
  const first =
    issues.find(({ suggestion, wayOut }) => suggestion !== null || wayOut !== undefined) ??
    issues[0];
  const hint = first?.suggestion ? `: did you mean "${first.suggestion}"?` : '';
  return new CarryoverError('bad-input', issues.map((each) => issueText(each, file)).join('\n'), {
    ...(file === undefined ? {} : { file }),
    ...(first === undefined ? {} : { value: first.path }),
    ...(first?.line ? { line: first.line } : {}),
    wayOut: first?.wayOut ?? `correct the study file${hint}`,
  });
}

function issueText(issue: StudyIssue, file: string | undefined): string {
  const where = [
    file ?? 'study',
    ...(issue.line === null ? [] : [`line ${issue.line}`]),
    ...(issue.path === '' ? [] : [issue.path]),
  ].join(', ');
  const meant = issue.suggestion === null ? '' : ` (did you mean "${issue.suggestion}"?)`;
  return `${where}: ${issue.message}${meant}`;
}

/** The study as written, after the schema accepted it: keys left out are absent. */
export interface WrittenStudy {
  data?: { split?: Record<string, unknown> };
  training: { lr: Record<string, unknown> };
  pretraining?: Record<
    string,
    { epochs?: number; training?: Record<string, unknown> & { lr?: Record<string, unknown> } }
  >;
}

function located(source: Source, problems: readonly Problem[]): StudyIssue[] {
  return problems
    .map(({ path, ...rest }) => ({
      line: source.lineOf(path),
      path: path.map(String).join('.'),
      ...rest,
    }))
    .sort((a, b) => a.line - b.line);
}
