import Database from 'better-sqlite3';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import type { HostEvent } from '../../contract/api.ts';
import { startChild } from '../../host/studies/child.ts';
import type { TrainerMessage } from '../../host/trainer/protocol.ts';
import type { Workbench } from '../../host/workbench.ts';
import { endOf, startCarryover } from './cli-support.ts';
import { put, temporaryFolder } from './datasets-folder.ts';
import { ended, openHome, runStudy, shapesHome, shapesStudy } from './studies-home.ts';

vi.setConfig({ testTimeout: 300_000 });

/** Long enough to be stopped under way. */
const LONG = shapesStudy({ epochs: 40, seeds: [0] });

/** Resolves at the first event that fits. */
function until({ context }: Workbench, fits: (event: HostEvent) => boolean): Promise<HostEvent> {
  return new Promise((resolve) => {
    const unsubscribe = context.events.subscribe((event) => {
      if (!fits(event)) return;
      unsubscribe();
      resolve(event);
    });
  });
}

/** A target run is past its third epoch. */
function underWay(event: HostEvent): boolean {
  return event.type === 'epoch' && event.metrics.epoch === 3;
}

/** Processes that this one started and that run the trainer. */
function trainers(parent = process.pid): number[] {
  const listed = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8');
  return listed
    .trim()
    .split(' ')
    .filter((pid) => pid !== '' && commandOf(Number(pid)).includes('trainer/main.ts'))
    .map(Number);
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

async function weightsOf({ handlers }: Workbench): Promise<Record<string, string | null>> {
  const runs = await handlers['runs.list']({});
  const details = await Promise.all(runs.map(({ id }) => handlers['runs.get']({ id })));
  return Object.fromEntries(details.map(({ id, weightsHash }) => [id, weightsHash]));
}

let found: Promise<Record<string, string | null>> | undefined;

/** Weights of the long study when nothing happens to it. */
function undisturbed(): Promise<Record<string, string | null>> {
  found ??= shapesHome().then(async ({ workbench }) => {
    await runStudy(workbench, LONG);
    return weightsOf(workbench);
  });
  return found;
}

describe('a study that is stopped', () => {
  test('pauses, is killed, is cancelled, and ends in the same weights as an undisturbed one', async () => {
    const { workbench } = await shapesHome();
    const { handlers, context } = workbench;
    const { id } = await handlers['studies.create']({ yaml: LONG });

    const paused = until(workbench, underWay);
    await handlers['studies.start']({ id });
    await paused;
    await expect(handlers['studies.start']({ id })).rejects.toMatchObject({ code: 'conflict' });
    expect(await handlers['studies.pause']({ id })).toMatchObject({ status: 'paused' });
    expect(trainers()).toEqual([]);
    const statuses = (await handlers['runs.list']({})).map(({ status }) => status);
    expect(statuses).toContain('paused');
    await expect(handlers['studies.pause']({ id })).rejects.toMatchObject({ code: 'conflict' });

    const killed = until(workbench, (event) => event.type === 'run');
    const job = await handlers['studies.resume']({ id });
    await killed;
    for (const pid of trainers()) process.kill(pid, 'SIGKILL');
    const failed = await context.jobs.wait(job.id);
    expect(failed).toMatchObject({ status: 'failed' });
    expect(failed.failure?.message).toContain('killed by SIGKILL');
    expect(await handlers['studies.get']({ id })).toMatchObject({ status: 'failed' });

    const cancelled = until(workbench, (event) => event.type === 'run');
    await handlers['studies.resume']({ id });
    await cancelled;
    expect(await handlers['studies.cancel']({ id })).toMatchObject({ status: 'cancelled' });
    expect(trainers()).toEqual([]);

    await ended(workbench, await handlers['studies.resume']({ id }));
    expect(await handlers['studies.get']({ id })).toMatchObject({ status: 'done', runsDone: 3 });
    expect(await weightsOf(workbench)).toEqual(await undisturbed());
  });

  test('by the end of the workbench is interrupted and goes on when it is open again', async () => {
    const { home, workbench } = await shapesHome();
    const { id } = await workbench.handlers['studies.create']({ yaml: LONG });
    const running = until(workbench, underWay);
    await workbench.handlers['studies.start']({ id });
    await running;
    await workbench.close();
    expect(trainers()).toEqual([]);
    const again = openHome(home);
    expect(await again.handlers['studies.get']({ id })).toMatchObject({ status: 'interrupted' });
    await ended(again, await again.handlers['studies.resume']({ id }));
    expect(await again.handlers['studies.get']({ id })).toMatchObject({ status: 'done' });
  });

  test('by kill -9 of the host goes on from the journal to the same weights', async () => {
    const { home, workbench } = await shapesHome();
    await workbench.close();
    const file = put(home, '../study.yaml', LONG);
    const host = startCarryover('--home', home, 'study', 'run', file);
    const dead = endOf(host);
    await epochStored(home);
    const [trainer] = trainers(host.pid);
    host.kill('SIGKILL');
    expect(await dead).toMatchObject({ signal: 'SIGKILL' });
    while (trainer !== undefined && commandOf(trainer) !== '') await wait(20);

    const status = await endOf(startCarryover('--home', home, 'study', 'status', '--json'));
    expect(JSON.parse(status.stdout)).toMatchObject([{ status: 'interrupted' }]);
    const resumed = await endOf(startCarryover('--home', home, 'study', 'run', file, '--json'));
    expect(JSON.parse(resumed.stdout)).toMatchObject({ status: 'done' });
    expect(await weightsOf(openHome(home))).toEqual(await undisturbed());
  });

  test('by Ctrl-C pauses and says so', async () => {
    const { home, workbench } = await shapesHome();
    await workbench.close();
    const file = put(home, '../study.yaml', LONG);
    const host = startCarryover('--home', home, 'study', 'run', file);
    const end = endOf(host);
    await epochStored(home);
    host.kill('SIGINT');
    const { code, stdout } = await end;
    expect(code).toBe(130);
    expect(stdout).toContain('is paused');
    const again = openHome(home);
    expect(await again.handlers['studies.list']({})).toMatchObject([{ status: 'paused' }]);
  });
});

/** Waits until a target run has three epochs in the database of a home that another process writes. */
async function epochStored(home: string): Promise<void> {
  const db = new Database(join(home, 'carryover.db'), { readonly: true });
  const count = db
    .prepare<[], number>(
      `SELECT count(*) FROM epochs JOIN runs ON runs.id = run_id WHERE kind = 'target' AND epoch = 3`,
    )
    .pluck();
  try {
    while (count.get() === 0) await wait(20);
  } finally {
    db.close();
  }
}

test('images that are gone or changed stop the study by name; put back, it goes on', async () => {
  const { pictures, workbench } = await shapesHome();
  const { handlers, context } = workbench;
  const { id } = await handlers['studies.create']({ yaml: shapesStudy({ seeds: [0] }) });
  const picture = join(pictures, 'thin', 'disc', '3.png');
  renameSync(picture, `${picture}.away`);
  const failed = await context.jobs.wait((await handlers['studies.start']({ id })).id);
  expect(failed.failure?.message).toContain('3.png');

  writeFileSync(picture, readFileSync(join(pictures, 'thin', 'disc', '4.png')));
  const changed = await context.jobs.wait((await handlers['studies.start']({ id })).id);
  expect(changed.failure?.message).toContain('3.png');
  const [run] = await handlers['runs.list']({ studyId: id });
  expect(run).toMatchObject({ status: 'failed', epochsDone: 0 });
  expect((await handlers['runs.get']({ id: run!.id })).failure?.message).toContain('3.png');

  renameSync(`${picture}.away`, picture);
  await ended(workbench, await handlers['studies.start']({ id }));
});

test('a run whose only step makes it diverge fails, naming the images; nothing of it is a result', async () => {
  const { home, workbench } = await shapesHome(6);
  const { handlers, context } = workbench;
  const yaml = shapesStudy({ epochs: 1, seeds: [0] }).replace(
    'batch: 8, lr: { peak: 0.02 }',
    'batch: 64, lr: { peak: 1e38 }',
  );
  const { id } = await handlers['studies.create']({ yaml });
  const job = await context.jobs.wait((await handlers['studies.start']({ id })).id);
  expect(job).toMatchObject({ status: 'failed', failure: { code: 'bad-input' } });
  expect(job.failure?.message).toContain(
    'after epoch 1, step 1, at learning rate 1e+38, on images',
  );
  const [run] = await handlers['runs.list']({ studyId: id });
  const stored = await handlers['runs.get']({ id: run!.id });
  expect(stored).toMatchObject({ status: 'failed', testAccuracy: null, weightsHash: null });
  expect(stored.failure?.detail?.images?.length).toBeGreaterThan(8);
  expect(stored.curve.map(({ epoch }) => epoch)).toEqual([0]);
  expect(existsSync(join(home, 'runs', run!.id, 'logits-train.f32'))).toBe(false);
  expect(await handlers['studies.get']({ id })).toMatchObject({ status: 'failed', results: null });
});

describe('a child process', () => {
  const program = (text: string) => put(temporaryFolder(), 'program.mjs', text);
  const start = (text: string, hear: (message: { type: string }) => void = () => undefined) =>
    startChild<TrainerMessage, object>(program(text), 'job.json', hear);

  test('that dies leaves its exit code and its last lines', async () => {
    const child = start('console.error("first\\nsecond"); process.exitCode = 3');
    await expect(child.ended).rejects.toThrow(/ended with 3; its last words:\nfirst\nsecond/);
  });

  test('that says it failed is quoted', async () => {
    const failure = { code: 'disk-full', message: 'no room', detail: { file: 'x' } };
    const child = start(
      `process.send({ type: 'failed', failure: ${JSON.stringify(failure)} }); process.disconnect()`,
    );
    await expect(child.ended).rejects.toMatchObject(failure);
  });

  test('is ended when its reports cannot be stored', async () => {
    const child = start(`setInterval(() => process.send({ type: 'note', text: '' }), 5)`, () => {
      throw new Error('the disk is full');
    });
    await expect(child.ended).rejects.toThrow('the disk is full');
  });

  test('that does not listen is ended by force', async () => {
    const child = start('setInterval(() => undefined, 1000)');
    child.kill();
    expect(await child.ended).toBeNull();
  });
});
