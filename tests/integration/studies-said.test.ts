/** Analyses of what the runs of a study said, beside the numbers that the runs have themselves. */
import { expect, test } from 'vitest';
import type { Quantity } from '../../contract/figures.ts';
import type { StudyDetail } from '../../contract/study.ts';
import type { StudyAnalysis } from '../../contract/study-analyses.ts';
import { getStudyAnalysis } from '../../host/studies/analyses/store.ts';
import type { Workbench } from '../../host/workbench.ts';
import { chexpertHome, chexpertStudy } from './studies-chexpert.ts';
import { runStudy, shapesHome, shapesStudy } from './studies-home.ts';
import { deadMarks } from './studies-marks.ts';

/** The analyses of a study by name; fails where one has failed. */
function analysesOf({ context }: Workbench, study: StudyDetail): Map<string, StudyAnalysis> {
  const found = study.results!.analyses.map(({ name, id, failure }) => {
    expect(failure, name).toBeNull();
    return [name, getStudyAnalysis(context.db, id!)] as const;
  });
  return new Map(found);
}

function reader(analyses: Map<string, StudyAnalysis>) {
  return (key: string): Quantity => {
    const all = analyses.get(key.split('.')[0]!)!.quantities;
    const found = all.find((each) => each.key === key);
    if (!found) throw new Error(`${key} is not among ${all.map((each) => each.key).join(', ')}`);
    return found;
  };
}

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

test('analyses of classes agree with the runs', async () => {
  const { workbench } = await shapesHome();
  const yaml = `${shapesStudy().replace(
    'domains: [thin] }',
    'domains: [thin], test: 0.3 }',
  )}analyses:
  - agreement
  - optimisation-speed
  - { mistakes: { replicates: 100, wall: 4 } }
  - { metrics: { replicates: 100, bins: 5 } }
  - { forgetting: { replicates: 100 } }
  - { negative-transfer: { replicates: 100 } }
`;
  const study = await runStudy(workbench, yaml);
  const analyses = analysesOf(workbench, study);
  const value = reader(analyses);
  const runs = await workbench.handlers['runs.list']({ studyId: study.id });
  const accuracies = (arm: string) =>
    runs.filter((run) => run.arm === arm).map(({ testAccuracy }) => testAccuracy!);
  const [pretrained, random] = [accuracies('P-T'), accuracies('RI-T')];
  const gain = mean(pretrained) - mean(random);

  for (const [name, { figures }] of analyses) expect(deadMarks(figures), name).toEqual([]);
  expect(value('metrics.accuracy.P-T')).toMatchObject({ method: 't over 2 seeds', n: 2 });
  expect(value('metrics.accuracy.P-T').value).toBeCloseTo(mean(pretrained), 12);
  expect(value('metrics.difference.accuracy.P-T minus RI-T').value).toBeCloseTo(gain, 12);
  expect(value('negative-transfer.gap').value).toBeCloseTo(-gain, 12);
  expect(value('negative-transfer.gap.images').value).toBeCloseTo(-gain, 12);

  for (const kind of ['P-T/P-T', 'P-T/RI-T', 'RI-T/RI-T']) {
    const pairs = study.results!.pairs.filter((pair) => pair.kind === kind);
    const kappas = pairs.map(({ kappa }) => kappa);
    expect(value(`mistakes.kappa.${kind}`).value).toBeCloseTo(mean(kappas), 12);
    const common = pairs.map((pair) => pair.commonMistakes / pair.n);
    expect(value(`mistakes.common.${kind}`).value).toBeCloseTo(mean(common), 12);
  }

  const source = runs.find(({ kind }) => kind === 'pretraining')!;
  expect(source.testImages).toBeGreaterThan(0);
  expect(value('forgetting.before.P-T').value).toBeCloseTo(source.testAccuracy!, 6);
  const after = value('forgetting.after.P-T').value!;
  const change = value('forgetting.backward-transfer.P-T').value!;
  expect(change).toBeCloseTo(after - source.testAccuracy!, 6);

  for (const { figures, tables } of analyses.values()) {
    const ids = [...figures, ...tables].map(({ id }) => id);
    expect(figures.length).toBeGreaterThan(0);
    expect(new Set(ids).size).toBe(ids.length);
  }
}, 600_000);

test('analyses of findings agree with the runs', async () => {
  const workbench = await chexpertHome();
  const data =
    'split: { train: 0.5, test: 0.5 }, findings: { uncertain: { default: ignore } }, subgroups: [Sex]';
  const yaml = `${chexpertStudy(data)
    .replace('\ndata:', '\npretraining:\n  src: { data: { set: chex }, epochs: 1 }\ndata:')
    .replace(
      '  slow: { init: random, training: { lr: { peak: 0.005 } } }',
      '  P-T: { init: { checkpoint: src@last } }',
    )}analyses:
  - { metrics: { replicates: 100 } }
  - { mistakes: { replicates: 100 } }
  - { bias: { replicates: 100 } }
  - { negative-transfer: { replicates: 100 } }
`;
  const study = await runStudy(workbench, yaml);
  const analyses = analysesOf(workbench, study);
  for (const [name, { figures }] of analyses) expect(deadMarks(figures), name).toEqual([]);
  const images = analyses.get('bias')!.tables[0]!.links!;
  expect(images[0]).toContain(`study=${study.id}&split=test&a.Sex=Female`);
  const value = reader(analyses);
  const { arms, subgroups } = study.results!;
  for (const { arm, auc } of arms) {
    expect(value(`metrics.auc.${arm}`).value).toBeCloseTo(auc!.mean, 10);
    const own = subgroups.filter((each) => each.arm === arm);
    expect(own.map((each) => each.value)).toEqual(['Female', 'Male']);
    for (const subgroup of own) {
      const found = value(`bias.accuracy.${arm}.Sex=${subgroup.value}`);
      // A finding that one of the seeds' subgroups lacks has no area in either.
      expect(found.value).toBeCloseTo(subgroup.auc!.mean, 10);
      expect(found.method).toMatch(/^bootstrap over 12 groups, 100 replicates$/);
    }
  }
  const gain = value('bias.gain.P-T minus RI-T.Sex=Male').value!;
  const elsewhere = value('bias.gain.P-T minus RI-T.Sex=Female').value!;
  const gap = value('bias.gain-gap.P-T minus RI-T.Sex=Male').value!;
  expect(gap).toBeCloseTo(gain - elsewhere, 10);
  expect(Math.abs(value('mistakes.kappa.RI-T/P-T').value!)).toBeLessThanOrEqual(1);
}, 600_000);
