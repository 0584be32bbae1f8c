import { describe, expect, test } from 'vitest';
import type { StudyRun, StudyView } from '../../host/studies/analyses/definition.ts';
import { transferDepth } from '../../host/studies/analyses/transfer-depth/index.ts';
import { howMuchToFreeze } from '../../host/studies/analyses/transfer-depth/suggestion.ts';
import { analysisOptions } from '../../contract/study-analyses.ts';

const seeds = [0, 1, 2];
const of = (...values: number[]) => values.map((value, seed) => ({ seed, value }));

/** Accuracies by arm, one a seed. */
const ACCURACIES: Record<string, number[]> = {
  'P-T': [0.8, 0.82, 0.81],
  'RI-T': [0.6, 0.62, 0.61],
  'AnB stem': [0.8, 0.83, 0.81],
  'AnB+ stem': [0.81, 0.82, 0.8],
  'BnB stem': [0.59, 0.62, 0.6],
  'BnB+ stem': [0.6, 0.63, 0.62],
  'AnB stage1': [0.5, 0.52, 0.54],
  'AnB+ stage1': [0.8, 0.82, 0.81],
  'BnB stage1': [0.58, 0.59, 0.6],
  'BnB+ stage1': [0.61, 0.62, 0.63],
};

const view = {
  id: 's1',
  study: {
    spec: {
      arms: { 'P-T': { init: { checkpoint: 'p@last' } }, 'RI-T': { init: 'random' } },
      seeds,
    },
    sides: { findings: null },
  },
  runs: Object.entries(ACCURACIES).flatMap(([arm, values]) =>
    values.map((testAccuracy, seed) => ({
      ...{ id: `${arm} ${seed}`, arm, seed, shuffle: 'none', kind: 'target', testAccuracy },
      testAuc: null,
    })),
  ) as unknown as StudyRun[],
} as unknown as StudyView;

const options = analysisOptions['transfer-depth'].parse({});

describe('transfer depth', () => {
  test('gaps are paired by seed; the suggestion comes with its cost', async () => {
    const { job, uses } = await transferDepth.plan(view, options);
    expect(job.cuts).toEqual(['stem', 'stage1']);
    expect(uses).toHaveLength(30);
    const { quantities, notes, figures } = transferDepth.present(view, options, null, job);
    const value = (key: string) => quantities.find((each) => each.key === key);
    // B - BnB at stage1: 0.02, 0.03, 0.01; t(0.975, 2) = 4.3027 times 0.01 / sqrt(3)
    const gap = value('transfer-depth.co-adaptation.stage1')!;
    expect(gap.value).toBeCloseTo(0.02, 12);
    expect(gap.interval![1] - gap.value!).toBeCloseTo((4.302652729911275 * 0.01) / Math.sqrt(3), 8);
    expect(value('transfer-depth.specificity.stage1')!.value).toBeCloseTo(0.07, 12);
    expect(value('transfer-depth.fine-tuned-gain.stem')!.value).toBeCloseTo(0.58 / 3, 12);
    expect(value('transfer-depth.freezing.stage1')!.value).toBeCloseTo(-0.29, 12);
    expect(value('transfer-depth.suggestion')!.value).toBeCloseTo(0.01 / 3, 12);
    expect(notes[0]).toMatch(/^Freeze up to and with stem: /);
    const [depth] = figures;
    expect(depth?.kind === 'lines' && depth.series[0]!.points[0]!.link).toBe(
      '#/studies/s1?runs=AnB+stem+0%2CAnB+stem+1%2CAnB+stem+2',
    );
  });

  test('only the cuts that are named', async () => {
    const { job } = await transferDepth.plan(view, { ...options, cuts: ['stage1'] });
    expect(job.cuts).toEqual(['stage1']);
    expect(job.runs.some(({ arm }) => arm.endsWith('stem'))).toBe(false);
  });

  test('without its runs it is refused', () => {
    const own = view.runs.filter(({ arm }) => arm === 'P-T' || arm === 'RI-T');
    expect(() => transferDepth.plan({ ...view, runs: own }, options)).toThrow(
      /no runs of its arms/,
    );
  });
});

test('how much to freeze: the deepest cut within one standard error, none on one seed', () => {
  const tuned = of(0.8, 0.8, 0.8);
  const frozen = [
    { cut: 'stem', scores: of(0.8, 0.81, 0.79) },
    { cut: 'stage1', scores: of(0.76, 0.84, 0.79) },
    { cut: 'stage2', scores: of(0.7, 0.71, 0.7) },
  ];
  expect(howMuchToFreeze(frozen, tuned).cut).toBe('stage1');
  expect(howMuchToFreeze(frozen.slice(2), tuned).cut).toBeNull();
  const single = frozen.map(({ cut, scores }) => ({ cut, scores: scores.slice(0, 1) }));
  expect(howMuchToFreeze(single, tuned.slice(0, 1)).cut).toBeNull();
});
