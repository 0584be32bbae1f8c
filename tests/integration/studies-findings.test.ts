/** Studies of several findings an image, on images in CheXpert's layout. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { meanAuc, rocAuc } from '../../engine/analysis/auc.ts';
import { readLogits } from '../../host/studies/predictions.ts';
import type { Workbench } from '../../host/workbench.ts';
import { chexpertHome, chexpertStudy } from './studies-chexpert.ts';
import { runStudy } from './studies-home.ts';

const SPLIT = 'split: { train: 0.5, test: 0.5, validation: 0.2 }';
const BOTH = `${SPLIT}, findings: { uncertain: { default: ignore } }, subgroups: [Sex, Age]`;

async function runIds({ handlers }: Workbench, yaml: string): Promise<string[]> {
  const { plan, issues } = await handlers['studies.check']({ yaml });
  expect(issues).toEqual([]);
  return plan!.runs.map(({ id }) => id);
}

test('a study of findings trains, and its areas are those of its logits', async () => {
  const workbench = await chexpertHome();
  const { handlers, context } = workbench;
  const study = await runStudy(workbench, chexpertStudy(BOTH));
  expect(study.plan.classNames).toEqual(['Cardiomegaly', 'Edema']);
  const { findings, subgroups, arms, pairs } = study.results!;
  const runs = await handlers['runs.list']({ studyId: study.id });
  for (const run of runs) {
    const { logits, items } = readLogits(context, run.id, 'test');
    const areas = [0, 1].map((at) => {
      const known = items.findings!.flatMap((row, image) => (row[at] === null ? [] : [image]));
      return rocAuc(
        known.map((image) => logits[2 * image + at]!),
        known.map((image) => items.findings![image]![at]!),
      );
    });
    expect(run.testAuc).toBeCloseTo(meanAuc(areas)!, 12);
    const { curve } = await handlers['runs.get']({ id: run.id });
    expect(curve.map(({ epoch }) => epoch)).toEqual([0, 1, 2]);
    expect(curve.every((each) => each.trainAuc !== null && each.validationAuc !== null)).toBe(true);
    expect(curve.at(-1)?.testAuc).toBe(run.testAuc);
  }
  expect(arms[0]?.auc?.values).toEqual(runs.slice(0, 2).map(({ testAuc }) => testAuc));
  expect(findings.map(({ finding, arm }) => `${finding} ${arm}`)).toEqual([
    ...['Cardiomegaly RI-T', 'Edema RI-T', 'Cardiomegaly slow', 'Edema slow'],
  ]);
  const { items } = readLogits(context, runs[0]!.id, 'test');
  const edema = items.findings!.map((row) => row[1]);
  expect(findings[1]).toMatchObject({
    positives: edema.filter((value) => value === 1).length,
    negatives: edema.filter((value) => value === 0).length,
  });
  expect(edema).toContain(null);
  const sexes = subgroups.filter(({ attribute, arm }) => attribute === 'Sex' && arm === 'RI-T');
  expect(sexes.map(({ value }) => value)).toEqual(['Female', 'Male']);
  expect(sexes.reduce((sum, { images }) => sum + images, 0)).toBe(study.plan.testImages);
  expect(subgroups.find(({ attribute }) => attribute === 'Age')?.value).toMatch(/^\d+ to <\d+$/);
  expect(pairs).toEqual([]);
  expect(study.plan.warnings.join()).toContain('agreement is left out');

  const folder = join(context.home.reports, study.id);
  expect(readFileSync(join(folder, 'report.html'), 'utf8')).toContain('By finding');
  expect(existsSync(join(folder, 'findings.csv'))).toBe(true);
  const [a, b] = runs.map(({ id }) => id) as [string, string];
  const pair = Promise.resolve().then(() => handlers['compare.pair']({ a, b, split: 'test' }));
  await expect(pair).rejects.toMatchObject({ code: 'unsupported' });
});

test('what uncertain and blank findings count as, and what the user changed, make other runs', async () => {
  const workbench = await chexpertHome();
  const { handlers } = workbench;
  const withPolicy = (findings: string) =>
    runIds(workbench, chexpertStudy(`${SPLIT}, findings: { ${findings} }`));
  const ignored = await withPolicy('uncertain: ignore');
  expect(await withPolicy('uncertain: { default: ignore }')).toEqual(ignored);
  const others = [
    await withPolicy('uncertain: ones'),
    await withPolicy('uncertain: { Edema: zeros }'),
    await withPolicy('blank: ignore'),
    await withPolicy('names: [Cardiomegaly]'),
  ];
  expect(new Set([ignored, ...others].map((ids) => ids[0])).size).toBe(5);

  const [dataset] = await handlers['datasets.list']({});
  const filter = { labels: ['Edema'] };
  const change = { kind: 'finding', value: 'Edema=0' } as const;
  const made = await handlers['datasets.change']({ datasetId: dataset!.id, filter, change });
  expect(
    (await handlers['studies.check']({ yaml: chexpertStudy(SPLIT) })).plan?.classNames,
  ).toEqual(['Cardiomegaly']);
  await handlers['datasets.undo']({ datasetId: dataset!.id, changeId: made.id });
  expect(await withPolicy('uncertain: ignore')).toEqual(ignored);
});

test('findings that are not there are issues with their lines', async () => {
  const { handlers } = await chexpertHome();
  const issuesOf = async (data: string) =>
    (await handlers['studies.check']({ yaml: chexpertStudy(data) })).issues;
  expect(await issuesOf(`${SPLIT}, findings: { names: [Oedema] }`)).toMatchObject([
    { line: 2, path: 'data.findings.names.0' },
  ]);
  expect(await issuesOf(`${SPLIT}, findings: { uncertain: { Edem: ones } }`)).toMatchObject([
    { line: 2, path: 'data.findings.uncertain.Edem', suggestion: 'Edema' },
  ]);
});

test('one finding is a study of two classes: its runs can be compared', async () => {
  const workbench = await chexpertHome();
  const { handlers, context } = workbench;
  const one = chexpertStudy(`${SPLIT}, findings: { names: [Edema] }`);
  const { results } = await runStudy(workbench, one);
  expect(results!.pairs).toHaveLength(6);
  const { a, b } = results!.pairs[0]!;
  const { items } = readLogits(context, a, 'test');
  const known = items.findings!.filter(([value]) => value !== null).length;
  const report = await handlers['compare.pair']({ a, b, split: 'test' });
  expect(report.agreement.n).toBe(known);
  expect(report.classNames).toEqual(['Edema', 'no Edema']);
  const run = await handlers['runs.get']({ id: a });
  expect(report.agreement.accuracyA).toBeCloseTo(run.testAccuracy!, 12);
});

test('a split that leaks is refused; overruled, everything made from it says so', async () => {
  const workbench = await chexpertHome();
  const { handlers, context } = workbench;
  const leaky = 'split: { kind: random, train: 0.5, test: 0.5 }, findings: { names: [Edema] }';
  const { issues } = await handlers['studies.check']({ yaml: chexpertStudy(leaky) });
  expect(issues).toMatchObject([{ line: 2, path: 'data.split' }]);
  expect(issues[0]?.message).toMatch(/\d+ of \d+ test images .* of a group with training images/);
  const study = await runStudy(
    workbench,
    chexpertStudy(leaky.replace('kind: random', 'kind: random, allow-leaks: true')),
  );
  const { warnings, pairs } = study.results!;
  expect(warnings.join()).toContain('leak: ');
  const page = readFileSync(join(context.home.reports, study.id, 'report.html'), 'utf8');
  expect(page.match(/This split leaks; see the top/g)?.length).toBeGreaterThanOrEqual(4);
  const { a, b } = pairs[0]!;
  expect((await handlers['compare.pair']({ a, b, split: 'test' })).warnings).toContain(warnings[0]);
});
