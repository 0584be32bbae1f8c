import type { Database } from 'better-sqlite3';
import { join } from 'node:path';
import type {
  CheckpointDetail,
  CheckpointSummary,
  Preprocessing,
  WeightFormat,
  WeightsReport,
} from '../../contract/checkpoints.ts';
import type { ArchitectureSpec } from '../../contract/architecture.ts';
import { CarryoverError } from '../../contract/errors.ts';
import type { HomePaths } from '../context.ts';

interface CheckpointRow {
  id: string;
  name: string;
  format: WeightFormat;
  source: string;
  architecture_json: string;
  classes: number | null;
  class_names_json: string | null;
  preprocessing_json: string;
  parameters: number;
  bytes: number;
  sha256: string;
  licence: string | null;
  created_at: string;
}

const SELECT = `SELECT id, name, format, source, architecture_json, classes, class_names_json,
    preprocessing_json, parameters, bytes, sha256, licence, created_at
  FROM checkpoints`;

/**
 * The weights of an imported checkpoint: safetensors, float32, under the names of our parameters.
 * What the file lacks (a loose import, another head) starts at random.
 */
export function checkpointFile(home: HomePaths, id: string): string {
  return join(home.checkpoints, `${id}.safetensors`);
}

/** All imported checkpoints by name. */
export function listCheckpoints(db: Database): CheckpointSummary[] {
  return db.prepare<[], CheckpointRow>(`${SELECT} ORDER BY name`).all().map(summaryOf);
}

/** The imported checkpoint of this name, as a study's `init` gives it; null when there is none. */
export function lookUpCheckpoint(db: Database, name: string): CheckpointSummary | null {
  const row = db.prepare<[string], CheckpointRow>(`${SELECT} WHERE name = ?`).get(name);
  return row ? summaryOf(row) : null;
}

/** The checkpoint of this name, else of this id. Throws `not-found`. */
export function findCheckpoint(db: Database, nameOrId: string): CheckpointSummary {
  const named = lookUpCheckpoint(db, nameOrId);
  if (named) return named;
  const row = db.prepare<[string], CheckpointRow>(`${SELECT} WHERE id = ?`).get(nameOrId);
  if (row) return summaryOf(row);
  throw new CarryoverError('not-found', `there is no checkpoint ${nameOrId}`, {
    value: nameOrId,
    wayOut: 'see `carryover weights list` for those there are',
  });
}

/** A checkpoint with its matching report and the studies that start from it. Throws `not-found`. */
export function checkpointDetail(db: Database, nameOrId: string): CheckpointDetail {
  const summary = findCheckpoint(db, nameOrId);
  const report = db
    .prepare<[string], string>('SELECT report_json FROM checkpoints WHERE id = ?')
    .pluck()
    .get(summary.id);
  return {
    ...summary,
    report: JSON.parse(report ?? 'null') as WeightsReport,
    studies: studiesFrom(db, summary.id),
  };
}

/** Studies with a run that starts from this checkpoint, oldest first. */
export function studiesFrom(db: Database, checkpointId: string): { id: string; name: string }[] {
  return db
    .prepare<[string], { id: string; name: string }>(
      `SELECT id, name FROM studies WHERE id IN (
         SELECT study_id FROM study_runs JOIN runs ON runs.id = study_runs.run_id
         WHERE runs.parent_checkpoint_id = ?)
       ORDER BY created_at`,
    )
    .all(checkpointId);
}

/** Stores a new row; its file must be there. */
export function insertCheckpoint(db: Database, detail: Omit<CheckpointDetail, 'studies'>): void {
  db.prepare(
    `INSERT INTO checkpoints (id, name, format, source, architecture_json, classes,
       class_names_json, preprocessing_json, parameters, bytes, sha256, source_sha256, licence,
       report_json, created_at)
     VALUES (@id, @name, @format, @source, @architecture, @classes, @classNames, @preprocessing,
       @parameters, @bytes, @sha256, @sourceSha256, @licence, @report, @createdAt)`,
  ).run({
    ...detail,
    architecture: JSON.stringify(detail.architecture),
    classNames: detail.classNames && JSON.stringify(detail.classNames),
    preprocessing: JSON.stringify(detail.preprocessing),
    sourceSha256: detail.report.sha256,
    report: JSON.stringify(detail.report),
  });
}

function summaryOf(row: CheckpointRow): CheckpointSummary {
  const names = row.class_names_json;
  return {
    id: row.id,
    name: row.name,
    format: row.format,
    source: row.source,
    architecture: JSON.parse(row.architecture_json) as ArchitectureSpec,
    classNames: names === null ? null : (JSON.parse(names) as string[]),
    classes: row.classes,
    preprocessing: JSON.parse(row.preprocessing_json) as Preprocessing,
    parameters: row.parameters,
    bytes: row.bytes,
    sha256: row.sha256,
    licence: row.licence,
    createdAt: row.created_at,
  };
}
