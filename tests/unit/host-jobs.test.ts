import Database from 'better-sqlite3';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { CarryoverError } from '../../contract/errors.ts';
import type { Job, Progress } from '../../contract/jobs.ts';
import { applyMigrations, readMigrations } from '../../host/db/migrate.ts';
import { MIGRATIONS_FOLDER } from '../../host/db/open.ts';
import { createEventBus } from '../../host/events.ts';
import { createJobRunner } from '../../host/jobs/runner.ts';
import { jobTable } from '../../host/jobs/table.ts';

const IMPORT = { kind: 'import', title: 'Import Pets', subject: '/pets' } as const;

function prepared() {
  const db = new Database(':memory:');
  onTestFinished(() => void db.close());
  applyMigrations(db, readMigrations(MIGRATIONS_FOLDER));
  const events = createEventBus();
  const sent: Job[] = [];
  events.subscribe((event) => {
    if (event.type === 'job') sent.push(event.job);
  });
  const table = jobTable(db);
  return { db, events, table, sent, jobs: createJobRunner(table, events, 'carryover.db') };
}

function at(done: number, total = 100): Progress {
  return { phase: 'reading', done, total, unit: 'files', rate: null, secondsLeft: null };
}

async function untilAborted(signal: AbortSignal, onStart: () => void): Promise<never> {
  onStart();
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
  throw signal.reason;
}

describe('a job', () => {
  test('has a row from the start, and its result when it is done', async () => {
    const { jobs, table, sent } = prepared();
    const job = jobs.start(IMPORT, async () => 'the-result');
    expect(job).toMatchObject({ ...IMPORT, status: 'running', result: null, finishedAt: null });
    expect(table.get(job.id)).toEqual(job);
    const done = await jobs.wait(job.id);
    expect(done).toMatchObject({ id: job.id, status: 'done', result: 'the-result' });
    expect(done.finishedAt).not.toBeNull();
    expect(jobs.get(job.id)).toEqual(done);
    expect(table.get(job.id)).toEqual(done);
    expect(await jobs.wait(job.id)).toEqual(done);
    expect(sent.map(({ status }) => status)).toEqual(['running', 'done']);
  });

  test('that throws is failed, with the failure as data', async () => {
    const { jobs, table } = prepared();
    const failure = new CarryoverError('bad-input', 'no', { wayOut: 'yes' });
    const { id } = jobs.start(IMPORT, () => Promise.reject(failure));
    expect(await jobs.wait(id)).toMatchObject({ status: 'failed', failure: failure.toFailure() });
    expect(table.get(id)?.failure).toEqual(failure.toFailure());
  });

  test('that meets a full database fails with disk-full', async () => {
    const { jobs } = prepared();
    const full = new Database.SqliteError('database or disk is full', 'SQLITE_FULL');
    const { id } = jobs.start(IMPORT, () => Promise.reject(full));
    expect((await jobs.wait(id)).failure).toMatchObject({ code: 'disk-full' });
  });

  test('is cancelled through its signal; cancelling an ended one changes nothing', async () => {
    const { jobs } = prepared();
    const started = Promise.withResolvers<void>();
    const { id } = jobs.start(IMPORT, ({ signal }) => untilAborted(signal, started.resolve));
    await started.promise;
    expect(jobs.cancel(id).status).toBe('running');
    const ended = await jobs.wait(id);
    expect(ended).toMatchObject({ status: 'cancelled', failure: null, result: null });
    expect(jobs.cancel(id)).toEqual(ended);
  });

  test('cancelled at once never starts', async () => {
    const { jobs } = prepared();
    let ran = false;
    const { id } = jobs.start(IMPORT, async () => {
      ran = true;
      return null;
    });
    jobs.cancel(id);
    expect((await jobs.wait(id)).status).toBe('cancelled');
    expect(ran).toBe(false);
  });

  test('unknown ids are not found', async () => {
    const { jobs } = prepared();
    expect(() => jobs.get('x')).toThrow('there is no job x');
    expect(() => jobs.cancel('x')).toThrow('there is no job x');
    await expect(jobs.wait('x')).rejects.toMatchObject({ code: 'not-found' });
  });

  test('newest come first in the list', async () => {
    const { jobs } = prepared();
    const ids = [1, 2, 3].map((i) => jobs.start({ ...IMPORT, title: `${i}` }, async () => null).id);
    expect(jobs.list().map(({ id }) => id)).toEqual(ids.reverse());
    await Promise.all(ids.map((id) => jobs.wait(id)));
  });
});

