import type { Database } from 'better-sqlite3';
import { CarryoverError } from '../../contract/errors.ts';
import type { EpochMetrics, RunDetail, RunStatus, RunSummary } from '../../contract/runs.ts';
import type { RunSpec } from './plan.ts';

interface RunRow {
  id: string;
  kind: RunSummary['kind'];
  arm: string;
  spec_json: string;
  dataset_id: string;
  dataset_name: string;
  dataset_hash: string;
  architecture: string;
  seed: number;
  shuffle: string;
  parent_run_id: string | null;
  parent_epoch: number | null;
  parent_checkpoint: string | null;
  epochs: number;
  device: string;
  versions_json: string;
  status: RunStatus;
  notes_json: string;
  failure_json: string | null;
  weights_sha256: string | null;
  best_epoch: number | null;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
}

const SELECT = `SELECT runs.*, datasets.name AS dataset_name,
    checkpoints.name AS parent_checkpoint
  FROM runs JOIN datasets ON datasets.id = runs.dataset_id
  LEFT JOIN checkpoints ON checkpoints.id = runs.parent_checkpoint_id`;

/** Runs, oldest first; of a study in its own order and with its names of the arms. */
export function listRuns(
  db: Database,
  filter: { studyId?: string | undefined; datasetId?: string | undefined },
): RunSummary[] {
  const { studyId = null, datasetId = null } = filter;
  const rows =
    studyId === null
      ? db
          .prepare<[string | null, string | null], RunRow>(
            `${SELECT} WHERE ? IS NULL OR runs.dataset_id = ? ORDER BY runs.created_at, runs.rowid`,
          )
          .all(datasetId, datasetId)
      : db
          .prepare<[string, string | null, string | null], RunRow & { study_arm: string }>(
            `SELECT * FROM (SELECT each.*, study_runs.arm AS study_arm, study_runs.position
               FROM (${SELECT}) AS each JOIN study_runs ON study_runs.run_id = each.id
               WHERE study_runs.study_id = ?)
             WHERE ? IS NULL OR dataset_id = ? ORDER BY position`,
          )
          .all(studyId, datasetId, datasetId)
          .map((row) => ({ ...row, arm: row.study_arm }));
  return rows.map((row) => summaryOf(db, row));
}

/** One run as lists show it. Throws `not-found`. */
export function runSummary(db: Database, id: string): RunSummary {
  return summaryOf(db, requireRow(db, id));
}

/** One run with all that is known of it. Throws `not-found`. */
export function runDetail(db: Database, id: string): RunDetail {
  const row = requireRow(db, id);
  return {
    ...summaryOf(db, row),
    spec: JSON.parse(row.spec_json) as Record<string, unknown>,
    datasetHash: row.dataset_hash,
    parentCheckpoint:
      row.parent_run_id === null
        ? row.parent_checkpoint
        : `${row.parent_run_id}@${row.parent_epoch ?? 'last'}`,
    device: row.device,
    versions: JSON.parse(row.versions_json) as Record<string, string>,
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    weightsHash: row.weights_sha256,
    failure: row.failure_json === null ? null : (JSON.parse(row.failure_json) as never),
    curve: learningCurve(db, id),
    notes: JSON.parse(row.notes_json) as string[],
  };
}

/** The stored specification of a run. Throws `not-found`. */
export function runSpec(db: Database, id: string): RunSpec {
  return JSON.parse(requireRow(db, id).spec_json) as RunSpec;
}

/** Epochs of a run so far, in order. */
export function learningCurve(db: Database, id: string): EpochMetrics[] {
  return db
    .prepare<[string], EpochMetrics>(
      `SELECT epoch, train_loss AS trainLoss, train_accuracy AS trainAccuracy,
              validation_loss AS validationLoss, validation_accuracy AS validationAccuracy,
              test_loss AS testLoss, test_accuracy AS testAccuracy,
              train_auc AS trainAuc, validation_auc AS validationAuc, test_auc AS testAuc,
              learning_rate AS learningRate, seconds
       FROM epochs WHERE run_id = ? ORDER BY epoch`,
    )
    .all(id);
}

/** Mean clean training accuracy over the epochs 1..last that were evaluated; null without any. */
export function optimisationSpeed(curve: readonly EpochMetrics[]): number | null {
  const values = curve.flatMap(({ epoch, trainAccuracy }) =>
    epoch >= 1 && trainAccuracy !== null ? [trainAccuracy] : [],
  );
  if (values.length === 0) return null;
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The epoch whose weights a finished run stands for. */
export function resultEpoch({ bestEpoch, epochs }: RunSummary): number {
  return bestEpoch ?? epochs;
}

function requireRow(db: Database, id: string): RunRow {
  const row = db.prepare<[string], RunRow>(`${SELECT} WHERE runs.id = ?`).get(id);
  if (row) return row;
  throw new CarryoverError('not-found', `there is no run ${id}`, {
    value: id,
    wayOut: 'list the runs with `carryover runs`',
  });
}

function summaryOf(db: Database, row: RunRow): RunSummary {
  const spec = JSON.parse(row.spec_json) as RunSpec;
  const curve = learningCurve(db, row.id);
  const studies = db
    .prepare<[string], { id: string; name: string }>(
      `SELECT studies.id, studies.name FROM study_runs
       JOIN studies ON studies.id = study_runs.study_id WHERE run_id = ? ORDER BY studies.name`,
    )
    .all(row.id);
  const result = curve.filter(({ epoch }) => epoch <= (row.best_epoch ?? Infinity));
  return {
    id: row.id,
    arm: row.arm,
    kind: row.kind,
    domains: spec.data.domains,
    datasetId: row.dataset_id,
    datasetName: row.dataset_name,
    architecture: row.architecture,
    seed: row.seed,
    shuffle: row.shuffle,
    status: row.status,
    epochs: row.epochs,
    epochsDone: curve.at(-1)?.epoch ?? 0,
    bestEpoch: row.best_epoch,
    trainImages: spec.data.train.images,
    validationImages: spec.data.validation?.images ?? 0,
    testImages: spec.data.test?.images ?? 0,
    trainAccuracy: lastOf(result, 'trainAccuracy'),
    testAccuracy: lastOf(result, 'testAccuracy'),
    testAuc: lastOf(result, 'testAuc'),
    optimisationSpeed: row.status === 'done' ? optimisationSpeed(curve) : null,
    studies,
  };
}

/** The latest value that was taken. */
function lastOf(
  curve: readonly EpochMetrics[],
  key: 'trainAccuracy' | 'testAccuracy' | 'testAuc',
): number | null {
  return curve.findLast((each) => each[key] !== null)?.[key] ?? null;
}
