import type { Database } from 'better-sqlite3';
import type { Job } from '../../contract/jobs.ts';

/** The `jobs` table as values. */
export interface JobTable {
  /** Inserts or replaces. */
  save(job: Job): void;
  get(id: string): Job | null;
  /** Newest first. */
  list(): Job[];
  /** What a crash left unfinished becomes `interrupted`. */
  interruptUnfinished(): void;
}

interface Row {
  id: string;
  kind: Job['kind'];
  title: string;
  subject: string;
  status: Job['status'];
  progress_json: string | null;
  failure_json: string | null;
  result: string | null;
  created_at: string;
  finished_at: string | null;
}

const SAVE = `INSERT INTO jobs VALUES (@id, @kind, @title, @subject, @status, @progress_json,
    @failure_json, @result, @created_at, @finished_at)
  ON CONFLICT (id) DO UPDATE SET status = excluded.status, progress_json = excluded.progress_json,
    failure_json = excluded.failure_json, result = excluded.result,
    finished_at = excluded.finished_at`;

export function jobTable(db: Database): JobTable {
  return {
    save(job) {
      db.prepare(SAVE).run(toRow(job));
    },
    get(id) {
      const row = db.prepare<[string], Row>('SELECT * FROM jobs WHERE id = ?').get(id);
      return row ? fromRow(row) : null;
    },
    list() {
      const rows = db
        .prepare<[], Row>('SELECT * FROM jobs ORDER BY created_at DESC, rowid DESC')
        .all();
      return rows.map(fromRow);
    },
    interruptUnfinished() {
      db.prepare(
        `UPDATE jobs SET status = 'interrupted', finished_at = ?
         WHERE status IN ('queued', 'running', 'paused')`,
      ).run(new Date().toISOString());
    },
  };
}

function toRow(job: Job): Row {
  return {
    id: job.id,
    kind: job.kind,
    title: job.title,
    subject: job.subject,
    status: job.status,
    progress_json: job.progress && JSON.stringify(job.progress),
    failure_json: job.failure && JSON.stringify(job.failure),
    result: job.result,
    created_at: job.createdAt,
    finished_at: job.finishedAt,
  };
}

function fromRow(row: Row): Job {
  return {
    id: row.id,
    kind: row.kind,
    title: row.title,
    subject: row.subject,
    status: row.status,
    progress: row.progress_json === null ? null : JSON.parse(row.progress_json),
    failure: row.failure_json === null ? null : JSON.parse(row.failure_json),
    result: row.result,
    createdAt: row.created_at,
    finishedAt: row.finished_at,
  };
}
