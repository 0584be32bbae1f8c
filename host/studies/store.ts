import type { Database } from 'better-sqlite3';
import type { Failure } from '../../contract/errors.ts';
import { CarryoverError } from '../../contract/errors.ts';
import type { EpochMetrics, RunStatus } from '../../contract/runs.ts';
import type { StudySpec, StudySummary } from '../../contract/study.ts';
import type { StudyResults } from '../../contract/study-results.ts';
import type { TrainerMessage, WrittenFile } from '../trainer/protocol.ts';
import { canonicalJson, sha256 } from './identity.ts';
import type { ExpandedStudy, PlannedRun } from './plan.ts';
import { studyPlan } from './plan.ts';
import { resultsOf, specOf } from './stored.ts';

export type StudyStatus = StudySummary['status'];

/** The id of the study of that name. */
export function studyIdOf(name: string): string {
  return `s${sha256(name).slice(0, 12)}`;
}

/** Writes a study with its split and its runs; what it had before under its name is replaced. */
export function storeStudy(
  db: Database,
  yaml: string,
  spec: StudySpec,
  study: ExpandedStudy,
): string {
  const id = studyIdOf(spec.name);
  db.transaction(() => {
    const plan = studyPlan(study, () => false);
    db.prepare(
      `INSERT INTO studies (id, name, yaml, spec_json, dataset_id, plan_json, status, created_at)
       VALUES (@id, @name, @yaml, @spec, @dataset, @plan, 'planned', @now)
       ON CONFLICT (id) DO UPDATE SET yaml = @yaml, spec_json = @spec, dataset_id = @dataset,
         plan_json = @plan, status = 'planned', job_id = NULL, results_json = NULL,
         finished_at = NULL`,
    ).run({
      id,
      name: spec.name,
      yaml,
      spec: JSON.stringify(spec),
      dataset: study.dataset.id,
      plan: JSON.stringify(plan),
      now: now(),
    });
    storeParts(db, id, study);
  })();
  return id;
}

/** Writes the split and the runs of a study in place of those it had, and its plan. */
export function storeParts(db: Database, id: string, study: ExpandedStudy): void {
  db.transaction(() => {
    const plan = JSON.stringify(studyPlan(study, () => false));
    db.prepare('UPDATE studies SET plan_json = ?, spec_json = ? WHERE id = ?').run(
      plan,
      JSON.stringify(study.spec),
      id,
    );
    clearParts(db, id);
    storeImages(db, id, study);
    study.runs.forEach((run, position) => storeRun(db, id, run, position));
    dropOrphans(db);
  })();
}

/** Ids of the runs of a study as it was stored. */
export function storedRuns(db: Database, id: string): Set<string> {
  const ids = db
    .prepare<[string], string>('SELECT run_id FROM study_runs WHERE study_id = ?')
    .pluck()
    .all(id);
  return new Set(ids);
}

function clearParts(db: Database, id: string): void {
  db.prepare('DELETE FROM study_images WHERE study_id = ?').run(id);
  db.prepare('DELETE FROM study_runs WHERE study_id = ?').run(id);
}

/** Training images are those of all arms: an arm with an own `per-class` may learn from more. */
function storeImages(db: Database, id: string, { sides, runs }: ExpandedStudy): void {
  const insert = db.prepare(
    'INSERT INTO study_images (study_id, image_id, split) VALUES (?, ?, ?)',
  );
  const targets = runs.filter(({ spec }) => spec.kind === 'target');
  const learnt = new Set(targets.flatMap(({ train }) => train.map((image) => image.id)));
  for (const image of learnt) insert.run(id, image, 'train');
  for (const image of sides.validation) insert.run(id, image.id, 'validation');
  for (const image of sides.test) insert.run(id, image.id, 'test');
}

