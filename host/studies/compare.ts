import type { Agreement } from '../../contract/agreement.ts';
import type { RequestBody } from '../../contract/api.ts';
import type { PairImage, PairReport, PairSort, SplitName } from '../../contract/compare.ts';
import { CarryoverError } from '../../contract/errors.ts';
import type { RunSummary } from '../../contract/runs.ts';
import { leaksAmong } from '../../contract/leaks.ts';
import type { PairLabels } from '../../engine/analysis/agreement.ts';
import { FEW_UNITS } from '../../engine/analysis/bootstrap.ts';
import {
  agreement as measureAgreement,
  cellOf,
  cellsPerClass,
} from '../../engine/analysis/agreement.ts';
import { shufflePermutation } from '../../engine/transforms/shuffle.ts';
import type { HostContext } from '../context.ts';
import type { RunSpec } from './plan.ts';
import type { Predictions } from './predictions.ts';
import { readPredictions, requireLogits } from './predictions.ts';
import { runDetail, runSpec, runSummary } from './run-rows.ts';

/** Two runs on the images that both saw, in the first run's order. */
export interface JoinedPair {
  agreement: Agreement;
  bootstrapUnit: PairReport['bootstrapUnit'];
  /** Resampling units of the interval. */
  units: number;
  classNames: string[];
  perClass: PairReport['perClass'];
  images: PairImage[];
  /** Images of one run's split only. */
  left: number;
}

type Place = Pick<HostContext, 'db' | 'home'>;

/** Compares pairs of runs; results are kept in memory while the logits stay the same. */
export interface Comparer {
  join(a: string, b: string, split: SplitName): JoinedPair;
  report(a: string, b: string, split: SplitName): PairReport;
  images(query: RequestBody<'compare.images'>): { total: number; images: PairImage[] };
}

const KEPT_PAIRS = 32;

export function createComparer(place: Place): Comparer {
  const kept = new Map<string, JoinedPair>();

  function join(a: string, b: string, split: SplitName): JoinedPair {
    const files = [requireLogits(place, a, split), requireLogits(place, b, split)];
    const key = [a, b, split, ...files.map(({ sha256 }) => sha256)].join(' ');
    const pair = kept.get(key) ?? joinPair(place, a, b, split);
    kept.delete(key);
    kept.set(key, pair);
    for (const oldest of kept.keys()) {
      if (kept.size <= KEPT_PAIRS) break;
      kept.delete(oldest);
    }
    return pair;
  }

  return {
    join,
    report(a, b, split) {
      const joined = join(a, b, split);
      const { agreement, bootstrapUnit, classNames, perClass } = joined;
      const runs = { a: runSummary(place.db, a), b: runSummary(place.db, b) };
      return {
        ...runs,
        ...{ split, agreement, bootstrapUnit, classNames, perClass },
        warnings: pairWarnings(place, runs.a, runs.b, joined),
      };
    },
    images({ a, b, split, cell, label, sort, offset, limit }) {
      const chosen = join(a, b, split).images.filter(
        (image) =>
          (cell === undefined || image.cell === cell) &&
          (label === undefined || image.truth === label),
      );
      const sorted = chosen.toSorted((x, y) => order(sort, x, y));
      return { total: chosen.length, images: sorted.slice(offset, offset + limit) };
    },
  };
}

/** Most confident first; `difference`: by how far apart they are about the true class. */
function order(sort: PairSort, x: PairImage, y: PairImage): number {
  const value = {
    'confidence-a': (image: PairImage) => image.a.confidence,
    'confidence-b': (image: PairImage) => image.b.confidence,
    difference: (image: PairImage) => Math.abs(image.a.truthConfidence - image.b.truthConfidence),
    path: () => 0,
  }[sort];
  return value(y) - value(x) || (x.path < y.path ? -1 : 1);
}

interface Match {
  /** Positions in the two lists. */
  a: number;
  b: number;
}

function joinPair(place: Place, a: string, b: string, split: SplitName): JoinedPair {
  const first = readPredictions(place, a, split);
  const second = readPredictions(place, b, split);
  const matches = match(first, second);
  if (matches.length === 0) throw nothingInCommon(a, b, split);
  const classNames = [...new Set([...first.classNames, ...second.classNames])].sort();
  const labels = jointLabels(classNames, first, second, matches);
  const places = imagePlaces(place, first, matches);
  const groups = numbered(places.map(({ group }) => group));
  const units = new Set(groups).size;
  const grouped = units < groups.length;
  return {
    agreement: measureAgreement({ ...labels, ...(grouped ? { groups } : {}) }),
    bootstrapUnit: grouped ? 'group' : 'image',
    units,
    classNames,
    perClass: cellsPerClass(labels, classNames.length),
    images: matches.map((each, at) => pairImage(first, second, each, places[at]!, labels, at)),
    left: first.truth.length + second.truth.length - 2 * matches.length,
  };
}

