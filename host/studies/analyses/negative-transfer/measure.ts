import {
  bootstrapDraws,
  bootstrapP,
  percentileInterval,
  unitsOf,
} from '../../../../engine/analysis/bootstrap.ts';
import type { Measure } from '../lab.ts';
import { readSaid, type Said } from '../read-said.ts';
import type { SaidRef } from '../said.ts';

export interface NegativeTransferJob {
  runs: SaidRef[];
  /** By contrast: positions in `runs` of the pretrained and the random run of each seed. */
  contrasts: [number, number][][];
  groups: number[] | null;
  replicates: number;
}

export interface Measured {
  classNames: string[];
  images: number;
  /** By contrast: error of the pretrained arm less that of the random one. */
  gaps: { whole: Gap; classes: Gap[] }[];
}

export interface Gap {
  value: number | null;
  interval: [number, number] | null;
  p: number | null;
  images: number;
}

export const measure: Measure<NegativeTransferJob, Measured> = async (job, lab) => {
  const said = job.runs.map((ref) => readSaid(lab, ref, 'test'));
  const gaps: Measured['gaps'] = [];
  for (const [at, pairs] of job.contrasts.entries()) {
    lab.tell('error with and without the pretrained start', at, job.contrasts.length, 'pairs');
    gaps.push(await lab.memo(`contrast ${at}`, () => Promise.resolve(gapsOf(job, said, pairs))));
  }
  return { classNames: said[0]!.classNames, images: said[0]!.images, gaps };
};

function gapsOf(job: NegativeTransferJob, said: readonly Said[], pairs: [number, number][]) {
  const { images, told, classNames } = said[0]!;
  const difference = new Float64Array(images);
  for (const [a, b] of pairs) {
    const [first, second] = [wrong(said[a]!), wrong(said[b]!)];
    for (let i = 0; i < images; i++) difference[i]! += (first[i]! - second[i]!) / pairs.length;
  }
  const all = [...difference.keys()];
  const parts = told ? classNames.map((_, c) => all.filter((at) => told.truth[at] === c)) : [];
  const [whole, ...classes] = meansOver(difference, [all, ...parts], job);
  return { whole: whole!, classes };
}

/** Share of an image's answers that are wrong; findings at probability 1/2. */
function wrong({ told, findings, logits, classNames, images }: Said): Float64Array {
  if (told) return Float64Array.from(told.truth, (c, at) => (told.predicted[at] === c ? 0 : 1));
  const found = new Float64Array(images);
  const { targets, mask } = findings!;
  for (let image = 0; image < images; image++) {
    let [known, errors] = [0, 0];
    for (let c = 0; c < classNames.length; c++) {
      const at = image * classNames.length + c;
      if (mask[at] === 0) continue;
      known += 1;
      if (logits[at]! > 0 !== (targets[at] === 1)) errors += 1;
    }
    found[image] = known === 0 ? 0 : errors / known;
  }
  return found;
}

/** Means of a value over parts of the images, with the bootstrap over images or groups. */
function meansOver(
  values: Float64Array,
  parts: readonly number[][],
  { groups, replicates }: NegativeTransferJob,
): Gap[] {
  const units = unitsOf(values.length, groups ?? undefined);
  const cells = parts.map((rows) => {
    const [sums, counts] = [new Float64Array(units.count), new Float64Array(units.count)];
    for (const row of rows) {
      sums[units.of[row]!]! += values[row]!;
      counts[units.of[row]!]! += 1;
    }
    return { sums, counts };
  });
  const statistics = (times: Int32Array) =>
    cells.map(({ sums, counts }) => {
      let [sum, count] = [0, 0];
      for (let unit = 0; unit < times.length; unit++) {
        sum += times[unit]! * sums[unit]!;
        count += times[unit]! * counts[unit]!;
      }
      return count === 0 ? null : sum / count;
    });
  const whole = statistics(new Int32Array(units.count).fill(1));
  const draws = bootstrapDraws(units.count, statistics, { replicates });
  return parts.map((rows, at) => ({
    value: whole[at]!,
    interval: percentileInterval(draws[at]!),
    p: bootstrapP(draws[at]!),
    images: rows.length,
  }));
}
