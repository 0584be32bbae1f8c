import type { DatasetDetail, ImageFilter } from '../../../contract/datasets.ts';
import { formatHash, type QueryValue } from '../lib/route.ts';

const SPLITS = ['train', 'validation', 'test', 'unused'] as const;
const GIVEN = ['train', 'validation', 'test', 'none'] as const;
const EXCLUDED = ['with', 'only'] as const;

/** Before an attribute's name in a query key. */
const ATTRIBUTE = 'a.';
export const attributeKey = (name: string): string => ATTRIBUTE + name;

/** A list of values under its key, where there are any. */
const listed = <K extends string>(key: K, values: string[]): Partial<Record<K, string[]>> =>
  (values.length > 0 ? { [key]: values } : {}) as Partial<Record<K, string[]>>;

const oneOf = <T extends string>(choices: readonly T[], text: string | null): T | undefined =>
  choices.find((choice) => choice === text);

/**
 * The filter that an address describes: `domain`, `label`, `uncertain`, `absent`, `blank`, `tag`, `given`
 * and `a.<name>` repeat; `q`, `excluded`, `relabelled`, `ids`, `study` with `split`.
 */
export function filterFrom(query: URLSearchParams): ImageFilter {
  const given = GIVEN.filter((one) => query.getAll('given').includes(one));
  const excluded = oneOf(EXCLUDED, query.get('excluded'));
  const text = query.get('q') ?? '';
  const ids = query.get('ids');
  return {
    ...listed('domains', query.getAll('domain')),
    ...listed('labels', query.getAll('label')),
    ...listed('uncertain', query.getAll('uncertain')),
    ...listed('absent', query.getAll('absent')),
    ...listed('blank', query.getAll('blank')),
    ...listed('tags', query.getAll('tag')),
    ...(given.length > 0 && { given }),
    ...attributesFrom(query),
    ...(excluded && { excluded }),
    ...(query.get('relabelled') === '1' && { relabelled: true }),
    ...(text !== '' && { text }),
    ...(ids !== null && { ids: parseIds(ids) }),
    ...studyFrom(query),
  };
}

function studyFrom(query: URLSearchParams): ImageFilter {
  const studyId = query.get('study') ?? '';
  const split = oneOf(SPLITS, query.get('split'));
  return studyId === '' ? {} : { studyId, ...(split && { split }) };
}

function attributesFrom(query: URLSearchParams): ImageFilter {
  const keys = [...new Set(query.keys())].filter((key) => key.startsWith(ATTRIBUTE));
  if (keys.length === 0) return {};
  const entries = keys.map((key) => [key.slice(ATTRIBUTE.length), query.getAll(key)] as const);
  return { attributes: Object.fromEntries(entries) };
}

const KEYS =
  'domain label uncertain absent blank tag given excluded relabelled q ids study split'.split(' ');

/** What takes every restriction of an address away, the place in the list with it. */
export function withoutFilter(query: URLSearchParams): Record<string, QueryValue> {
  const attributes = [...query.keys()].filter((key) => key.startsWith(ATTRIBUTE));
  return Object.fromEntries([...KEYS, ...attributes, 'i', 'image'].map((key) => [key, null]));
}

/** Ids as an address has them, in their order: those that count up by one as `first-last`. */
export function formatIds(ids: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const id of ids) {
    const run = runs.at(-1);
    if (run && run[1] + 1 === id) run[1] = id;
    else runs.push([id, id]);
  }
  return runs.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join('.');
}

/** At most so many ids: an address that asks for more is no list of ours. */
const MOST_IDS = 2_000_000;

/** Reads `formatIds`; what is no id is left out. */
export function parseIds(text: string): number[] {
  const ids: number[] = [];
  for (const part of text.split('.')) {
    const match = /^(\d{1,15})(?:-(\d{1,15}))?$/.exec(part);
    if (match === null) continue;
    const from = Number(match[1]);
    const to = Math.min(Number(match[2] ?? from), from + MOST_IDS - ids.length - 1);
    for (let id = from; id <= to; id += 1) ids.push(id);
  }
  return ids;
}

/** The address of a data set's grid with just these images, in this order. */
export const gridOf = (datasetId: string, ids: readonly number[]): string =>
  formatHash(['data', datasetId], { ids: formatIds(ids) });

const isNumber = (text: string): boolean => text.trim() !== '' && Number.isFinite(Number(text));

/** Values for people: numbers by size before words by alphabet, "" last. */
export function inOrder(values: readonly string[]): string[] {
  return values.toSorted((a, b) => {
    if (a === '' || b === '') return Number(a === '') - Number(b === '');
    const numbers = Number(isNumber(b)) - Number(isNumber(a));
    if (numbers !== 0) return numbers;
    return isNumber(a) ? Number(a) - Number(b) : a.localeCompare(b, 'en', { numeric: true });
  });
}

/** What images of this data set are given as, in the order that splits are read. */
export function givenSplits({ report }: Pick<DatasetDetail, 'report'>): string[] {
  const given = Object.values(report.splits).reduce((sum, images) => sum + images, 0);
  const rest = given > 0 && given < report.images;
  return GIVEN.filter((one) => (one === 'none' ? rest : (report.splits[one] ?? 0) > 0));
}
