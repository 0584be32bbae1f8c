import { describe, expect, test } from 'vitest';
import type { EpochMetrics, RunSummary } from '../../contract/runs.ts';
import type { StudySpec } from '../../contract/study.ts';
import { parseStudy } from '../../host/studies/parse.ts';
import { armResults, pairsOf, relativeDrops } from '../../host/studies/results.ts';
import { optimisationSpeed } from '../../host/studies/run-rows.ts';

const SPEC: StudySpec = parseStudy(
  `name: small
pretraining:
  src: { data: { set: icons }, epochs: 5 }
data: { set: icons, split: { train: 0.5, test: 0.5 } }
architecture: { name: fixup-resnet10, image: 24 }
arms:
  P-T: { init: { checkpoint: src@last } }
  RI-T: { init: random }
seeds: [7, 3]
shuffles: [none, 4]
training: { epochs: 3, lr: { peak: 0.05 } }
`,
  () => null,
).spec!;

/** Test accuracies by arm, shuffle, seed. */
const ACCURACY: Record<string, number> = {
  'P-T none 7': 0.8,
  'P-T none 3': 0.7,
  'RI-T none 7': 0.3,
  'RI-T none 3': 0.45,
  'P-T 4 7': 0,
  'P-T 4 3': 0,
  'RI-T 4 7': 0.1,
  'RI-T 4 3': 0.2,
};

const RUNS = Object.entries(ACCURACY).map(([key, testAccuracy]) => {
  const [arm, shuffle, seed] = key.split(' ');
  const run = { id: key, arm, shuffle, seed: Number(seed), kind: 'target', status: 'done' };
  return { ...run, testAccuracy, optimisationSpeed: testAccuracy / 2 } as RunSummary;
});

function epoch(number: number, trainAccuracy: number | null): EpochMetrics {
  const rest = {
    trainLoss: null,
    validationLoss: null,
    validationAccuracy: null,
    testLoss: null,
    testAccuracy: null,
    trainAuc: null,
    validationAuc: null,
    testAuc: null,
    learningRate: 0,
    seconds: 0,
  };
  return { epoch: number, trainAccuracy, ...rest };
}

describe('results of a study', () => {
  test('are means and ranges over seeds, in the order of the seeds', () => {
    const arms = armResults(SPEC, RUNS.toReversed());
    expect(arms.map(({ arm, shuffle }) => `${arm} ${shuffle}`)).toEqual([
      'P-T none',
      'RI-T none',
      'P-T 4',
      'RI-T 4',
    ]);
    expect(arms[0]?.accuracy).toEqual({
      mean: 0.75,
      min: 0.7,
      max: 0.8,
      values: [0.8, 0.7],
      runIds: ['P-T none 7', 'P-T none 3'],
    });
    expect(arms[1]?.optimisationSpeed?.values).toEqual([0.15, 0.225]);
  });

  test('the relative drop is 100 (0.75 - 0.375) / 0.75 = 50, and none where nothing was right', () => {
    const drops = relativeDrops(SPEC, armResults(SPEC, RUNS));
    expect(drops).toHaveLength(1);
    expect(drops[0]).toMatchObject({ shuffle: 'none', pretrained: 'P-T', random: 'RI-T' });
    expect(drops[0]?.percent).toBeCloseTo(50, 10);
  });

  test('pairs are all pairs within a shuffle', () => {
    const pairs = pairsOf(SPEC, RUNS).map(({ a, b }) => `${a.id} + ${b.id}`);
    expect(pairs.slice(0, 6)).toEqual([
      'P-T none 7 + P-T none 3',
      'P-T none 7 + RI-T none 7',
      'P-T none 7 + RI-T none 3',
      'P-T none 3 + RI-T none 7',
      'P-T none 3 + RI-T none 3',
      'RI-T none 7 + RI-T none 3',
    ]);
    expect(pairs).toHaveLength(12);
  });

  test('a run without accuracy is an error, not a zero', () => {
    const [first, ...rest] = RUNS;
    const broken = { ...first!, testAccuracy: null, status: 'failed' as const };
    expect(() => armResults(SPEC, [broken, ...rest])).toThrow('is failed');
  });
});

describe('optimisation speed', () => {
  test('is the mean training accuracy over the epochs 1 to the last: (0.2 + 0.4 + 0.9) / 3', () => {
    const curve = [epoch(0, 0.05), epoch(1, 0.2), epoch(2, 0.4), epoch(3, 0.9)];
    expect(optimisationSpeed(curve)).toBeCloseTo(0.5, 12);
  });

  test('takes the evaluated epochs only: (0.4 + 0.9) / 2', () => {
    const curve = [epoch(0, 0.05), epoch(1, null), epoch(2, 0.4), epoch(3, 0.9)];
    expect(optimisationSpeed(curve)).toBeCloseTo(0.65, 12);
  });

  test('is unknown when no epoch was evaluated', () => {
    expect(optimisationSpeed([epoch(0, 0.5)])).toBeNull();
  });
});
