import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import type { Quantity } from '../../contract/figures.ts';
import type { RunSummary } from '../../contract/runs.ts';
import type { StudyDetail } from '../../contract/study.ts';
import type { StudyAnalysis } from '../../contract/study-analyses.ts';
import { decodeSafetensors } from '../../engine/formats/safetensors.ts';
import { getStudyAnalysis, storeStudyAnalysis } from '../../host/studies/analyses/store.ts';
import { isUpToDate } from '../../host/studies/runner.ts';
import { saveStudy } from '../../host/studies/save.ts';
import { storeResults } from '../../host/studies/store.ts';
import type { Workbench } from '../../host/workbench.ts';
import { carryover } from './cli-support.ts';
import { openServer } from './http-support.ts';
import { ended, onlyRandom, runStudy, shapesHome, shapesStudy } from './studies-home.ts';
import type { StudyHome, StudyOptions } from './studies-home.ts';

vi.setConfig({ testTimeout: 300_000 });

const ASKED = 'agreement, optimisation-speed, distance';
const CLAIMED = `claims:
  - claim: Pretrained networks are nearer to each other than random ones are
    quantity: distance.difference.P-T/P-T minus RI-T/RI-T
    below: 1000
    source: Table 2
  - { claim: Nobody measures this, quantity: distance.nothing, above: 0 }
`;

function asking(options: StudyOptions = {}, analyses = ASKED, claims = ''): string {
  return `${shapesStudy({ epochs: 1, ...options })}analyses: [${analyses}]\n${claims}`;
}

/** One arm with one seed. */
const alone = (options: StudyOptions = {}, analyses = ASKED): string =>
  onlyRandom(asking({ seeds: [0], ...options }, analyses));

/** The only analysis of a study. */
function analysisOf({ context }: Workbench, { results }: StudyDetail): StudyAnalysis {
  const [state, ...others] = results?.analyses ?? [];
  expect(others).toEqual([]);
  return getStudyAnalysis(context.db, state?.id ?? '');
}

function quantity({ quantities }: StudyAnalysis, key: string): Quantity {
  const found = quantities.find((each) => each.key === key);
  if (!found) throw new Error(`no ${key} among ${quantities.map((each) => each.key).join()}`);
  return found;
}

/** All weights below the head in one row, by the names of the network. */
function weightsOf({ home }: StudyHome, run: RunSummary, epoch: number): number[] {
  const name = `weights-${String(epoch).padStart(4, '0')}.safetensors`;
  const file = join(home, 'runs', run.id, name);
  const { tensors } = decodeSafetensors(readFileSync(file), file);
  const body = [...tensors].filter(([key]) => !['fc.weight', 'fc.bias'].includes(key));
  return body.sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, { data }]) => Array.from(data));
}

const norm = (values: number[]) => Math.hypot(...values);
const mean = (values: number[]) => values.reduce((sum, each) => sum + each, 0) / values.length;
const between = (a: number[], b: number[]) => norm(a.map((each, at) => each - b[at]!));

/** The distances that the files of the runs give. */
function checkDistances(home: StudyHome, runs: RunSummary[], found: StudyAnalysis): void {
  const ofArm = (arm: string, epoch = 1) =>
    runs.filter((run) => run.arm === arm).map((run) => weightsOf(home, run, epoch));
  const [pretrained, random] = [ofArm('P-T'), ofArm('RI-T')];
  const [own, other] = [pretrained, random].map(([a, b]) => between(a!, b!));
  expect(quantity(found, 'distance.P-T/P-T').value).toBeCloseTo(own!, 6);
  expect(quantity(found, 'distance.RI-T/RI-T').value).toBeCloseTo(other!, 6);
  const mixed = pretrained.flatMap((a) => random.map((b) => between(a, b)));
  expect(quantity(found, 'distance.P-T/RI-T')).toMatchObject({ n: 4 });
  expect(quantity(found, 'distance.P-T/RI-T').value).toBeCloseTo(mean(mixed), 6);
  const difference = quantity(found, 'distance.difference.P-T/P-T minus RI-T/RI-T');
  expect(difference.value).toBeCloseTo(own! - other!, 6);
  const starts = ofArm('P-T', 0);
  const relative = starts.map(
    (start, at) => between(start, pretrained[at]!) / ((norm(start) + norm(pretrained[at]!)) / 2),
  );
  expect(quantity(found, 'distance.relative.P-T/start').value).toBeCloseTo(mean(relative), 6);
}

