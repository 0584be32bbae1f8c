import {
  bootstrapDraws,
  bootstrapP,
  percentileInterval,
  timesOfImages,
  unitsOf,
} from '../../../../engine/analysis/bootstrap.ts';
import type { Measure } from '../lab.ts';
import { readSaid } from '../read-said.ts';
import type { SaidRef } from '../said.ts';
import { agreementOf, answersOf, eceOf, scoreOf, within, type Answers } from './answers.ts';

export interface BiasJob {
  runs: SaidRef[];
  /** Positions of rows among the test images. */
  subgroups: { attribute: string; value: string; positions: number[] }[];
  /** Arms with the positions of their runs, by seed. */
  arms: { arm: string; runs: number[] }[];
  /** Positions in `arms`: pretrained, random. */
  contrasts: [number, number][];
  groups: number[] | null;
  replicates: number;
}

/** A number of the test images, with its interval over them and the p of its being 0. */
export interface Estimated {
  value: number | null;
  interval: [number, number] | null;
  p: number | null;
}

export interface Measured {
  images: number;
  findings: boolean;
  /** In the job's order. */
  subgroups: {
    arms: {
      score: Estimated;
      ece: Estimated;
      /** Score less that of the other images that have the attribute. */
      gap: Estimated;
    }[];
    contrasts: {
      /** Score of the pretrained arm less that of the random one. */
      gain: Estimated;
      /** The gain less that on the others. */
      gainGap: Estimated;
      /** Kappa of runs of one seed. */
      agreement: Estimated;
    }[];
  }[];
}

/** A subgroup and the rest of its attribute. */
interface Parts {
  /** By run. */
  own: Answers[];
  rest: Answers[];
}

export const measure: Measure<BiasJob, Measured> = async (job, lab) => {
  const said = job.runs.map((ref) => readSaid(lab, ref, 'test'));
  const { images, findings } = said[0]!;
  const answers = said.map(answersOf);
  const subgroups: Measured['subgroups'] = [];
  for (const [at, { attribute, positions }] of job.subgroups.entries()) {
    lab.tell('subgroups', at, job.subgroups.length, 'subgroups');
    const rest = job.subgroups
      .filter((other, i) => i !== at && other.attribute === attribute)
      .flatMap((other) => other.positions);
    const parts = {
      own: answers.map((each) => within(each, positions)),
      rest: answers.map((each) => within(each, rest)),
    };
    const found = await lab.memo(`subgroup ${at}`, () =>
      Promise.resolve(ofSubgroup(job, parts, images)),
    );
    subgroups.push(found);
  }
  return { images, findings: findings !== null, subgroups };
};

function ofSubgroup(job: BiasJob, parts: Parts, images: number): Measured['subgroups'][number] {
  const units = unitsOf(images, job.groups ?? undefined);
  const all = numbersOf(job, parts, new Int32Array(images).fill(1));
  const draws = bootstrapDraws(
    units.count,
    (times) => numbersOf(job, parts, timesOfImages(units, times)),
    { replicates: job.replicates },
  );
  const list = all.map((value, at): Estimated => ({
    value,
    interval: value === null ? null : percentileInterval(draws[at]!),
    p: value === null ? null : bootstrapP(draws[at]!),
  }));
  const take = () => list.shift()!;
  return {
    arms: job.arms.map(() => ({ score: take(), ece: take(), gap: take() })),
    contrasts: job.contrasts.map(() => ({
      gain: take(),
      gainGap: take(),
      agreement: take(),
    })),
  };
}

/** Three numbers for each arm, then three for each contrast: means over seeds. */
function numbersOf(job: BiasJob, { own, rest }: Parts, times: Int32Array): (number | null)[] {
  const scores = own.map((each) => scoreOf(each, times));
  const others = rest.map((each) => scoreOf(each, times));
  const ofArm = (values: readonly (number | null)[], arm: number) =>
    meanOf(job.arms[arm]!.runs.map((run) => values[run]!));
  const arms = job.arms.flatMap(({ runs }, arm) => {
    const [score, other] = [ofArm(scores, arm), ofArm(others, arm)];
    return [score, meanOf(runs.map((run) => eceOf(own[run]!, times))), less(score, other)];
  });
  const contrasts = job.contrasts.flatMap(([a, b]) => {
    const gain = less(ofArm(scores, a), ofArm(scores, b));
    const elsewhere = less(ofArm(others, a), ofArm(others, b));
    const [first, second] = [job.arms[a]!.runs, job.arms[b]!.runs];
    const pairs = first.flatMap((run) => {
      const twin = second.find((other) => job.runs[other]!.seed === job.runs[run]!.seed);
      return twin === undefined ? [] : [agreementOf(own[run]!, own[twin]!, times)];
    });
    return [gain, less(gain, elsewhere), meanOf(pairs)];
  });
  return [...arms, ...contrasts];
}

/** Null where one of them is not defined. */
function meanOf(values: readonly (number | null)[]): number | null {
  if (values.length === 0) return null;
  let sum = 0;
  for (const value of values) {
    if (value === null) return null;
    sum += value;
  }
  return sum / values.length;
}

function less(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a - b;
}
