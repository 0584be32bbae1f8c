import type { Database } from 'better-sqlite3';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CarryoverError } from '../../contract/errors.ts';
import type { StudyDetail, StudyPlan, StudySummary } from '../../contract/study.ts';
import type { HostContext } from '../context.ts';
import { resultsOf, specOf } from './stored.ts';

interface StudyRow {
  id: string;
  name: string;
  status: StudySummary['status'];
  datasetName: string;
  createdAt: string;
  finishedAt: string | null;
  runs: number;
  runsDone: number;
  yaml: string;
  spec_json: string;
  plan_json: string;
  job_id: string | null;
  results_json: string | null;
}

const SELECT = `SELECT studies.id, studies.name, studies.status, datasets.name AS datasetName,
    studies.created_at AS createdAt, studies.finished_at AS finishedAt, studies.yaml,
    studies.spec_json, studies.plan_json, studies.job_id, studies.results_json,
    (SELECT count(*) FROM study_runs WHERE study_id = studies.id) AS runs,
    (SELECT count(*) FROM study_runs JOIN runs ON runs.id = study_runs.run_id
     WHERE study_id = studies.id AND runs.status = 'done') AS runsDone
  FROM studies JOIN datasets ON datasets.id = studies.dataset_id`;

/** What plans of earlier versions do not say. */
const OLDER_PLAN = { validationImages: 0, stages: [] as string[] };

/** All studies, newest first. */
export function listStudies(db: Database): StudySummary[] {
  return db
    .prepare<[], StudyRow>(`${SELECT} ORDER BY studies.created_at DESC, studies.rowid DESC`)
    .all()
    .map(summaryOf);
}

export function studySummary(db: Database, id: string): StudySummary {
  return summaryOf(requireRow(db, id));
}

/** A study with its plan (as far as it is done by now) and its results. Throws `not-found`. */
export function studyDetail({ db, home }: HostContext, id: string): StudyDetail {
  const row = requireRow(db, id);
  const plan = { ...OLDER_PLAN, ...(JSON.parse(row.plan_json) as StudyPlan) };
  const done = new Set(
    db
      .prepare<[string], string>(
        `SELECT run_id FROM study_runs JOIN runs ON runs.id = study_runs.run_id
         WHERE study_id = ? AND runs.status = 'done'`,
      )
      .pluck()
      .all(id),
  );
  const reported = existsSync(join(home.reports, id, 'report.html'));
  return {
    ...summaryOf(row),
    yaml: row.yaml,
    spec: specOf(row.spec_json),
    plan: { ...plan, runs: plan.runs.map((run) => ({ ...run, done: done.has(run.id) })) },
    jobId: row.job_id,
    reportUrl: reported ? `/reports/${id}` : null,
    results: row.results_json === null ? null : resultsOf(row.results_json),
  };
}

/** The id of the study that is called so or has that id, or null. */
export function findStudy(db: Database, nameOrId: string): string | null {
  const id = db
    .prepare<{ key: string }, string>(
      'SELECT id FROM studies WHERE name = @key OR id = @key ORDER BY name = @key DESC LIMIT 1',
    )
    .pluck()
    .get({ key: nameOrId });
  return id ?? null;
}

function requireRow(db: Database, id: string): StudyRow {
  const row = db.prepare<[string], StudyRow>(`${SELECT} WHERE studies.id = ?`).get(id);
  if (row) return row;
  throw new CarryoverError('not-found', `there is no study ${id}`, {
    value: id,
    wayOut: 'see which studies there are: `carryover study status`',
  });
}

function summaryOf(row: StudyRow): StudySummary {
  const { id, name, status, runs, runsDone, datasetName, createdAt, finishedAt } = row;
  return { id, name, status, runs, runsDone, datasetName, createdAt, finishedAt };
}