/** The page, the tables and the numbers beside it hold the analysis and the claims. */
function checkReport({ home }: StudyHome, study: StudyDetail, found: StudyAnalysis): void {
  const read = (name: string) => readFileSync(join(home, 'reports', study.id, name), 'utf8');
  const page = read('report.html');
  expect(page).toContain('id="analysis-distance"');
  expect(page).toContain(found.figures[0]!.title);
  expect(page).toContain(found.id);
  expect(page).toMatch(/<svg[^>]*class="chart/);
  expect(page).toContain('id="scorecard"');
  const [table] = found.tables;
  const lines = (name: string) => read(name).trim().split('\r\n');
  expect(lines('distance-distances.csv')).toHaveLength(1 + table!.rows.length);
  expect(lines('quantities.csv')).toHaveLength(1 + found.quantities.length);
  expect(lines('scorecard.csv')).toHaveLength(3);
  expect(JSON.parse(read('results.json'))).toMatchObject({ analyses: [found] });
}

test('an analysis is computed once, from the runs’ weights, and is in the report', async () => {
  const home = await shapesHome(8);
  const { workbench } = home;
  const left = (name: string) => join(home.home, 'analyses', `${name}.parts`);
  for (const name of ['forgotten', 'stopped']) mkdirSync(left(name));
  utimesSync(left('forgotten'), new Date(), new Date(Date.now() - 31 * 24 * 3600 * 1000));
  const study = await runStudy(workbench, asking({}, ASKED, CLAIMED));
  const found = analysisOf(workbench, study);
  expect([existsSync(left('forgotten')), existsSync(left('stopped'))]).toEqual([false, true]);
  expect(study.results?.analyses).toMatchObject([
    { name: 'distance', id: found.id, failure: null },
  ]);
  const runs = await workbench.handlers['runs.list']({ studyId: study.id });
  const targets = runs.filter(({ kind }) => kind === 'target');
  expect(found.runIds.toSorted()).toEqual(targets.map(({ id }) => id).toSorted());
  checkDistances(home, targets, found);
  checkReport(home, study, found);
  const [near, nothing] = study.results?.claims ?? [];
  const key = 'distance.difference.P-T/P-T minus RI-T/RI-T';
  expect(near).toMatchObject({ below: 1000, measured: quantity(found, key) });
  expect(nothing).toMatchObject({ measured: null, verdict: 'undecided' });

  const matrix = found.figures.find(({ kind }) => kind === 'heatmap');
  expect(matrix).toMatchObject({ rows: ['P-T 0', 'P-T 1', 'RI-T 0', 'RI-T 1'] });
  if (matrix?.kind !== 'heatmap') throw new Error('no matrix');
  expect(matrix.values[1]![0]).toBe(quantity(found, 'distance.P-T/P-T').value);
  expect(matrix.values[2]![3]).toBe(quantity(found, 'distance.RI-T/RI-T').value);

  const drawn = await workbench.handlers['studies.analysis']({ id: found.id });
  expect(drawn).toMatchObject(found);
  expect(drawn.drawn).toHaveLength(found.figures.length);

  const again = await runStudy(workbench, asking({}, ASKED, CLAIMED));
  expect(analysisOf(workbench, again)).toEqual(found);
  const named = await runStudy(workbench, asking({ name: 'the same' }));
  expect(analysisOf(workbench, named)).toEqual(found);

  const fewer = await runStudy(workbench, asking({ name: 'fewer', seeds: [0] }));
  const whole = await runStudy(
    workbench,
    asking({ name: 'whole' }, 'agreement, { distance: { head: included } }'),
  );
  const ids = [found, analysisOf(workbench, fewer), analysisOf(workbench, whole)];
  expect(new Set(ids.map(({ id }) => id)).size).toBe(3);
  expect(quantity(ids[2]!, 'distance.P-T/P-T').value).toBeGreaterThan(
    quantity(found, 'distance.P-T/P-T').value!,
  );
  await checkCommands(home, study, found);
});

/** The same on the command line, where `study run` finds nothing left to do. */
async function checkCommands(
  { home, workbench }: StudyHome,
  study: StudyDetail,
  found: StudyAnalysis,
): Promise<void> {
  const file = join(home, 'shapes.yaml');
  writeFileSync(file, study.yaml);
  await workbench.close();
  const command = (...args: string[]) => carryover('--home', home, 'study', ...args);
  const listed = await command('analyses', file);
  expect(listed.stdout).toMatch(new RegExp(`^distance +done +${found.id}`, 'm'));
  const shown = await command('analyses', study.name, 'distance');
  for (const { key } of found.quantities) expect(shown.stdout).toContain(key);
  expect(shown.stdout).toMatch(/jackknife over 2 seeds/);
  expect(shown.stdout).toContain(`note: ${found.notes[0]}`);
  const json = await command('analyses', study.name, 'distance', '--json');
  expect(JSON.parse(json.stdout)).toEqual({ ...found, leaks: [] });
  const wrong = await command('analyses', study.name, 'cka');
  expect(wrong).toMatchObject({ code: 1, stdout: '' });
  expect(wrong.stderr).toMatch(/has no analysis cka[\s\S]*asks for distance/);
  const ran = await command('run', file);
  expect(ran.code).toBe(0);
  expect(ran.stdout).toMatch(/^undecided +Nobody measures this .*nothing measured/m);
  expect(ran.stdout).toMatch(/^\S.* Pretrained networks are nearer .*interval below 1000/m);
}

test('an analysis that the study has nothing for is told of, and the study is done', async () => {
  const home = await shapesHome(6);
  const { workbench } = home;
  const yaml = alone({ shuffles: [4] });
  const study = await runStudy(workbench, yaml);
  expect(study).toMatchObject({
    status: 'done',
    results: { analyses: [{ name: 'distance', id: null, failure: { code: 'unsupported' } }] },
  });
  expect(await isUpToDate(workbench.context, study.id)).toBe(true);
  const page = readFileSync(join(home.home, 'reports', study.id, 'report.html'), 'utf8');
  expect(page).toContain('Not computed: distance needs runs that are not shuffled');
  await workbench.close();
  const shown = await carryover('--home', home.home, 'study', 'analyses', 'shapes');
  expect(shown.stdout).toMatch(/^distance +failed +- +distance needs runs/m);
});

describe('a study that is done', () => {
  test('is run again for an analysis that it lacks, that is older, or that failed', async () => {
    const { workbench } = await shapesHome(6);
    const { context } = workbench;
    const plain = await runStudy(workbench, alone({}, 'agreement'));
    expect(plain.results?.analyses).toEqual([]);
    expect(await isUpToDate(context, plain.id)).toBe(true);

    const yaml = alone();
    saveStudy(context, yaml, { replace: true });
    expect(await isUpToDate(context, plain.id)).toBe(false);
    const again = async () => {
      expect(await isUpToDate(context, plain.id)).toBe(false);
      const study = await runStudy(workbench, yaml);
      expect(await isUpToDate(context, plain.id)).toBe(true);
      return study;
    };
    const study = await again();
    const found = analysisOf(workbench, study);
    const results = study.results!;

    storeStudyAnalysis(context.db, { ...found, id: 'a0' });
    const older = [{ name: 'distance' as const, id: 'a0', failure: null }];
    storeResults(context.db, plain.id, { ...results, analyses: older });
    expect((await again()).results).toEqual(results);

    const failure = { code: 'unsupported' as const, message: 'there was nothing to measure' };
    const failed = [{ name: 'distance' as const, id: null, failure }];
    storeResults(context.db, plain.id, { ...results, analyses: failed });
    expect((await again()).results).toEqual(results);

    context.db.prepare('DELETE FROM study_analyses WHERE id = ?').run(found.id);
    const { createdAt, seconds, ...rest } = analysisOf(workbench, await again());
    expect(found).toMatchObject(rest);
    expect(createdAt > found.createdAt && seconds > 0).toBe(true);
  });
});

/** Processes that measure for an analysis, of those that this one started. */
function measuring(): number[] {
  const listed = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8');
  return listed.trim().split(' ').map(Number).filter(isMeasuring);
}

function isMeasuring(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('analyses/main.ts');
  } catch {
    return false;
  }
}

