import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Figure } from '../../contract/figures.ts';
import type { RunDetail } from '../../contract/runs.ts';
import type { LearntFrom } from '../../contract/source.ts';
import type { StudyAnalysis } from '../../contract/study-analyses.ts';
import { readLearnt } from '../../host/trainer/learnt.ts';
import { runStudy, shapesHome, shapesStudy } from './studies-home.ts';
import { deadMarks } from './studies-marks.ts';

const WAYS = ['importance-weights', 'pseudo-labels', 'coral', 'adabn'];
const YAML = `${shapesStudy()
  .replace('name: fixup-resnet10, width: 4', 'name: convnet, width: 8')
  .replace(/^ {2}RI-T:.*\n/m, '')}analyses:
  - kinds-of-transfer: { kinds: [coral], trained: [${WAYS.join(', ')}] }
  - barrier: { points: 3, images: 16, batch-norm: recalibrated }
`;

/** What the notes of a run must hold of how its images count. */
function said({ way, effectiveSources, pseudoLabelled }: LearntFrom, images: number): string {
  if (pseudoLabelled) {
    const { given, right } = pseudoLabelled;
    return `${given} of ${images} target images were given a label, ${right} of them right`;
  }
  if (way !== 'importance-weights') return '';
  return `source images weigh like ${Math.round(effectiveSources)}`;
}

/** Their marks lead somewhere; BatchNorm's statistics are as asked for. */
function checkFigures(kinds: StudyAnalysis, barrier: StudyAnalysis): void {
  for (const { name, figures } of [kinds, barrier]) expect(deadMarks(figures), name).toEqual([]);
  expect(barrier.figures[0]!.caption).toContain('BatchNorm: running statistics recalibrated');
}

test('arms trained on source images are compared with their controls, seed by seed', async () => {
  const { home, workbench } = await shapesHome(10);
  const study = await runStudy(workbench, YAML);
  const states = study.results!.analyses;
  expect(states.map(({ failure }) => failure)).toEqual([null, null]);
  const [found, barrier] = await Promise.all(
    states.map(({ id }) => workbench.handlers['studies.analysis']({ id: id! })),
  );
  checkFigures(found!, barrier!);
  const all = study.plan.runs.filter(({ kind }) => kind === 'target');
  const details = new Map<string, RunDetail>();
  for (const { id } of all) details.set(id, await workbench.handlers['runs.get']({ id }));
  const accuracies = (arm: string): number[] =>
    all.filter((run) => run.arm === arm).map(({ id }) => details.get(id)!.testAccuracy!);
  const mean = (values: number[]) => values.reduce((sum, each) => sum + each, 0) / values.length;
  const value = (key: string) =>
    found!.quantities.find((each) => each.key === `kinds-of-transfer.trained.${key}`);

  const controls = { 'importance-weights': 'joint' } as Record<string, string>;
  for (const way of WAYS) {
    const control = controls[way] ?? 'source-only';
    const [own, other, base] = [`P-T ${way}`, `P-T ${control}`, 'P-T'].map(accuracies);
    expect(own).toHaveLength(2);
    expect(value(way)).toMatchObject({ n: 2, method: 't over 2 seeds' });
    expect(value(way)?.value).toBeCloseTo(mean(own!), 10);
    const less = (others: number[]) => mean(own!.map((each, at) => each - others[at]!));
    expect(value(`${way} minus ${control}`)?.value).toBeCloseTo(less(other!), 10);
    expect(value(`${way} minus P-T`)?.value).toBeCloseTo(less(base!), 10);
  }

  const { trainImages } = study.plan;
  for (const { id, arm } of all) {
    const run = details.get(id)!;
    const learnt = await readLearnt(join(home, 'runs', id));
    expect(run.trainImages).toBe(trainImages);
    if (arm === 'P-T') {
      expect(learnt).toBeNull();
      continue;
    }
    expect(run.notes.join()).toContain(`learns from ${learnt!.sources} source images`);
    expect(run.notes.join()).toContain(said(learnt!, trainImages));
  }

  const table = found!.tables.find(({ id }) => id === 'trained')!;
  expect(table.rows).toHaveLength(12);
  expect(table.links?.every((link) => link?.includes(`#/studies/${study.id}?run=`))).toBe(true);
  const isBars = (figure: Figure) => figure.id === 'trained' && figure.kind === 'bars';
  const bars = found!.figures.find(isBars);
  if (bars?.kind !== 'bars') throw new Error('no figure');
  expect(bars.groups.map(({ label }) => label)).toEqual([
    ...['P-T', 'joint', 'importance-weights', 'source-only', 'pseudo-labels', 'coral', 'adabn'],
  ]);
  const report = readFileSync(join(home, 'reports', study.id, 'report.html'), 'utf8');
  expect(report).toContain('Trained on the source&#39;s images too');
}, 600_000);

test('an arm of the study itself may learn from source images, from a random start', async () => {
  const { workbench } = await shapesHome(6);
  const yaml = shapesStudy({ seeds: [0], epochs: 1 }).replace(
    'RI-T: { init: random }',
    'RI-T: { init: random }\n  both: { init: random, source: { images: thin, way: tradaboost, most: 12 } }',
  );
  const study = await runStudy(workbench, yaml);
  const run = study.plan.runs.find(({ arm }) => arm === 'both')!;
  const { notes, testAccuracy } = await workbench.handlers['runs.get']({ id: run.id });
  expect(testAccuracy).not.toBeNull();
  expect(notes.join()).toMatch(/12 source images weigh like \d+/);
  expect(study.results?.arms.map(({ arm }) => arm)).toEqual(['P-T', 'RI-T', 'both']);
}, 300_000);