function storeRun(db: Database, studyId: string, run: PlannedRun, position: number): void {
  const { spec, dataset, checkpoint } = run;
  const parent = typeof spec.start === 'object' && 'run' in spec.start ? spec.start : null;
  db.prepare(
    `INSERT INTO runs (id, kind, arm, spec_json, dataset_id, dataset_hash, architecture, seed,
       shuffle, parent_run_id, parent_epoch, parent_checkpoint_id, epochs, device, versions_json, status, notes_json,
       created_at)
     VALUES (@id, @kind, @arm, @spec, @dataset, @hash, @architecture, @seed, @shuffle, @parent,
       @parentEpoch, @checkpoint, @epochs, '', '{}', 'planned', @notes, @now)
     ON CONFLICT (id) DO NOTHING`,
  ).run({
    id: run.id,
    kind: spec.kind,
    arm: run.arm,
    spec: canonicalJson(spec),
    dataset: dataset.id,
    hash: dataset.contentHash,
    architecture: spec.architecture.name,
    seed: spec.seed,
    shuffle: String(spec.shuffle),
    parent: parent?.run ?? null,
    parentEpoch: parent?.epoch ?? null,
    checkpoint: checkpoint?.id ?? null,
    epochs: spec.training.epochs,
    notes: JSON.stringify(run.notes),
    now: now(),
  });
  // A run that was known before there were leaks to speak of is told of them.
  for (const note of run.notes) addRunNote(db, run.id, note);
  db.prepare('INSERT INTO study_runs (study_id, run_id, position, arm) VALUES (?, ?, ?, ?)').run(
    studyId,
    run.id,
    position,
    run.arm,
  );
}

/** Runs that no study names and that were never begun are no longer worth a row. */
function dropOrphans(db: Database): void {
  db.prepare(
    `DELETE FROM runs WHERE status = 'planned' AND kind = 'target'
       AND id NOT IN (SELECT run_id FROM study_runs)`,
  ).run();
  db.prepare(
    `DELETE FROM runs WHERE status = 'planned' AND id NOT IN (SELECT run_id FROM study_runs)
       AND id NOT IN (SELECT parent_run_id FROM runs WHERE parent_run_id IS NOT NULL)`,
  ).run();
}

/** Forgets a study; runs that were trained stay. */
export function dropStudy(db: Database, id: string): void {
  db.transaction(() => {
    db.prepare('DELETE FROM studies WHERE id = ?').run(id);
    dropOrphans(db);
  })();
}

export function setStudyStatus(db: Database, id: string, status: StudyStatus): void {
  const finished = status === 'running' || status === 'planned' ? null : now();
  db.prepare('UPDATE studies SET status = ?, finished_at = ? WHERE id = ?').run(
    status,
    finished,
    id,
  );
}

export function setStudyJob(db: Database, id: string, jobId: string): void {
  db.prepare('UPDATE studies SET job_id = ? WHERE id = ?').run(jobId, id);
}

export function storeResults(db: Database, id: string, results: StudyResults): void {
  db.prepare('UPDATE studies SET results_json = ? WHERE id = ?').run(JSON.stringify(results), id);
}

/** Runs of a study that were stopped under way. */
export function cancelStudyRuns(db: Database, id: string): void {
  db.prepare(
    `UPDATE runs SET status = 'cancelled' WHERE status = 'paused'
       AND id IN (SELECT run_id FROM study_runs WHERE study_id = ?)`,
  ).run(id);
}

/** What a crash of the host left as running: studies are interrupted, their runs wait. */
export function recoverStudies(db: Database): void {
  db.transaction(() => {
    db.prepare(`UPDATE studies SET status = 'interrupted' WHERE status = 'running'`).run();
    db.prepare(`UPDATE runs SET status = 'paused' WHERE status = 'running'`).run();
  })();
}

/** A run that ends or begins; `failure` is kept with status `failed` only. */
export function setRunStatus(
  db: Database,
  id: string,
  status: Exclude<RunStatus, 'done'>,
  failure: Failure | null = null,
): void {
  db.prepare(
    `UPDATE runs SET status = @status, failure_json = @failure,
       started_at = CASE WHEN @status = 'running' THEN coalesce(started_at, @now)
                         ELSE started_at END,
       finished_at = CASE WHEN @status = 'failed' THEN @now ELSE NULL END
     WHERE id = @id`,
  ).run({ id, status, failure: failure && JSON.stringify(failure), now: now() });
}