/** Waits for the process of an analysis and holds it, so that it cannot end by itself. */
async function held(): Promise<number> {
  for (;;) {
    const [pid] = measuring();
    if (pid !== undefined) {
      process.kill(pid, 'SIGSTOP');
      return pid;
    }
    await wait(2);
  }
}

test('a cancel or a pause ends the process of an analysis; started again it finishes', async () => {
  const { workbench } = await shapesHome(6);
  const { handlers } = workbench;
  const { id } = await handlers['studies.create']({ yaml: alone() });
  for (const [ends, status] of [
    ['studies.cancel', 'cancelled'],
    ['studies.pause', 'paused'],
  ] as const) {
    await handlers['studies.start']({ id });
    const pid = await held();
    expect(await handlers[ends]({ id })).toMatchObject({ status, runsDone: 1, results: null });
    expect(isMeasuring(pid)).toBe(false);
  }
  await ended(workbench, await handlers['studies.start']({ id }));
  const study = await handlers['studies.get']({ id });
  expect(study.status).toBe('done');
  const found = analysisOf(workbench, study);
  const { analyses } = workbench.context.home;
  expect(readdirSync(analyses)).toEqual([found.id]);
  expect(readdirSync(join(analyses, found.id))).toEqual([]);
});

const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==',
  'base64',
);

