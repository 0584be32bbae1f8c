import type { PairValue } from '../pairs.ts';
import type { Measured, MistakesJob, PairMistakes } from './measure.ts';

/** `P-T/RI-T`. */
export function kindOf({ runs }: Pick<MistakesJob, 'runs'>, [a, b]: [number, number]): string {
  return `${runs[a]!.arm}/${runs[b]!.arm}`;
}

/** A number of every pair that has it. */
export function pairValues(
  job: MistakesJob,
  { pairs }: Measured,
  of: (pair: PairMistakes) => number | null,
): PairValue[] {
  return job.pairs.flatMap((pair, at) => {
    const value = of(pairs[at]!);
    const seeds: [number, number] = [job.runs[pair[0]]!.seed, job.runs[pair[1]]!.seed];
    return value === null ? [] : [{ kind: kindOf(job, pair), seeds, value }];
  });
}
