import Database from 'better-sqlite3';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RunDetail, RunSummary } from '../../contract/runs.ts';
import type { StudyDetail } from '../../contract/study.ts';
import { carryover } from './cli-support.ts';
import { openHome, shapesHome, shapesStudy } from './studies-home.ts';

/** What a crash of the host in the first run leaves in the database; the id of that run. */
function leaveRunning(home: string): string {
  const db = new Database(join(home, 'carryover.db'));
  try {
    db.prepare(`UPDATE studies SET status = 'running'`).run();
    const [first] = db.prepare<[], string>('SELECT id FROM runs').pluck().all();
    db.prepare(`UPDATE runs SET status = 'running' WHERE id = ?`).run(first);
    return first ?? '';
  } finally {
    db.close();
  }
}

async function printed<Value>(home: string, ...args: string[]): Promise<Value> {
  const { stdout } = await carryover('--home', home, ...args, '--json');
  return JSON.parse(stdout) as Value;
}

test('after a crash runs and their study are shown as stopped, and as running while they are', async () => {
  const { home, workbench } = await shapesHome(4);
  await workbench.handlers['studies.create']({ yaml: shapesStudy({ seeds: [0] }) });
  await workbench.close();
  const id = leaveRunning(home);

  const runs = await printed<RunSummary[]>(home, 'runs');
  expect(runs.find((run) => run.id === id)?.status).toBe('paused');
  expect(runs.filter(({ status }) => status === 'planned')).toHaveLength(runs.length - 1);
  expect(await printed<RunDetail>(home, 'runs', id)).toMatchObject({ id, status: 'paused' });
  const study = await printed<StudyDetail>(home, 'study', 'status', 'shapes');
  expect(study).toMatchObject({ status: 'interrupted', runList: runs });

  openHome(home);
  leaveRunning(home);
  const worked = await printed<RunSummary[]>(home, 'runs');
  expect(worked.find((run) => run.id === id)?.status).toBe('running');
});
