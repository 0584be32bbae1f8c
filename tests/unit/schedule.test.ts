import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { trainingSchema } from '../../contract/study.ts';
import { learningRateAt } from '../../engine/train/schedule.ts';

const reference = JSON.parse(
  readFileSync(new URL('../reference/schedules.json', import.meta.url), 'utf8'),
) as Record<'oneCycle' | 'cosine' | 'multistep', number[]>;

const STEPS_PER_EPOCH = 10;

function rates(lr: object): number[] {
  const training = trainingSchema.parse({ epochs: 6, lr: { peak: 0.05, ...lr } });
  return Array.from({ length: 60 }, (_, step) => learningRateAt(training, step, STEPS_PER_EPOCH));
}

function expectClose(found: number[], wanted: number[]): void {
  wanted.forEach((rate, step) => expect(found[step], `step ${step}`).toBeCloseTo(rate, 10));
}

describe('learning-rate schedules against PyTorch', () => {
  it('one-cycle is OneCycleLR with cosine annealing', () => {
    expectClose(rates({ schedule: 'one-cycle' }), reference.oneCycle);
  });

  it('cosine is CosineAnnealingLR to zero', () => {
    expectClose(rates({ schedule: 'cosine' }), reference.cosine);
  });

  it('multistep is MultiStepLR stepped once an epoch', () => {
    expectClose(rates({ schedule: 'multistep', milestones: [3, 5] }), reference.multistep);
  });

  it('warm-up rises linearly and meets the peak', () => {
    const found = rates({ schedule: 'constant', 'warmup-epochs': 1 });
    expect(found.slice(0, 11)).toEqual(
      [...Array(10).keys()].map((k) => (0.05 * (k + 1)) / 10).concat(0.05),
    );
  });
});
