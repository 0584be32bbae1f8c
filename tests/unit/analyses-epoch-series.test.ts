import { expect, test } from 'vitest';
import { analysisOptions } from '../../contract/study-analyses.ts';
import { checkpoints } from '../../host/studies/analyses/checkpoints/index.ts';
import type { StudyRun, StudyView } from '../../host/studies/analyses/definition.ts';
import { rewinding } from '../../host/studies/analyses/rewinding/index.ts';

const EPOCHS = [0, 1, 3, 7, 15];
const OPTIONS = analysisOptions.checkpoints.parse({});

/** Accuracy rises by 0.1 with every doubling until epoch 3; speed does not change. */
function run(arm: string, seed: number, epoch: number): StudyRun {
  const testAccuracy = 0.5 + 0.01 * seed + 0.1 * Math.min(2, Math.log2(1 + epoch));
  return {
    ...{ id: `${arm} ${seed}`, arm, seed, shuffle: 'none', testAccuracy, testAuc: null },
    optimisationSpeed: 0.7 + 0.01 * seed,
  } as StudyRun;
}

/** The last epoch's runs are those of the arm itself. */
function view(epochs: number[], prefix: string): StudyView {
  const last = epochs.at(-1)!;
  const seeds = [0, 1, 2];
  const runs = seeds.flatMap((seed) => [
    ...epochs.slice(0, -1).map((epoch) => run(`${prefix}${epoch}`, seed, epoch)),
    run('P-T', seed, last),
    { ...run('P-T', seed, last), arm: `${prefix}${last}` },
    run('RI-T', seed, 0),
  ]);
  const arms = { 'RI-T': { init: 'random' }, 'P-T': { init: { checkpoint: 'source@last' } } };
  return { id: 's', runs, study: { spec: { arms }, sides: { findings: null } } } as never;
}

test('accuracy by pretraining epoch, and from where on nothing is gained', () => {
  const study = view(EPOCHS, 'P-T from epoch ');
  const planned = checkpoints.plan(study, OPTIONS);
  expect(planned).toMatchObject({ job: {} });
  expect((planned as { uses: string[] }).uses).toHaveLength(15);
  const { quantities, figures, tables, notes } = checkpoints.present(study, OPTIONS, null, {});
  const of = (key: string) => quantities.find((each) => each.key === key)!;
  expect(of('checkpoints.accuracy.0').value).toBeCloseTo(0.51, 12);
  expect(of('checkpoints.accuracy.15')).toMatchObject({
    value: expect.closeTo(0.71, 10) as number,
    method: 't over 3 seeds',
    n: 3,
  });
  expect(of('checkpoints.accuracy.gain').interval!.map((end) => end.toFixed(6))).toEqual([
    '0.200000',
    '0.200000',
  ]);
  expect(of('checkpoints.accuracy.nothing-gained-from').value).toBeCloseTo(3, 6);
  expect(of('checkpoints.speed.nothing-gained-from').value).toBeNull();
  expect(notes.join()).toContain('no rise with the pretraining epoch');
  expect(figures[0]).toMatchObject({
    kind: 'lines',
    marks: [{ label: 'nothing gained from here' }],
  });
  expect(tables[0]!.rows).toHaveLength(15);
  expect(tables[0]!.links![14]).toBe('#/studies/s?run=P-T+2');
});

test('rewinding looks at its own arms; too few epochs are refused', () => {
  const study = view(EPOCHS, 'P-T rewound to ');
  const found = rewinding.present(study, analysisOptions.rewinding.parse({}), null, {});
  expect(found.quantities.map(({ key }) => key)).toContain('rewinding.accuracy.gain');
  expect(() => checkpoints.plan(study, OPTIONS)).toThrow('needs three epochs or more');
  const two = view([0, 5], 'P-T from epoch ');
  expect(() => checkpoints.plan(two, OPTIONS)).toThrow('needs three epochs or more');
});