/** Class indices in the joint list of names. */
function jointLabels(
  classNames: string[],
  first: Predictions,
  second: Predictions,
  matches: Match[],
): PairLabels {
  const index = new Map(classNames.map((name, at) => [name, at]));
  const joint = (from: Predictions, values: Int32Array, at: number) =>
    index.get(from.classNames[values[at]!]!)!;
  return {
    truth: Int32Array.from(matches, (each) => joint(first, first.truth, each.a)),
    a: Int32Array.from(matches, (each) => joint(first, first.predicted, each.a)),
    b: Int32Array.from(matches, (each) => joint(second, second.predicted, each.b)),
  };
}

/** Equal names get equal numbers, from 0 on. */
function numbered(names: string[]): Int32Array {
  const numbers = new Map<string, number>();
  for (const name of names) if (!numbers.has(name)) numbers.set(name, numbers.size);
  return Int32Array.from(names, (name) => numbers.get(name)!);
}

/** Images are the same where content and label are; equal copies are told apart by their order. */
function match(first: Predictions, second: Predictions): Match[] {
  const positions = new Map(keysOf(second).map((key, at) => [key, at]));
  return keysOf(first).flatMap((key, a) => {
    const b = positions.get(key);
    return b === undefined ? [] : [{ a, b }];
  });
}

function keysOf({ hashes, truth, classNames }: Predictions): string[] {
  const seen = new Map<string, number>();
  return hashes.map((hash, at) => {
    const key = `${hash} ${classNames[truth[at]!]}`;
    const copies = seen.get(key) ?? 0;
    seen.set(key, copies + 1);
    return `${copies} ${key}`;
  });
}

interface ImagePlace {
  id: number;
  path: string;
  domain: string;
  group: string;
}

function imagePlaces({ db }: Place, { imageIds }: Predictions, matches: Match[]): ImagePlace[] {
  const find = db.prepare<[number], ImagePlace>(
    `SELECT images.id, images.path, domains.name AS domain, images.group_name AS "group"
     FROM images JOIN domains ON domains.id = images.domain_id WHERE images.id = ?`,
  );
  return matches.map(({ a }) => find.get(imageIds[a]!)!);
}

function pairImage(
  first: Predictions,
  second: Predictions,
  { a, b }: Match,
  { id, path, domain }: ImagePlace,
  labels: PairLabels,
  at: number,
): PairImage {
  const said = (from: Predictions, position: number) => ({
    label: from.classNames[from.predicted[position]!]!,
    confidence: from.confidence[position]!,
    truthConfidence: from.truthConfidence[position]!,
  });
  return {
    imageId: id,
    path,
    domain,
    truth: first.classNames[first.truth[a]!]!,
    cell: cellOf(labels.truth[at]!, labels.a[at]!, labels.b[at]!),
    a: said(first, a),
    b: said(second, b),
  };
}

function pairWarnings(
  { db }: Place,
  a: RunSummary,
  b: RunSummary,
  { left, units, bootstrapUnit }: JoinedPair,
): string[] {
  const notes = [a, b].flatMap(({ id }) => runDetail(db, id).notes);
  const warnings = [...new Set(leaksAmong(notes))];
  if (a.id === b.id) warnings.push('this is one run compared with itself');
  const [first, second] = [runSpec(db, a.id), runSpec(db, b.id)];
  warnings.push(...shuffleWarnings(first, second));
  const looks = [first, second].map(({ recipe, architecture }) => {
    const { resize, background, mean, std, window = 'file' } = recipe;
    return JSON.stringify([resize, background, mean, std, window, architecture.image]);
  });
  if (looks[0] !== looks[1]) warnings.push('they saw different pixels: size or recipe differ');
  if (units < FEW_UNITS) {
    warnings.push(`the interval resamples ${units} ${bootstrapUnit}s only: it is rough`);
  }
  if (left > 0) warnings.push(`${left} images are in the split of one of the two only`);
  return warnings;
}

/** Of shuffles as they are: one that leaves everything in its place is none. */
function shuffleWarnings(a: RunSpec, b: RunSpec): string[] {
  const unmoved = [...new Set([a, b].filter(movesNothing).map(shuffleText))];
  const warnings = unmoved.map((text) => `shuffle ${text} moves nothing: it is no shuffle`);
  const [first, second] = [a, b].map((spec) => (movesNothing(spec) ? 'none' : spec.shuffle));
  if (first !== second) {
    warnings.push(`they saw different pixels: shuffle ${first} and shuffle ${second}`);
  } else if (first !== 'none' && a.seed !== b.seed) {
    warnings.push(`seeds ${a.seed} and ${b.seed} shuffle by different permutations`);
  }
  return warnings;
}

function movesNothing({ shuffle, seed, architecture: { image, channels } }: RunSpec): boolean {
  return shufflePermutation(shuffle, image, channels, seed)?.identity === true;
}

const shuffleText = ({ shuffle, seed }: RunSpec): string => `${shuffle} with seed ${seed}`;

function nothingInCommon(a: string, b: string, split: SplitName): CarryoverError {
  return new CarryoverError('bad-input', `${a} and ${b} have no ${split} image in common`, {
    value: `${a} ${b}`,
    wayOut: 'compare runs of one study, or of studies with the same data and split',
  });
}
