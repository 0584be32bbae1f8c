import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import type { HostEvent } from '../../contract/api.ts';
import { CELLS } from '../../contract/agreement.ts';
import type { RunSummary } from '../../contract/runs.ts';
import type { StudyDetail } from '../../contract/study.ts';
import { onlyRandom, runStudy, shapesHome, shapesStudy } from './studies-home.ts';
import type { StudyHome } from './studies-home.ts';

vi.setConfig({ testTimeout: 300_000 });

function reportOf({ home }: StudyHome, { id }: StudyDetail, name: string): string {
  return readFileSync(join(home, 'reports', id, name), 'utf8');
}

test('a study trains, compares and reports; running it again trains nothing', async () => {
  const home = await shapesHome();
  const { workbench } = home;
  const { handlers, context } = workbench;
  const events: HostEvent[] = [];
  context.events.subscribe((event) => events.push(event));
  const yaml = `${shapesStudy({ shuffles: ['none', 4] })}analyses: [agreement, optimisation-speed]\n`;
  const study = await runStudy(workbench, yaml);

  expect(study).toMatchObject({
    status: 'done',
    runs: 9,
    runsDone: 9,
    reportUrl: `/reports/${study.id}`,
  });
  expect(study.plan.runs.every(({ done }) => done)).toBe(true);
  expect(study.plan.groupedBy).toMatch(/0 in both$/);
  expect(study.results?.arms).toHaveLength(4);
  expect(study.results?.pairs).toHaveLength(12);

  const runs = await handlers['runs.list']({ studyId: study.id });
  await checkCurves(home, runs);
  await checkPairs(home, study, runs);

  expect(events.filter(({ type }) => type === 'epoch')).toHaveLength(9 * 3);
  const statuses = events.flatMap((event) => (event.type === 'study' ? [event.study.status] : []));
  expect(statuses).toEqual(['running', 'done']);
  checkReport(
    home,
    study,
    runs.map(({ id }) => id),
  );

  const begun = async () =>
    Promise.all(runs.map(async ({ id }) => (await handlers['runs.get']({ id })).startedAt));
  const before = await begun();
  const again = await runStudy(workbench, yaml);
  expect(await begun()).toEqual(before);
  expect(again.results).toEqual(study.results);
});

/** What lists say of a run is what its learning curve says. */
async function checkCurves({ workbench }: StudyHome, runs: RunSummary[]): Promise<void> {
  for (const run of runs.filter(({ kind }) => kind === 'target')) {
    const { curve } = await workbench.handlers['runs.get']({ id: run.id });
    expect(curve.map(({ epoch }) => epoch)).toEqual([0, 1, 2]);
    expect(run.testAccuracy).toBe(curve[2]?.testAccuracy);
    const [first, second] = [curve[1]?.trainAccuracy ?? NaN, curve[2]?.trainAccuracy ?? NaN];
    expect(run.optimisationSpeed).toBeCloseTo((first + second) / 2, 12);
  }
}

/** The accuracies that the trainer measured are those of the logits it stored. */
async function checkPairs(
  { workbench }: StudyHome,
  study: StudyDetail,
  runs: RunSummary[],
): Promise<void> {
  const targets = runs.filter(({ kind }) => kind === 'target');
  const [a, b] = [targets[0]!, targets.at(-1)!];
  const compare = workbench.handlers['compare.pair'];
  const pair = await compare({ a: a.id, b: targets[1]!.id, split: 'test' });
  expect(pair.agreement.accuracyA).toBeCloseTo(a.testAccuracy ?? NaN, 12);
  expect(pair.agreement.n).toBe(study.plan.testImages);
  expect(pair.perClass.reduce((sum, row) => sum + row.n, 0)).toBe(pair.agreement.n);
  expect(pair.bootstrapUnit).toBe('group');
  const train = await compare({ a: a.id, b: b.id, split: 'train' });
  expect(train.agreement.accuracyA).toBeCloseTo(a.trainAccuracy ?? NaN, 12);
  expect(train.warnings.join()).toContain('different pixels');
}

