/**
 * Whether the images that only one of two arms has right are clear or ambiguous. An image's
 * ambiguity is measured on the runs that are not of the pair, where there are such.
 */
import { ambiguity } from '../../../../engine/analysis/ambiguity.ts';
import { bootstrap, unitsOf } from '../../../../engine/analysis/bootstrap.ts';
import type { Lab } from '../lab.ts';
import type { Said } from '../read-said.ts';
import type { MistakesJob } from './measure.ts';

/** Both right, only the random arm right, only the pretrained arm right, both wrong. */
export const CASES = [
  'both-right',
  'only-pretrained-wrong',
  'only-random-wrong',
  'both-wrong',
] as const;
export type Case = (typeof CASES)[number];

export interface AmbiguityOf {
  /** Images summed over the pairs of seeds. */
  counts: Record<Case, number>;
  entropy: Found;
  confidence: Found;
  /** Whether runs of the pair itself had to be asked. */
  circular: boolean;
  /** Of the first seeds: half of the wall from either end. */
  walls: { case: Case; end: 'ambiguous' | 'clear'; pictures: WallPicture[] }[];
}

interface Found {
  /** Means by case; null without images. */
  means: Record<Case, Estimated>;
  /** Mean where only the pretrained arm is wrong, less that where only the random one is. */
  difference: Estimated;
}

export interface Estimated {
  value: number | null;
  interval: [number, number] | null;
}

export interface WallPicture {
  /** Among the test images. */
  row: number;
  entropy: number;
  truth: number;
  /** Class and confidence by the two runs. */
  pretrained: { label: number; confidence: number };
  random: { label: number; confidence: number };
}

export async function measureAmbiguity(
  job: MistakesJob,
  said: readonly Said[],
  lab: Lab,
): Promise<AmbiguityOf[]> {
  const found: AmbiguityOf[] = [];
  for (const contrast of job.contrasts) {
    lab.tell('ambiguity', found.length, job.contrasts.length, 'pairs of arms');
    const key = `ambiguity ${contrast.pretrained} ${contrast.random}`;
    found.push(await lab.memo(key, () => Promise.resolve(ofContrast(job, said, contrast))));
  }
  return found;
}

interface Pair {
  pretrained: number;
  random: number;
  entropy: Float64Array;
  confidence: Float64Array;
  /** Index into CASES of each image. */
  cases: Uint8Array;
}

function ofContrast(
  job: MistakesJob,
  said: readonly Said[],
  contrast: MistakesJob['contrasts'][number],
): AmbiguityOf {
  const of = (arm: string) => [...job.runs.keys()].filter((at) => job.runs[at]!.arm === arm);
  const [first, second] = [of(contrast.pretrained), of(contrast.random)];
  const circular = first.length < 2 || second.length < 2;
  const pairs = first.flatMap((a) =>
    second.map((b): Pair => {
      const asked = [...first, ...second].filter((at) => circular || (at !== a && at !== b));
      const probabilities = asked.map((at) => said[at]!.told!.probabilities);
      const cases = casesOf(said[a]!, said[b]!);
      return { pretrained: a, random: b, cases, ...ambiguity(probabilities, classesOf(said[a]!)) };
    }),
  );
  return {
    counts: countsOf(pairs),
    entropy: estimated(pairs, 'entropy', job),
    confidence: estimated(pairs, 'confidence', job),
    circular,
    walls: wallsOf(pairs[0]!, said, job.wall),
  };
}

function classesOf({ classNames }: Said): number {
  return classNames.length;
}

function casesOf(a: Said, b: Said): Uint8Array {
  return Uint8Array.from(a.told!.truth, (c, at) => {
    const [rightA, rightB] = [a.told!.predicted[at] === c, b.told!.predicted[at] === c];
    if (rightA) return rightB ? 0 : 2;
    return rightB ? 1 : 3;
  });
}

function countsOf(pairs: readonly Pair[]): Record<Case, number> {
  const counts = byCase(() => 0);
  for (const { cases } of pairs) for (const at of cases) counts[CASES[at]!] += 1;
  return counts;
}

function byCase<T>(of: (at: number) => T): Record<Case, T> {
  return Object.fromEntries(CASES.map((name, at) => [name, of(at)])) as Record<Case, T>;
}

/** Means over the images of all pairs; images (or groups) are drawn anew for all pairs at once. */
function estimated(
  pairs: readonly Pair[],
  what: 'entropy' | 'confidence',
  { groups, replicates }: MistakesJob,
): Found {
  const images = pairs[0]!.cases.length;
  const units = unitsOf(images, groups ?? undefined);
  const [sums, counts] = [0, 1].map(() => new Float64Array(units.count * CASES.length));
  for (const pair of pairs) {
    for (let image = 0; image < images; image++) {
      const at = units.of[image]! * CASES.length + pair.cases[image]!;
      sums![at]! += pair[what][image]!;
      counts![at]! += 1;
    }
  }
  const statistics = (times: Int32Array) => {
    const means = CASES.map((_, at) => {
      let [sum, count] = [0, 0];
      for (let unit = 0; unit < units.count; unit++) {
        sum += times[unit]! * sums![unit * CASES.length + at]!;
        count += times[unit]! * counts![unit * CASES.length + at]!;
      }
      return count === 0 ? null : sum / count;
    });
    const [, pretrainedWrong = null, randomWrong = null] = means;
    const isDefined = pretrainedWrong !== null && randomWrong !== null;
    return [...means, isDefined ? pretrainedWrong - randomWrong : null];
  };
  const intervals = bootstrap(units.count, statistics, { replicates });
  const all = statistics(new Int32Array(units.count).fill(1)).map((value, at): Estimated => ({
    value,
    interval: value === null ? null : intervals[at]!,
  }));
  return { means: byCase((at) => all[at]!), difference: all.at(-1)! };
}

/** Images that one of the first pair has right: the most ambiguous, and the clearest others. */
function wallsOf(pair: Pair, said: readonly Said[], most: number): AmbiguityOf['walls'] {
  const picture = (row: number) => wallPicture(pair, said, row);
  return ([1, 2] as const).flatMap((wanted) => {
    const rows = [...pair.cases.keys()].filter((row) => pair.cases[row] === wanted);
    rows.sort((a, b) => pair.entropy[b]! - pair.entropy[a]! || a - b);
    const half = Math.min(Math.ceil(most / 2), Math.ceil(rows.length / 2));
    const clearest = rows
      .slice(half)
      .reverse()
      .slice(0, Math.floor(most / 2));
    return [
      { case: CASES[wanted], end: 'ambiguous', pictures: rows.slice(0, half).map(picture) },
      { case: CASES[wanted], end: 'clear', pictures: clearest.map(picture) },
    ];
  });
}

function wallPicture(pair: Pair, said: readonly Said[], row: number): WallPicture {
  const saidOf = (run: number) => {
    const { told, classNames } = said[run]!;
    const label = told!.predicted[row]!;
    return { label, confidence: told!.probabilities[row * classNames.length + label]! };
  };
  return {
    row,
    entropy: pair.entropy[row]!,
    truth: said[pair.pretrained]!.told!.truth[row]!,
    pretrained: saidOf(pair.pretrained),
    random: saidOf(pair.random),
  };
}
