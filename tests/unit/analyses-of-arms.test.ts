/** Analyses that take what runs came to as it is, on made-up runs. */
import { describe, expect, test } from 'vitest';
import type { Quantity } from '../../contract/figures.ts';
import type { StudyRun, StudyView } from '../../host/studies/analyses/definition.ts';
import { ofMeans, pairedOverSeeds } from '../../host/studies/analyses/intervals.ts';
import { lowData } from '../../host/studies/analyses/low-data/index.ts';
import type { LowDataJob } from '../../host/studies/analyses/low-data/measure.ts';
import { lowLevelStatistics } from '../../host/studies/analyses/low-level-statistics/index.ts';
import { shuffleSweep } from '../../host/studies/analyses/shuffle-sweep/index.ts';
import { paperCurve } from '../../host/studies/analyses/shuffle-sweep/paper.ts';
import type { Planned } from '../../host/studies/analyses/definition.ts';

const SEEDS = [0, 1, 2];

/** Test accuracies of the seeds by arm and shuffle; speeds are those plus 0.1. */
type Scores = Record<string, readonly number[]>;

function viewOf(scores: Scores): StudyView {
  const runs = Object.entries(scores).flatMap(([key, values]) => {
    const [arm, shuffle] = key.split('/');
    return values.map((testAccuracy, seed) => ({
      ...{ id: `${key}/${seed}`, kind: 'target', arm, shuffle, seed, testAccuracy },
      ...{ testAuc: null, optimisationSpeed: testAccuracy + 0.1, trainImages: 60 },
    }));
  });
  const spec = {
    arms: { 'P-T': { init: { checkpoint: 'src@last' } }, 'RI-T': { init: 'random' } },
    seeds: SEEDS,
    shuffles: [...new Set(runs.map(({ shuffle }) => shuffle))],
    architecture: { image: 48 },
  };
  const study = { spec, sides: { findings: null, classNames: ['a', 'b', 'c'] } };
  return { id: 'study', study, runs: runs as unknown as StudyRun[] } as unknown as StudyView;
}

function byKey(quantities: readonly Quantity[]) {
  return (key: string) => {
    const found = quantities.find((each) => each.key === key);
    if (!found) throw new Error(`no ${key} in ${quantities.map((each) => each.key).join(', ')}`);
    return found;
  };
}

describe('the sweep over shuffles', () => {
  const view = viewOf({
    'P-T/none': [0.8, 0.82, 0.81],
    'RI-T/none': [0.4, 0.41, 0.45],
    'P-T/8': [0.5, 0.5, 0.5],
    'RI-T/8': [0.4, 0.4, 0.4],
    'P-T/pixel': [0.2, 0.2, 0.2],
    'RI-T/pixel': [0.2, 0.2, 0.2],
  });
  const { job, uses } = shuffleSweep.plan(view, { overlay: 'real' }) as Planned<never>;
  const { quantities, figures, tables } = shuffleSweep.present(
    view,
    { overlay: 'real' },
    null,
    job,
  );
  const value = byKey(quantities);

  test('gains are paired by seed, with the t interval', () => {
    expect(uses).toHaveLength(18);
    // Differences 0.40, 0.41, 0.36: mean 0.39, s = 0.0264575, t(0.975, 2) = 4.302653.
    const gain = value('shuffle-sweep.gain.none');
    const half = (4.30265273 * 0.0264575131) / Math.sqrt(3);
    expect(gain.value).toBeCloseTo(0.39, 12);
    expect(gain.interval![0]).toBeCloseTo(0.39 - half, 8);
    expect(gain.interval![1]).toBeCloseTo(0.39 + half, 8);
    expect(gain).toMatchObject({ method: 't over paired differences of 3 seeds', n: 3 });
    expect(value('shuffle-sweep.gain.8').interval![0]).toBeCloseTo(0.1, 12);
    expect(value('shuffle-sweep.gain-lost.8').value).toBeCloseTo(0.29, 12);
    expect(value('shuffle-sweep.speed-gain.pixel').value).toBeCloseTo(0, 12);
  });

  test('the relative drop is that of the means', () => {
    expect(value('shuffle-sweep.relative-drop.none').value).toBeCloseTo((100 * 0.39) / 0.81, 10);
    expect(value('shuffle-sweep.relative-drop.8').value).toBeCloseTo(20, 10);
  });

  test("figures have largest blocks first and the paper's curve dashed", () => {
    const [bars, accuracy] = figures;
    if (bars?.kind !== 'bars' || accuracy?.kind !== 'lines') throw new Error('other figures');
    expect(bars.groups.map(({ label, note }) => [label, note])).toEqual([
      ['none', '48'],
      ['8', '20'],
      ['pixel', '0'],
    ]);
    expect(bars.groups[0]!.bars.map(({ faded }) => faded ?? false)).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect(accuracy.series.map(({ name, dashed }) => [name, dashed ?? false])).toEqual([
      ['P-T', false],
      ['RI-T', false],
      ['paper, real, P-T', true],
      ['paper, real, RI-T', true],
    ]);
    expect(accuracy.series[0]!.points.map(({ x }) => x)).toEqual([1 / 96, 8 / 48, 1]);
    expect(tables[0]!.rows).toHaveLength(18);
  });

  test("the digitised bars give the paper's printed relative drops within 2 points", () => {
    const printed = {
      quickdraw: [91, 69, 30, 23, 20, 23, 24, 20, 25, 18, 26, 24, 22],
      clipart: [33, 22, 23, 22, 29, 33, 38, 41, 46, 45, 49, 43, 40],
      real: [16, 9, 3, 12, 31, 34, 45, 45, 52, 45, 52, 45, 42],
    } as const;
    for (const domain of ['quickdraw', 'clipart', 'real'] as const) {
      const drops = paperCurve(domain, 'accuracy').map(
        ({ pretrained, random }) => (100 * (pretrained - random)) / pretrained,
      );
      drops.forEach((drop, at) => {
        expect(Math.abs(drop - printed[domain][at]!), `${domain} ${at}`).toBeLessThan(2.5);
      });
    }
  });
});

