import type { RunDetail } from '../../../contract/runs.ts';
import type { CheckpointSummary } from '../../../contract/checkpoints.ts';
import type { StudyDetail } from '../../../contract/study.ts';
import type { StudyResults } from '../../../contract/study-results.ts';
import type { StudyAnalysis } from '../../../contract/study-analyses.ts';
import { CarryoverError } from '../../../contract/errors.ts';
import { lookUpCheckpoint } from '../../checkpoints/store.ts';
import type { HostContext } from '../../context.ts';
import { findStudyAnalysis } from '../analyses/store.ts';
import { lookUpDataset } from '../data.ts';
import type { StudyDataset } from '../data.ts';
import type { Html } from './html.ts';
import { html } from './html.ts';
import { listRuns, runDetail } from '../run-rows.ts';
import { checkpointNames } from '../starts.ts';
import { studyDetail } from '../study-rows.ts';

/** Everything that a report says, but for its pictures. */
export interface ReportData {
  study: StudyDetail;
  results: StudyResults;
  dataset: StudyDataset;
  /** With the study's names of the arms. */
  runs: RunDetail[];
  /** Those that were computed, in the study's order. */
  analyses: StudyAnalysis[];
  /** Imported checkpoints that runs start from. */
  checkpoints: CheckpointSummary[];
}

/** Gathers a report from the database. Throws `conflict` when the study has no results yet. */
export function reportData(context: HostContext, studyId: string): ReportData {
  const study = studyDetail(context, studyId);
  if (study.results === null) {
    throw new CarryoverError('conflict', `the study "${study.name}" has no results yet`, {
      value: study.name,
      wayOut: 'run it to the end; the report is written then',
    });
  }
  const dataset = lookUpDataset(context.db, study.spec.data.set)!;
  const runs = listRuns(context.db, { studyId }).map(({ id, arm }) => ({
    ...runDetail(context.db, id),
    arm,
  }));
  const names = checkpointNames(study.spec);
  const checkpoints = names.flatMap((name) => lookUpCheckpoint(context.db, name) ?? []);
  const analyses = study.results.analyses.flatMap(
    ({ id }) => (id === null ? null : findStudyAnalysis(context.db, id)) ?? [],
  );
  return { study, results: study.results, dataset, runs, analyses, checkpoints };
}

/** Position of an arm in the study, which gives it its colour. */
export function armIndex({ study }: ReportData, arm: string): number {
  return Object.keys(study.spec.arms).indexOf(arm);
}

/** Beside every figure and table of a split that leaks. */
export function leakLine({ results }: ReportData): Html | null {
  if (results.warnings.length === 0) return null;
  return html`<p class="leak">This split leaks; see the top of the report.</p>`;
}

/** Multi-label: the findings in their order; else empty. */
export function findingNames({ results }: ReportData): string[] {
  return [...new Set(results.findings.map(({ finding }) => finding))];
}

/** `none` as people read it. */
export function shuffleTitle(shuffle: string): string {
  if (shuffle === 'none') return 'not shuffled';
  return shuffle === 'pixel' ? 'pixels shuffled' : `blocks of ${shuffle} px shuffled`;
}
