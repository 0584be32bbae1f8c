import { describe, expect, it } from 'vitest';
import type { RateSearch } from '../../../contract/api.ts';
import { highestDrawn } from '../../../contract/rate-search.ts';
import type { EpochMetrics, RunSummary } from '../../../contract/runs.ts';
import type { StudyPlan } from '../../../contract/study.ts';
import type { StudyResults } from '../../../contract/study-results.ts';
import { asTable } from '../../../renderer/src/lib/charts.ts';
import { curveSeries, merge } from '../../../renderer/src/studies/curve-series.ts';
import { effects, headline } from '../../../renderer/src/studies/effects.ts';
import { rateSeries } from '../../../renderer/src/studies/rate-series.ts';
import { kindVariable, pairKinds } from '../../../renderer/src/studies/pairs.ts';
import {
  planLines,
  runRows,
  runTable,
  shufflesOf,
} from '../../../renderer/src/studies/run-rows.ts';

const plan: StudyPlan['runs'] = [
  { id: 'p', arm: 'P', seed: 0, shuffle: 'none', kind: 'pretraining', done: true },
  { id: 'a0', arm: 'P-T', seed: 0, shuffle: 'none', kind: 'target', done: false },
  { id: 'a1', arm: 'P-T', seed: 1, shuffle: 'none', kind: 'target', done: false },
  { id: 'b0', arm: 'RI-T', seed: 0, shuffle: '8', kind: 'target', done: false },
];

function epoch(n: number, testAccuracy: number | null): EpochMetrics {
  return {
    ...{
      epoch: n,
      trainLoss: null,
      trainAccuracy: null,
      validationLoss: null,
      validationAccuracy: null,
      testLoss: null,
      testAccuracy,
      trainAuc: null,
      validationAuc: null,
      testAuc: null,
    },
    ...{ learningRate: 0.1, seconds: 1 },
  };
}

describe('the runs of a study', () => {
  const begun = { id: 'a0', status: 'running', epochs: 9, epochsDone: 3 } as RunSummary;
  const rows = runRows(plan, new Map([['a0', begun]]));

  it('are the plan, each with what came of it', () => {
    expect(rows.map((row) => row.run?.status ?? null)).toEqual([null, 'running', null, null]);
    expect(shufflesOf(rows)).toEqual(['none', '8']);
    expect(planLines(plan).map((line) => line.runs.length)).toEqual([1, 2, 1]);
  });

  it('are exported with their state', () => {
    const table = runTable(rows);
    expect(table.rows.map((row) => row[5])).toEqual(['planned', 'running', 'planned', 'planned']);
    for (const row of table.rows) expect(row).toHaveLength(table.header.length);
  });

  it('have curves without the epochs that were not measured', () => {
    const curves = new Map([['a0', [epoch(0, 0.1), epoch(1, null), epoch(2, 0.3)]]]);
    const series = curveSeries(rows.slice(1, 3), curves, 'testAccuracy');
    expect(series.map((one) => one.points)).toEqual([
      [
        { x: 0, y: 0.1 },
        { x: 2, y: 0.3 },
      ],
      [],
    ]);
    expect(asTable(series, 'Epoch')).toEqual({
      header: ['Epoch', 'P-T seed 0', 'P-T seed 1'],
      rows: [
        [0, 0.1, null],
        [2, 0.3, null],
      ],
    });
  });
});

describe('two pieces of a curve', () => {
  it('join by epoch; what came later is believed', () => {
    const joined = merge([epoch(0, 0.1), epoch(2, 0.2)], [epoch(2, 0.5), epoch(1, 0.3)]);
    expect(joined.map((one) => [one.epoch, one.testAccuracy])).toEqual([
      [0, 0.1],
      [1, 0.3],
      [2, 0.5],
    ]);
  });
});

describe('results', () => {
  const over = (mean: number) => ({ mean, min: mean, max: mean, values: [mean], runIds: ['r'] });
  const arm = (name: string, shuffle: string, mean: number) => {
    return { arm: name, shuffle, accuracy: over(mean), auc: null, optimisationSpeed: null };
  };
  const pair = (kind: string, kappa: number) =>
    ({ kind, shuffle: 'none', kappa }) as StudyResults['pairs'][number];
  const results: StudyResults = {
    arms: [
      ...[arm('P-T', '8', 0.5), arm('RI-T', '8', 0.4)],
      ...[arm('P-T', 'none', 0.75), arm('RI-T', 'none', 0.25)],
    ],
    relativeDrop: [
      { shuffle: '8', pretrained: 'P-T', random: 'RI-T', percent: 20 },
      { shuffle: 'none', pretrained: 'P-T', random: 'RI-T', percent: 66.7 },
    ],
    pairs: [pair('P-T/P-T', 0.5), pair('P-T/RI-T', 0.125), pair('P-T/RI-T', 0.375)],
    ...{ findings: [], subgroups: [], warnings: [] },
    analyses: [],
    claims: [],
  };

  it('are headed by the unshuffled gain and the mean kappa of each kind', () => {
    expect(headline(results)).toMatchObject({
      shuffle: 'none',
      gain: 0.5,
      kappas: [
        { kind: 'P-T/P-T', kappa: 0.5 },
        { kind: 'P-T/RI-T', kappa: 0.25 },
      ],
    });
    expect(headline({ ...results, relativeDrop: [] })).toBeNull();
  });

  it('stand side by side per shuffle', () => {
    expect(effects(results).map((one) => [one.shuffle, one.low, one.high])).toEqual([
      ['8', 0.4, 0.5],
      ['none', 0.25, 0.75],
    ]);
  });

  it('group pairs by kind; equal arms have their colour, mixed ones another', () => {
    expect(pairKinds(results.pairs).map((one) => one.pairs.length)).toEqual([1, 2]);
    expect(kindVariable('RI-T/RI-T')).toBe('--arm-rit');
    expect(kindVariable('RI-T')).toBe('--arm-rit');
    expect(kindVariable('P-T/RI-T')).not.toBe(kindVariable('P-T/P-T'));
  });
});

describe('the plot of a learning-rate search', () => {
  const search: RateSearch = {
    ...{ id: 'l1', studyName: 's', arm: 'RI-T', suggestion: 0.01, why: '' },
    ...{ rates: [0.001, 0.01, 0.1, 1], losses: [4, 3.5, 3, 80] },
  };

  it('shows the fall, not the height of the explosion', () => {
    expect(highestDrawn(search.losses)).toBe(5);
    expect(highestDrawn([4, 3.5, 3])).toBe(4);
    expect(highestDrawn([4, 3.99, 400])).toBeCloseTo(4.2, 12);
  });

  it('marks the suggestion where there is one', () => {
    const [loss, mark] = rateSeries(search);
    expect(loss?.points[3]).toEqual({ x: 1, y: 80 });
    expect(mark?.points).toEqual([
      { x: 0.01, y: 3 },
      { x: 0.01, y: 5 },
    ]);
    expect(rateSeries({ ...search, suggestion: null })).toHaveLength(1);
  });
});