describe('progress', () => {
  test('is sent a few times a second at most, and the last word always arrives', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const { jobs, table, sent } = prepared();
    const finish = Promise.withResolvers<null>();
    const started = Promise.withResolvers<(progress: Progress) => void>();
    const { id } = jobs.start(IMPORT, async (handle) => {
      started.resolve((progress) => handle.progress(progress));
      return finish.promise;
    });
    const progress = await started.promise;
    for (let i = 1; i <= 40; i++) {
      progress(at(i));
      expect(jobs.get(id).progress?.done).toBe(i);
      await vi.advanceTimersByTimeAsync(25);
    }
    const updates = sent.filter((job) => job.progress !== null).length;
    expect(updates).toBeGreaterThanOrEqual(4);
    expect(updates).toBeLessThanOrEqual(5);
    progress(at(99));
    await vi.advanceTimersByTimeAsync(250);
    expect(table.get(id)?.progress?.done).toBe(99);
    progress(at(100));
    finish.resolve(null);
    await jobs.wait(id);
    expect(sent.at(-1)).toMatchObject({ status: 'done', progress: at(100) });
    expect(table.get(id)?.progress).toEqual(at(100));
  });
});

describe('ends without an end', () => {
  test('closing interrupts what runs and refuses what comes', async () => {
    const { jobs, table } = prepared();
    const started = Promise.withResolvers<void>();
    const { id } = jobs.start(IMPORT, ({ signal }) => untilAborted(signal, started.resolve));
    await started.promise;
    await jobs.shutdown();
    expect(table.get(id)).toMatchObject({ status: 'interrupted', failure: null });
    expect(() => jobs.start(IMPORT, async () => null)).toThrow('closing');
  });

  test('what a crash left running is interrupted at the next open', () => {
    const { table } = prepared();
    const job: Job = {
      ...IMPORT,
      id: 'left',
      status: 'running',
      progress: at(3),
      failure: null,
      result: null,
      createdAt: '2026-01-01T00:00:00.000Z',
      finishedAt: null,
    };
    table.save(job);
    table.save({ ...job, id: 'ended', status: 'done', finishedAt: job.createdAt });
    table.interruptUnfinished();
    expect(table.get('left')).toMatchObject({ status: 'interrupted', progress: at(3) });
    expect(table.get('left')?.finishedAt).not.toBeNull();
    expect(table.get('ended')?.status).toBe('done');
  });

  test('a row that cannot be written does not lose the job’s end', async () => {
    const { db, jobs } = prepared();
    const complaint = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    onTestFinished(() => complaint.mockRestore());
    const { id } = jobs.start(IMPORT, async () => {
      db.pragma('query_only = ON');
      return 'done all the same';
    });
    expect(await jobs.wait(id)).toMatchObject({ status: 'done' });
    expect(jobs.get(id)).toMatchObject({ status: 'done', result: 'done all the same' });
    expect(jobs.list()[0]).toMatchObject({ status: 'done' });
    expect(complaint).toHaveBeenCalledOnce();
  });
});

test('a listener that throws hurts no other', () => {
  const events = createEventBus();
  const complaint = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  onTestFinished(() => complaint.mockRestore());
  const seen: string[] = [];
  events.subscribe(() => {
    throw new Error('bad listener');
  });
  const stop = events.subscribe(({ type }) => seen.push(type));
  events.emit({ type: 'datasets' });
  stop();
  events.emit({ type: 'datasets' });
  expect(seen).toEqual(['datasets']);
  expect(complaint).toHaveBeenCalledTimes(2);
});