test('pictures and figures of an analysis are served, and nothing else is', async () => {
  const { ask, context } = await openServer();
  const { db, home } = context;
  const id = 'a0123456789abcdef';
  const folder = join(home.analyses, id);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'filter 1.png'), PIXEL);
  writeFileSync(join(folder, 'notes.txt'), 'no picture');
  writeFileSync(join(home.analyses, 'secret.png'), PIXEL);
  const shown = { id: 'seen', title: 'Seen', caption: 'by hand' };
  storeStudyAnalysis(db, {
    ...{ id, name: 'distance', title: 'Distance', options: {}, runIds: [], quantities: [] },
    ...{ tables: [], notes: [], createdAt: '2026-01-01T00:00:00.000Z', seconds: 1 },
    figures: [
      {
        ...{ kind: 'scatter', id: 'dots', title: 'Dots <b>', caption: '' },
        ...{ x: { title: 'x' }, y: { title: 'y' } },
        series: [{ name: 's', colour: 0, points: [{ x: 0, y: 1, link: '#/compare?a=1&b=2' }] }],
      },
      {
        ...{ kind: 'pictures', ...shown },
        groups: [{ title: 'g', pictures: [{ file: 'filter 1.png', lines: [] }] }],
      },
    ],
  });
  const at = (file: string, of = id) => ask(`/media/analyses/${of}/${file}`);
  const picture = await at('filter%201.png');
  expect(picture).toMatchObject({ status: 200, headers: { 'content-type': 'image/png' } });
  expect(picture.data.equals(PIXEL)).toBe(true);
  const figure = await at('dots.svg');
  expect(figure).toMatchObject({ status: 200, headers: { 'content-type': 'image/svg+xml' } });
  expect(figure.text).toMatch(/^<svg[^>]*><style>/);
  expect(figure.text).not.toContain('#/compare');
  expect(figure.text).not.toContain('<b>');
  const refused = ['../secret.png', '..%2Fsecret.png', '%2e%2e%2fsecret.png', 'notes.txt'];
  for (const file of [...refused, 'none.png', 'none.svg', 'seen.svg']) {
    expect((await at(file)).status, file).toBe(404);
  }
  expect((await at('filter%201.png', 'a0000000000000000')).status).toBe(404);
  expect((await at('secret.png', '..')).status).toBe(404);
  expect(existsSync(join(home.analyses, 'secret.png'))).toBe(true);
});
