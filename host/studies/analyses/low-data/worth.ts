/** What the pretrained start is worth in labelled images and in time. */
import type { Quantity, Unit } from '../../../../contract/figures.ts';
import {
  breakEven,
  reaches,
  type CurvePoint,
  type Reached,
} from '../../../../engine/analysis/break-even.ts';
import type { Contrast } from '../arm-values.ts';
import { ofMeans, overSeeds, pairedOverSeeds, quantity } from '../intervals.ts';
import type { Estimate, SeedValue } from '../intervals.ts';
import type { LowDataJob } from './measure.ts';

/** The job by arm and size. */
export interface LowData {
  arms: string[];
  /** Ascending; `all` where it has its place. */
  sizes: string[];
  /** Mean training images per class. */
  perClass(size: string): number;
  values(arm: string, size: string): SeedValue[];
}

export function lowDataOf({ runs }: LowDataJob): LowData {
  const perClass = (size: string) => runs.find((run) => run.size === size)?.perClass ?? NaN;
  return {
    arms: [...new Set(runs.map(({ arm }) => arm))],
    sizes: [...new Set(runs.map(({ size }) => size))].sort((a, b) => perClass(a) - perClass(b)),
    perClass,
    values: (arm, size) =>
      runs
        .filter((run) => run.arm === arm && run.size === size)
        .map(({ seed, score: value, run }) => ({ seed, value, run })),
  };
}

interface Found {
  quantities: Quantity[];
  notes: string[];
}

/** Gains by size, what they are worth in images, and where they end. */
export function worthQuantities(
  data: LowData,
  { pretrained, random, suffix }: Contrast,
  name: string,
  unit: Unit,
): Found & { breakEven: Estimate } {
  const { sizes } = data;
  const gains = sizes.map((size) =>
    quantity(
      `low-data.gain.${size}${suffix}`,
      `${name} of ${pretrained} less that of ${random}, ${size} images per class`,
      unit,
      pairedOverSeeds(data.values(pretrained, size), data.values(random, size)),
    ),
  );
  const notes: string[] = [];
  const worth = sizes.map((size, at) => {
    const find = (curves: Curves) => {
      const height = curves.pretrained[at]!.y;
      return reaches(curves.random, height);
    };
    const { estimate, reached } = ofCurves(data, pretrained, random, find);
    const title = `images per class that ${random} needs for what ${pretrained} gets with ${size}`;
    notes.push(...boundNote(title, reached));
    return quantity(`low-data.worth.${size}${suffix}`, title, '', estimate);
  });
  const even = ofCurves(data, pretrained, random, (curves) =>
    breakEven(curves.pretrained, curves.random),
  );
  const title = `images per class from which on ${pretrained} is not above ${random}`;
  notes.push(...boundNote(title, even.reached));
  const last = quantity(`low-data.break-even${suffix}`, title, '', even.estimate);
  return { quantities: [...gains, ...worth, last], notes, breakEven: even.estimate };
}

interface Curves {
  pretrained: CurvePoint[];
  random: CurvePoint[];
}

/** A place on the curves of the means, null outside of them, with the jackknife over seeds in log x. */
function ofCurves(
  data: LowData,
  pretrained: string,
  random: string,
  find: (curves: Curves) => Reached,
): { estimate: Estimate; reached: Reached | null } {
  const { sizes } = data;
  const series = [pretrained, random].flatMap((arm) => sizes.map((size) => data.values(arm, size)));
  const at = (means: number[]) => {
    const points = means.map((y, i) => ({ x: data.perClass(sizes[i % sizes.length]!), y }));
    return find({ pretrained: points.slice(0, sizes.length), random: points.slice(sizes.length) });
  };
  let reached: Reached | null = null;
  const logged = ofMeans(series, (means) => {
    const found = at(means);
    reached ??= found;
    return found.where === 'within' ? Math.log(found.x) : null;
  });
  const back = (value: number) => Math.exp(value);
  const { value, interval, method, n } = logged;
  return {
    estimate: {
      value: value === null ? null : back(value),
      interval: interval && [back(interval[0]), back(interval[1])],
      method: `${method}, in log images`,
      n,
    },
    reached,
  };
}

function boundNote(title: string, reached: Reached | null): string[] {
  if (reached === null || reached.where === 'within') return [];
  const side = reached.where === 'beyond' ? 'more than' : 'at most';
  const capital = title[0]!.toUpperCase() + title.slice(1);
  return [`${capital}: ${side} ${Number(reached.x.toPrecision(3))}; the runs say no more.`];
}

/** By seed: where the random run ends, and where the pretrained one first has that score. */
function matchedBySeed(curves: LowDataJob['curves'], pretrained: string, random: string) {
  const of = (arm: string) => curves.filter((curve) => curve.arm === arm);
  return of(pretrained).flatMap(({ seed, points }) => {
    const end = of(random)
      .find((curve) => curve.seed === seed)
      ?.points.at(-1);
    if (end === undefined) return [];
    return [{ seed, end, at: points.find((point) => point.score >= end.score) ?? null }];
  });
}

/** When the pretrained arm first reaches what the random one ends with. */
export function timeQuantities(
  { curves }: LowDataJob,
  { pretrained, random, suffix }: Contrast,
  name: string,
): Found {
  const matched = matchedBySeed(curves, pretrained, random);
  const never = matched.filter(({ at }) => at === null).length;
  const value = (get: (each: (typeof matched)[number]) => number): Estimate => {
    if (never > 0) return { value: null, interval: null, method: 'not reached', n: matched.length };
    return overSeeds(matched.map((each) => ({ seed: each.seed, value: get(each) })));
  };
  const until = `until ${pretrained} has the final ${name} of ${random}`;
  const notes =
    never === 0
      ? []
      : [`${pretrained} does not reach the final ${name} of ${random} with ${never} of the seeds.`];
  const made = (key: string, title: string, get: Parameters<typeof value>[0]) =>
    quantity(`low-data.${key}${suffix}`, title, '', value(get));
  return {
    quantities: [
      made('epochs-to-match', `epochs ${until}`, ({ at }) => at!.epoch),
      made(
        'epochs-saved',
        `epochs of ${random} less those ${until}`,
        ({ at, end }) => end.epoch - at!.epoch,
      ),
      made(
        'minutes-saved',
        `minutes of training ${random} less those ${until}`,
        ({ at, end }) => (end.seconds - at!.seconds) / 60,
      ),
    ],
    notes,
  };
}
