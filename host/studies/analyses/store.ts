/** Rows and folders of what analyses of studies came to. */
import type { Database } from 'better-sqlite3';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CarryoverError } from '../../../contract/errors.ts';
import type { Figure } from '../../../contract/figures.ts';
import type { AnalysisName, StudyAnalysis } from '../../../contract/study-analyses.ts';
import type { HomePaths, HostContext } from '../../context.ts';
import type { Presented } from './definition.ts';

interface Row {
  id: string;
  name: AnalysisName;
  title: string;
  options_json: string;
  runs_json: string;
  result_json: string;
  seconds: number;
  created_at: string;
}

/** An analysis by its id, or null. */
export function findStudyAnalysis(db: Database, id: string): StudyAnalysis | null {
  const row = db.prepare<[string], Row>('SELECT * FROM study_analyses WHERE id = ?').get(id);
  if (!row) return null;
  return {
    id: row.id,
    name: row.name,
    title: row.title,
    options: JSON.parse(row.options_json) as Record<string, unknown>,
    runIds: JSON.parse(row.runs_json) as string[],
    createdAt: row.created_at,
    seconds: row.seconds,
    ...(JSON.parse(row.result_json) as Presented),
  };
}

/** An analysis whose pictures are all in place, or null. */
export function wholeAnalysis(
  { db, home }: Pick<HostContext, 'db' | 'home'>,
  id: string,
): StudyAnalysis | null {
  const found = findStudyAnalysis(db, id);
  const folder = analysisFolder(home, id);
  const files = picturesOf(found?.figures ?? []).flatMap(({ file }) => file ?? []);
  return files.every((file) => existsSync(join(folder, file))) ? found : null;
}

/** The pictures that figures show. */
export function picturesOf(figures: readonly Figure[]) {
  return figures.flatMap((figure) =>
    figure.kind === 'pictures' ? figure.groups.flatMap(({ pictures }) => pictures) : [],
  );
}

/** An analysis by its id. Throws CarryoverError `not-found`. */
export function getStudyAnalysis(db: Database, id: string): StudyAnalysis {
  const found = findStudyAnalysis(db, id);
  if (found) return found;
  throw new CarryoverError('not-found', `there is no analysis ${id}`, {
    value: id,
    wayOut: 'run the study again: it computes what is missing',
  });
}

/** Writes the row of an analysis whose files are in place. */
export function storeStudyAnalysis(db: Database, analysis: StudyAnalysis): void {
  const { id, name, title, options, runIds, createdAt, seconds, ...result } = analysis;
  db.prepare('INSERT OR REPLACE INTO study_analyses VALUES (?, ?, ?, ?, ?, ?, ?, ?)').run(
    ...[id, name, title, JSON.stringify(options), JSON.stringify(runIds)],
    ...[JSON.stringify(result), seconds, createdAt],
  );
}

/** Where the pictures of an analysis lie. */
export function analysisFolder({ analyses }: HomePaths, id: string): string {
  return join(analyses, id);
}
