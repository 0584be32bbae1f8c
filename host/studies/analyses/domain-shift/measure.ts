import { domainDistances } from '../../../../engine/analysis/domain-distances.ts';
import type {
  DomainDistances,
  DomainSample,
} from '../../../../engine/analysis/domain-distances.ts';
import type { NetworkRef } from '../definition.ts';
import type { Measure } from '../lab.ts';
import type { Sample } from '../samples.ts';

export interface DomainShiftJob {
  network: NetworkRef;
  samples: Sample[];
  permutations: number;
  replicates: number;
}

export type DomainShift = DomainDistances & { features: number };

export const measure: Measure<DomainShiftJob, DomainShift> = async (job, lab) => {
  const weights = await lab.weights(job.network);
  const samples: DomainSample[] = [];
  let features = 0;
  for (const { images, groups } of job.samples) {
    lab.tell('features', samples.length, job.samples.length, 'domains');
    const taps = await lab.activations(job.network.run, weights, images, ['pool'], 'mean');
    const { values, dimensions } = taps.get('pool')!;
    features = dimensions;
    samples.push({ rows: values, groups: Int32Array.from(groups) });
  }
  const { permutations, replicates } = job;
  const told = (done: number, total: number): void => {
    lab.tell('distances of domains', done, total, 'pairs');
  };
  const found = await domainDistances(samples, {
    ...{ features, permutations, replicates, seed: 0, told },
  });
  return { ...found, features };
};
