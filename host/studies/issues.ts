import type { z } from 'zod';
import { studySchema } from '../../contract/study.ts';
import { nearest } from './nearest.ts';
import { kindWith, legalKeys, legalWords } from './schema-keys.ts';

/** Something wrong with a study, before its line in the file is known. */
export interface Problem {
  path: readonly PropertyKey[];
  message: string;
  suggestion: string | null;
  wayOut?: string;
}

type ZodIssue = z.core.$ZodIssue;

const EXPECTED: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'keys with values',
  record: 'keys with values',
  array: 'a list',
  tuple: 'a list',
};

/** A problem with no near legal word. */
export function problem(path: readonly PropertyKey[], message: string): Problem {
  return { path, message, suggestion: null };
}

/** A value that names none of `legal`: says which there are and which is nearest. */
export function unknownName(
  path: readonly PropertyKey[],
  what: string,
  word: string,
  legal: readonly string[],
): Problem {
  const known = legal.length === 0 ? 'there is none' : `there are: ${legal.join(', ')}`;
  return { path, message: `no ${what} "${word}"; ${known}`, suggestion: nearest(word, legal) };
}

/** What the schema says about a study, in the words of its user. */
export function schemaProblems(error: z.ZodError, value: unknown): Problem[] {
  const problems = error.issues.flatMap((issue) => describe(issue, issue.path, value));
  const meant = new Set(
    problems.flatMap(({ path, suggestion }) =>
      suggestion === null ? [] : [keyOf([...path.slice(0, -1), suggestion])],
    ),
  );
  // A misspelt key says it all: that the key it was meant to be is missing follows from it.
  return problems.filter(
    ({ path }) => valueAt(value, path) !== undefined || !meant.has(keyOf(path)),
  );
}

function keyOf(path: readonly PropertyKey[]): string {
  return JSON.stringify(path.map(String));
}

function describe(issue: ZodIssue, path: PropertyKey[], root: unknown): Problem[] {
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey(path, key));
    case 'invalid_union':
      return describeUnion(issue, path, root);
    case 'invalid_value':
      return [wrongWord(path, valueAt(root, path), [])];
    case 'invalid_type':
      return [wrongType(path, issue.expected, valueAt(root, path))];
    case 'invalid_key':
      return [problem(path, `not a usable name: ${issue.issues[0]?.message ?? issue.message}`)];
    case 'too_small':
      return [
        problem(path, `must ${issue.inclusive ? 'be at least' : 'be more than'} ${size(issue)}`),
      ];
    case 'too_big':
      return [
        problem(path, `must ${issue.inclusive ? 'be at most' : 'be less than'} ${size(issue)}`),
      ];
    default:
      return [problem(path, issue.message)];
  }
}

function size(issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig): string {
  const bound = issue.code === 'too_small' ? issue.minimum : issue.maximum;
  if (issue.origin === 'array') return `${bound} long`;
  return issue.origin === 'string' ? `${bound} characters` : String(bound);
}

function unknownKey(path: PropertyKey[], key: string): Problem {
  const legal = legalKeys(studySchema, path);
  const kind = kindWith(studySchema, path, key);
  if (kind !== null) return problem([...path, key], `"${key}" belongs to kind ${kind}`);
  return {
    path: [...path, key],
    message: `unknown key "${key}"; legal here: ${legal.join(', ')}`,
    suggestion: nearest(key, legal),
  };
}

function wrongType(path: PropertyKey[], expected: string, value: unknown): Problem {
  const wanted = EXPECTED[expected] ?? expected;
  if (value === undefined) return problem(path, `is missing (${wanted})`);
  return problem(path, `must be ${wanted}, not ${shown(value)}`);
}

/** `others`: what else may stand there besides the legal words. */
function wrongWord(path: PropertyKey[], value: unknown, others: string[]): Problem {
  const legal = legalWords(studySchema, path);
  const choices = [...legal, ...others].join(', ');
  if (value === undefined) return problem(path, `is missing (one of: ${choices})`);
  return {
    path,
    message: `${shown(value)} is not one of: ${choices}`,
    suggestion: typeof value === 'string' ? nearest(value, legal) : null,
  };
}

/** Speaks about the branch that was meant: the one whose kind of value was given. */
function describeUnion(
  issue: z.core.$ZodIssueInvalidUnion,
  path: PropertyKey[],
  root: unknown,
): Problem[] {
  const wrongKind = (each: ZodIssue) =>
    each.path.length === 0 && (each.code === 'invalid_type' || each.code === 'invalid_value');
  const possible = issue.errors.filter((branch) => !branch.some(wrongKind));
  // Of kinds told apart by the key `kind`, the one that was given.
  const otherKind = (each: ZodIssue) =>
    each.path.length === 1 && each.path[0] === 'kind' && each.code === 'invalid_value';
  const sameKind = possible.filter((branch) => !branch.some(otherKind));
  // Of mappings with other keys, the one that knows most of those given.
  const meant = (sameKind.length > 0 ? sameKind : possible)
    .toSorted((a, b) => unknownKeys(a) - unknownKeys(b))
    .at(0);
  if (meant) return meant.flatMap((each) => describe(each, [...path, ...each.path], root));
  const others = issue.errors
    .flat()
    .flatMap((each) => (each.code === 'invalid_type' ? [kindOf(each.expected, path)] : []));
  return [wrongWord(path, valueAt(root, path), others)];
}

function unknownKeys(branch: readonly ZodIssue[]): number {
  return branch.reduce(
    (sum, each) => sum + (each.code === 'unrecognized_keys' ? each.keys.length : 0),
    0,
  );
}

function kindOf(expected: string, path: PropertyKey[]): string {
  if (expected === 'object') return `{ ${legalKeys(studySchema, path).join(', ')} }`;
  return expected === 'number' || expected === 'int'
    ? 'a whole number'
    : (EXPECTED[expected] ?? expected);
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}