/** The page needs nothing from outside and names all that rebuilds it. */
function checkReport(home: StudyHome, study: StudyDetail, runIds: string[]): void {
  const page = reportOf(home, study, 'report.html');
  expect(page).not.toMatch(/(src|href)="(?!data:|#)/);
  expect(page).not.toContain('<script');
  for (const id of [...runIds, study.name]) expect(page).toContain(id);
  expect(page.match(/<img src="data:image\/webp/g)?.length).toBe(2 * study.plan.testImages);
  expect(page).toContain('CC0-1.0');
  for (const arm of study.results?.arms ?? []) {
    expect(page).toContain(`${(100 * arm.accuracy.mean).toFixed(1)} %`);
  }
  const numbers = JSON.parse(reportOf(home, study, 'results.json')) as { results: unknown };
  expect(numbers.results).toEqual(study.results);
  expect(reportOf(home, study, 'runs.csv').trim().split('\r\n')).toHaveLength(1 + runIds.length);
  expect(reportOf(home, study, 'epochs.csv').trim().split('\r\n')).toHaveLength(1 + 9 * 3);
  expect(reportOf(home, study, 'pairs.csv').trim().split('\r\n')).toHaveLength(1 + 12);
}

test('the images of a pair: cells add up, filters and sorting hold, confidences are shares', async () => {
  const { workbench } = await shapesHome();
  const { handlers } = workbench;
  const study = await runStudy(workbench, shapesStudy({ seeds: [0] }));
  const [, a, b] = study.plan.runs.map(({ id }) => id);
  const query = { a: a!, b: b!, split: 'test', offset: 0, limit: 1000 } as const;
  const all = await handlers['compare.images']({ ...query, sort: 'path' });
  expect(all.total).toBe(study.plan.testImages);
  const paths = all.images.map(({ path }) => path);
  expect(paths).toEqual(paths.toSorted());

  const { agreement } = await handlers['compare.pair']({ a: a!, b: b!, split: 'test' });
  for (const cell of CELLS) {
    const { total, images } = await handlers['compare.images']({
      ...query,
      cell,
      sort: 'confidence-a',
    });
    expect(total).toBe(agreement[cell]);
    const sure = images.map((image) => image.a.confidence);
    expect(sure).toEqual(sure.toSorted((x, y) => y - x));
  }
  for (const image of all.images) {
    expect(image.a.confidence).toBeGreaterThanOrEqual(image.a.truthConfidence);
    expect(image.a.confidence).toBeLessThanOrEqual(1);
    if (image.a.label === image.truth) expect(image.a.confidence).toBe(image.a.truthConfidence);
  }
  const discs = await handlers['compare.images']({ ...query, label: 'disc', sort: 'difference' });
  expect(new Set(discs.images.map(({ truth }) => truth))).toEqual(new Set(['disc']));
  const page = await handlers['compare.images']({ ...query, sort: 'path', offset: 2, limit: 3 });
  expect(page.images).toEqual(all.images.slice(2, 5));
});

test('studies share runs: one more seed trains only what is new', async () => {
  const { workbench } = await shapesHome();
  const { handlers } = workbench;
  const small = await runStudy(workbench, shapesStudy({ seeds: [0] }));
  const begun = new Map<string, string | null>();
  for (const { id } of small.plan.runs)
    begun.set(id, (await handlers['runs.get']({ id })).startedAt);
  const large = await runStudy(workbench, shapesStudy({ name: 'more', seeds: [0, 1] }));
  expect(large.runs).toBe(5);
  for (const [id, startedAt] of begun) {
    const run = await handlers['runs.get']({ id });
    expect(run.startedAt).toBe(startedAt);
    expect(run.studies.map(({ name }) => name)).toEqual(['more', 'shapes']);
  }
  await handlers['studies.remove']({ id: small.id });
  expect((await handlers['studies.get']({ id: large.id })).runsDone).toBe(5);
});

test('a start from an earlier epoch trains a finished pretraining anew, to the same weights', async () => {
  const home = await shapesHome();
  const { handlers } = home.workbench;
  const first = await runStudy(home.workbench, shapesStudy({ seeds: [0] }));
  const [parent] = first.plan.runs;
  const weights = (await handlers['runs.get']({ id: parent!.id })).weightsHash;
  const early = shapesStudy({ name: 'early', seeds: [0] }).replace('thin@last', 'thin@1');
  const second = await runStudy(home.workbench, early);
  expect(second.plan.runs[0]).toEqual(parent);
  expect((await handlers['runs.get']({ id: parent!.id })).weightsHash).toBe(weights);
  const kept = ['weights-0001.safetensors', 'weights-0002.safetensors'];
  for (const name of kept) expect(existsSync(join(home.home, 'runs', parent!.id, name))).toBe(true);
});

test('a finished run whose files are gone is trained again', async () => {
  const home = await shapesHome();
  const yaml = shapesStudy({ seeds: [0] });
  const study = await runStudy(home.workbench, yaml);
  const run = study.plan.runs.at(-1)!.id;
  const logits = join(home.home, 'runs', run, 'logits-test.f32');
  rmSync(logits);
  const again = await runStudy(home.workbench, yaml);
  expect(statSync(logits).size).toBe(4 * 3 * study.plan.testImages);
  expect(again.results).toEqual(study.results);
});

test('stored logits that are not finite are no classes', async () => {
  const { home, workbench } = await shapesHome(6);
  const study = await runStudy(workbench, shapesStudy({ seeds: [0], epochs: 1 }));
  const [a, b] = study.plan.runs.filter(({ kind }) => kind === 'target').map(({ id }) => id);
  const file = join(home, 'runs', a!, 'logits-train.f32');
  const logits = readFileSync(file);
  logits.writeFloatLE(NaN, 4 * 4);
  writeFileSync(file, logits);
  const pair = workbench.handlers['compare.pair']({ a: a!, b: b!, split: 'train' });
  await expect(pair).rejects.toMatchObject({
    code: 'bad-input',
    message: expect.stringMatching(/logits-train\.f32: a logit of image \d+ is NaN/),
    detail: { file, images: [expect.any(Number)] },
  });
});

test('storing a study: same text again, another text of that name, a wrong key', async () => {
  const { workbench } = await shapesHome();
  const { handlers } = workbench;
  const yaml = shapesStudy();
  const { id, plan } = await handlers['studies.create']({ yaml });
  expect(plan.runs.map(({ done }) => done)).not.toContain(true);
  expect((await handlers['studies.create']({ yaml })).id).toBe(id);
  const other = shapesStudy({ epochs: 3 });
  await expect(handlers['studies.create']({ yaml: other })).rejects.toMatchObject({
    code: 'conflict',
  });
  const wrong = yaml.replace('batch: 8', 'bach: 8');
  await expect(handlers['studies.create']({ yaml: wrong })).rejects.toMatchObject({
    code: 'bad-input',
    detail: { line: 11, wayOut: expect.stringContaining('batch') as string },
  });
  const checked = await handlers['studies.check']({
    yaml: yaml.replace('domain: thick', 'domain: thik'),
  });
  expect(checked).toMatchObject({
    plan: null,
    issues: [{ line: 4, path: 'data.domain', suggestion: 'thick' }],
  });
  await handlers['studies.remove']({ id });
  expect(await handlers['runs.list']({})).toEqual([]);
});

test('a shuffle that moves nothing is none, for whoever compares its runs', async () => {
  const { workbench } = await shapesHome();
  const { handlers } = workbench;
  // Blocks of 8 px in 16 px with seed 0: RandomState(1234).permutation(4) is 0, 1, 2, 3.
  const describe = handlers['shuffles.describe'];
  expect(await describe({ size: 16, shuffle: 8, seed: 0 })).toEqual({ identity: true });
  expect(await describe({ size: 16, shuffle: 8, seed: 1 })).toEqual({ identity: false });
  const yaml = onlyRandom(shapesStudy({ epochs: 1, shuffles: ['none', 8] }));
  const { plan } = await runStudy(workbench, yaml);
  const run = (shuffle: string, seed: number): string =>
    plan.runs.find((each) => each.shuffle === shuffle && each.seed === seed)!.id;
  const warnings = async (a: string, b: string): Promise<string[]> =>
    (await handlers['compare.pair']({ a, b, split: 'test' })).warnings;
  const still = 'shuffle 8 with seed 0 moves nothing: it is no shuffle';
  const same = await warnings(run('none', 0), run('8', 0));
  expect(same).toContain(still);
  expect(same.join()).not.toContain('different pixels');
  const apart = await warnings(run('8', 0), run('8', 1));
  expect(apart).toContain(still);
  expect(apart).toContain('they saw different pixels: shuffle none and shuffle 8');
});

test('comparing what cannot be compared says why', async () => {
  const { workbench } = await shapesHome();
  const { handlers } = workbench;
  const study = await runStudy(workbench, shapesStudy({ seeds: [0] }));
  const [parent, a] = study.plan.runs.map(({ id }) => id);
  const far = shapesStudy({ name: 'far', seeds: [0] }).replace('domain: thick', 'domain: thin');
  const other = (await runStudy(workbench, far)).plan.runs.at(-1)!.id;
  const pair = (x: string, y: string) => handlers['compare.pair']({ a: x, b: y, split: 'test' });
  await expect(pair(a!, other)).rejects.toThrow('no test image in common');
  await expect(pair(a!, parent!)).rejects.toThrow('has no test images');
  await expect(pair(a!, 'r0')).rejects.toMatchObject({ code: 'not-found' });
  await handlers['studies.create']({ yaml: shapesStudy({ name: 'planned', seeds: [5] }) });
  const planned = (await handlers['runs.list']({})).find(({ status }) => status === 'planned')!;
  await expect(pair(a!, planned.id)).rejects.toMatchObject({ code: 'conflict' });
});