describe('low-level statistics', () => {
  const options = { controls: ['permuted' as const] };
  const view = viewOf({
    'P-T/none': [0.8, 0.8, 0.8],
    'P-T permuted/none': [0.5, 0.5, 0.5],
    'RI-T/none': [0.4, 0.4, 0.4],
  });

  test('controls are beside the real start and the random one', () => {
    const { job } = lowLevelStatistics.plan(view, options) as Planned<never>;
    const { quantities, figures } = lowLevelStatistics.present(view, options, null, job);
    const value = byKey(quantities);
    const start = 'low-level-statistics.accuracy';
    expect(value(`${start}.P-T permuted minus RI-T`).value).toBeCloseTo(0.1, 12);
    expect(value(`${start}.P-T minus P-T permuted`).value).toBeCloseTo(0.3, 12);
    expect(value(`${start}.share.P-T permuted`).value).toBeCloseTo(0.25, 12);
    expect(figures.map(({ kind }) => kind)).toEqual(['bars', 'intervals', 'intervals']);
  });

  test('without the controls there is nothing to say', () => {
    const bare = viewOf({ 'P-T/none': [0.8, 0.8, 0.8], 'RI-T/none': [0.4, 0.4, 0.4] });
    expect(() => lowLevelStatistics.plan(bare, options)).toThrow('no runs of its controls');
  });
});

describe('few labelled images', () => {
  const options = { 'per-class': [2, 8] };
  const view = viewOf({ 'P-T/none': [0.8], 'RI-T/none': [0.4] });
  const run = (arm: string, size: string, perClass: number, scores: number[]) =>
    scores.map((score, seed) => ({
      ...{ run: `${arm}${size}${seed}`, arm, seed, perClass, size, score },
    }));
  const job: LowDataJob = {
    runs: [
      ...run('P-T', '2', 2, [0.5, 0.5, 0.5]),
      ...run('P-T', '8', 8, [0.6, 0.6, 0.6]),
      ...run('P-T', 'all', 32, [0.7, 0.7, 0.7]),
      ...run('RI-T', '2', 2, [0.3, 0.3, 0.3]),
      ...run('RI-T', '8', 8, [0.4, 0.4, 0.4]),
      ...run('RI-T', 'all', 32, [0.6, 0.6, 0.6]),
    ],
    curves: SEEDS.flatMap((seed) => [
      {
        ...{ run: 'p', arm: 'P-T', seed },
        points: [
          { epoch: 1, seconds: 60, score: 0.2 },
          { epoch: 2, seconds: 120, score: 0.6 },
          { epoch: 3, seconds: 180, score: 0.7 },
        ],
      },
      { run: 'r', arm: 'RI-T', seed, points: [{ epoch: 3, seconds: 240, score: 0.6 }] },
    ]),
  };

  test('worth, break-even and time', () => {
    const { quantities, notes, figures } = lowData.present(view, options, null, job);
    const value = byKey(quantities);
    // RI-T has 0.5 half way in log from 8 to 32, and 0.6 at 32.
    expect(value('low-data.worth.2').value).toBeCloseTo(16, 8);
    expect(value('low-data.worth.2').interval![0]).toBeCloseTo(16, 6);
    expect(value('low-data.worth.8').value).toBeCloseTo(32, 8);
    expect(value('low-data.worth.all').value).toBeNull();
    expect(value('low-data.break-even').value).toBeNull();
    expect(notes.join('\n')).toContain('gets with all: more than 32');
    expect(notes.join('\n')).toContain('is not above RI-T: more than 32');
    expect(value('low-data.gain.2').value).toBeCloseTo(0.2, 12);
    expect(value('low-data.epochs-to-match').value).toBe(2);
    expect(value('low-data.epochs-saved').value).toBe(1);
    expect(value('low-data.minutes-saved').value).toBe(2);
    expect(figures.map(({ kind }) => kind)).toEqual(['lines', 'intervals']);
  });

  test('what is not reached has no time', () => {
    const never = { ...job, curves: job.curves.map((curve) => ({ ...curve })) };
    never.curves[0]!.points = [{ epoch: 1, seconds: 60, score: 0.1 }];
    const { quantities, notes } = lowData.present(view, options, null, never);
    expect(byKey(quantities)('low-data.minutes-saved').value).toBeNull();
    expect(notes.join('\n')).toContain('with 1 of the seeds');
  });
});

describe('intervals over seeds', () => {
  const first = [
    { seed: 0, value: 1 },
    { seed: 1, value: 3 },
  ];

  test('seeds that one arm lacks are left out', () => {
    expect(pairedOverSeeds(first, [{ seed: 1, value: 1 }])).toEqual({
      value: 2,
      interval: null,
      method: 'one seed',
      n: 1,
    });
    expect(pairedOverSeeds(first, []).value).toBeNull();
    expect(ofMeans([first, []], () => 1)).toMatchObject({ value: null, n: 0 });
  });

  test('a difference of means has the interval of the paired differences', () => {
    const second = [
      { seed: 1, value: 0.5 },
      { seed: 0, value: 0.25 },
    ];
    const paired = pairedOverSeeds(first, second);
    const found = ofMeans([first, second], ([a, b]) => a! - b!);
    expect(found.value).toBeCloseTo(paired.value!, 12);
    expect(found.interval![0]).toBeCloseTo(paired.interval![0], 10);
    expect(found.interval![1]).toBeCloseTo(paired.interval![1], 10);
  });
});
