/** Rows and files of what was computed over a data set's images. */
import type { Database } from 'better-sqlite3';
import { hash } from 'node:crypto';
import { join } from 'node:path';
import { CarryoverError } from '../../contract/errors.ts';
import type { HostContext } from '../context.ts';
import { getSummary } from '../datasets/read.ts';
import { writeFileAtomic } from '../files.ts';
import { canonicalJson } from '../studies/identity.ts';

export type AnalysisKind = 'trust' | 'features' | 'map' | 'suspects';

export interface AnalysisFile {
  /** In the home's `analyses` folder. */
  name: string;
  bytes: number;
  sha256: string;
}

export interface Analysis {
  id: string;
  datasetId: string;
  kind: AnalysisKind;
  spec: unknown;
  summary: unknown;
  files: AnalysisFile[];
  createdAt: string;
}

/**
 * What a data set is now, as a hash: its content and the user's changes in force. Tags do not
 * count: they change neither labels nor which images there are.
 */
export function stateOf(db: Database, datasetId: string): string {
  const { contentHash } = getSummary(db, datasetId);
  const changes = db
    .prepare<[string], number>(
      `SELECT id FROM changes WHERE dataset_id = ? AND undone_at IS NULL
       AND kind NOT IN ('tag', 'untag') ORDER BY id`,
    )
    .pluck()
    .all(datasetId);
  return hash('sha256', canonicalJson({ contentHash, changes }));
}

/** The id of an analysis of a data set as it is now. */
export function analysisId(
  db: Database,
  datasetId: string,
  kind: AnalysisKind,
  spec: unknown,
): string {
  const state = stateOf(db, datasetId);
  const text = canonicalJson({ datasetId, kind, spec, state });
  return `${kind[0]}${hash('sha256', text).slice(0, 16)}`;
}

interface Row {
  id: string;
  datasetId: string;
  kind: AnalysisKind;
  spec: string;
  summary: string;
  files: string;
  createdAt: string;
}

const COLUMNS = `id, dataset_id AS datasetId, kind, spec_json AS spec, summary_json AS summary,
  files_json AS files, created_at AS createdAt`;

function toAnalysis(row: Row): Analysis {
  const [spec, summary] = [JSON.parse(row.spec), JSON.parse(row.summary)] as unknown[];
  return { ...row, spec, summary, files: JSON.parse(row.files) as AnalysisFile[] };
}

/** An analysis by its id, or null. */
export function findAnalysis(db: Database, id: string): Analysis | null {
  const row = db
    .prepare<[string], Row>(`SELECT ${COLUMNS} FROM dataset_analyses WHERE id = ?`)
    .get(id);
  return row ? toAnalysis(row) : null;
}

/** An analysis of this kind. Throws CarryoverError `not-found`. */
export function getAnalysis(db: Database, kind: AnalysisKind, id: string): Analysis {
  const found = findAnalysis(db, id);
  if (found?.kind === kind) return found;
  throw new CarryoverError('not-found', `there is no ${kind} ${id}`, {
    value: id,
    wayOut: 'compute it again',
  });
}

/** All analyses of a kind over a data set, newest first. */
export function listAnalyses(db: Database, kind: AnalysisKind, datasetId: string): Analysis[] {
  return db
    .prepare<[string, string], Row>(
      `SELECT ${COLUMNS} FROM dataset_analyses WHERE dataset_id = ? AND kind = ?
       ORDER BY created_at DESC, id`,
    )
    .all(datasetId, kind)
    .map(toAnalysis);
}

/**
 * Writes the arrays of an analysis to `analyses/<id>.<ending>` and then its row; one of the same id
 * is replaced. Throws CarryoverError `disk-full` or `io`; a row never names a file that is not whole.
 */
export async function storeAnalysis(
  { db, home }: HostContext,
  analysis: Omit<Analysis, 'files' | 'createdAt'>,
  arrays: Readonly<Record<string, Uint8Array>> = {},
): Promise<Analysis> {
  const files: AnalysisFile[] = [];
  for (const [ending, bytes] of Object.entries(arrays)) {
    const name = `${analysis.id}.${ending}`;
    await writeFileAtomic(join(home.analyses, name), bytes);
    files.push({ name, bytes: bytes.byteLength, sha256: hash('sha256', bytes) });
  }
  return insertAnalysis({ db }, { ...analysis, files });
}

/** The row of an analysis whose files are written; one of the same id is replaced. */
export function insertAnalysis(
  { db }: Pick<HostContext, 'db'>,
  analysis: Omit<Analysis, 'createdAt'>,
): Analysis {
  const createdAt = new Date().toISOString();
  const { id, datasetId, kind, spec, summary, files } = analysis;
  db.prepare('INSERT OR REPLACE INTO dataset_analyses VALUES (?, ?, ?, ?, ?, ?, ?)').run(
    ...[id, datasetId, kind, canonicalJson(spec), JSON.stringify(summary)],
    ...[JSON.stringify(files), createdAt],
  );
  return { ...analysis, createdAt };
}