/** Forgets what a run had so that it can be trained anew. */
export function resetRun(db: Database, id: string): void {
  db.transaction(() => {
    db.prepare('DELETE FROM epochs WHERE run_id = ?').run(id);
    db.prepare('DELETE FROM run_files WHERE run_id = ?').run(id);
    db.prepare(
      `UPDATE runs SET status = 'planned', started_at = NULL, finished_at = NULL,
         failure_json = NULL, weights_sha256 = NULL,
         best_epoch = NULL WHERE id = ?`,
    ).run(id);
  })();
}

/** Journals of earlier versions do not speak of them. */
const NO_AREAS = { trainAuc: null, validationAuc: null, testAuc: null };

export function storeEpoch(db: Database, runId: string, metrics: EpochMetrics): void {
  db.prepare(
    `INSERT OR REPLACE INTO epochs (run_id, epoch, train_loss, train_accuracy,
       validation_loss, validation_accuracy, test_loss, test_accuracy, train_auc, validation_auc,
       test_auc, learning_rate, seconds)
     VALUES (@runId, @epoch, @trainLoss, @trainAccuracy, @validationLoss, @validationAccuracy,
       @testLoss, @testAccuracy, @trainAuc, @validationAuc, @testAuc, @learningRate, @seconds)`,
  ).run({ runId, ...NO_AREAS, ...metrics });
}

export function addRunNote(db: Database, id: string, note: string): void {
  const json = db
    .prepare<[string], string>('SELECT notes_json FROM runs WHERE id = ?')
    .pluck()
    .get(id);
  const notes = JSON.parse(json ?? '[]') as string[];
  if (notes.includes(note)) return;
  db.prepare('UPDATE runs SET notes_json = ? WHERE id = ?').run(
    JSON.stringify([...notes, note]),
    id,
  );
}

/** A finished run with its files, which must be on the disk by now. */
export function storeFinishedRun(
  db: Database,
  id: string,
  done: Extract<TrainerMessage, { type: 'done' }>,
): void {
  db.transaction(() => {
    db.prepare('DELETE FROM run_files WHERE run_id = ?').run(id);
    for (const file of done.files) storeFile(db, id, file);
    db.prepare(
      `UPDATE runs SET status = 'done', device = @device, versions_json = @versions,
         weights_sha256 = @weights, best_epoch = @best, finished_at = @now, failure_json = NULL WHERE id = @id`,
    ).run({
      id,
      device: done.device,
      versions: JSON.stringify(done.versions),
      weights: done.weightsHash,
      best: done.bestEpoch,
      now: now(),
    });
  })();
}

function storeFile(db: Database, runId: string, file: WrittenFile): void {
  db.prepare(
    `INSERT INTO run_files (run_id, kind, name, epoch, split, bytes, sha256)
     VALUES (@runId, @kind, @name, @epoch, @split, @bytes, @sha256)`,
  ).run({ runId, ...file });
}

/** The stored text and specification of a study. Throws `not-found`. */
export function storedStudy(
  db: Database,
  id: string,
): { yaml: string; spec: StudySpec; status: StudyStatus; results: StudyResults | null } {
  const row = db
    .prepare<
      [string],
      { yaml: string; spec_json: string; status: StudyStatus; results_json: string | null }
    >('SELECT yaml, spec_json, status, results_json FROM studies WHERE id = ?')
    .get(id);
  if (!row) {
    throw new CarryoverError('not-found', `there is no study ${id}`, { value: id });
  }
  return {
    yaml: row.yaml,
    spec: specOf(row.spec_json),
    status: row.status,
    results: row.results_json === null ? null : resultsOf(row.results_json),
  };
}

function now(): string {
  return new Date().toISOString();
}
