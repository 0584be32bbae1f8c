import type { Database } from 'better-sqlite3';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { wholeFile } from '../../engine/transforms/place.ts';
import type { HostContext } from '../context.ts';
import { fileError } from '../files.ts';
import type { ItemList, TrainerJob } from '../trainer/protocol.ts';

/** A file of a run as its row has it. */
export interface RunFile {
  kind: 'weights' | 'logits';
  /** Relative to the run's folder. */
  name: string;
  epoch: number | null;
  split: 'train' | 'test' | null;
  bytes: number;
  sha256: string;
}

type Place = Pick<HostContext, 'db' | 'home'>;

export function runFolder({ home }: Pick<HostContext, 'home'>, runId: string): string {
  return join(home.runs, runId);
}

/** What the trainer of a run was given. Throws `io` or `not-found` naming the file. */
export function readJob(place: Pick<HostContext, 'home'>, runId: string): TrainerJob {
  const file = join(runFolder(place, runId), 'job.json');
  try {
    const job = JSON.parse(readFileSync(file, 'utf8')) as TrainerJob;
    const { train, validation, test } = job;
    const placed = (items: ItemList | null) => items && withPlaces(items);
    return {
      ...job,
      train: withPlaces(train),
      validation: placed(validation ?? null),
      test: placed(test),
    };
  } catch (error) {
    throw fileError(error, file, 'read');
  }
}

/** Before images had places inside of files they had paths. */
function withPlaces(items: ItemList & { paths?: string[] }): ItemList {
  return { ...items, places: items.places ?? items.paths?.map(wholeFile) };
}

/** Rows of the files of a run. */
export function runFiles(db: Database, runId: string): RunFile[] {
  return db
    .prepare<[string], RunFile>(
      `SELECT kind, name, epoch, split, bytes, sha256 FROM run_files WHERE run_id = ?
       ORDER BY kind, epoch, name`,
    )
    .all(runId);
}

/** Whether the file is there at its size. */
export function isPresent(place: Place, runId: string, file: RunFile): boolean {
  const info = statSync(join(runFolder(place, runId), file.name), { throwIfNoEntry: false });
  return info?.isFile() === true && info.size === file.bytes;
}

/** The weights of a run after an epoch, or null when they were not kept or are gone. */
export function weightsFile(place: Place, runId: string, epoch: number): string | null {
  const file = runFiles(place.db, runId).find(
    (each) => each.kind === 'weights' && each.epoch === epoch,
  );
  if (!file || !isPresent(place, runId, file)) return null;
  return join(runFolder(place, runId), file.name);
}

/**
 * The weights that a run starts from, or null when they are not there: the last epoch of a run that
 * was stopped early is the one that it stands for.
 */
export function startFile(
  place: Place,
  { run, epoch }: { run: string; epoch: number },
): string | null {
  const best = place.db
    .prepare<[string, number], number>(
      'SELECT best_epoch FROM runs WHERE id = ? AND epochs = ? AND best_epoch IS NOT NULL',
    )
    .pluck()
    .get(run, epoch);
  return weightsFile(place, run, best ?? epoch);
}

/** The logits of a run on a split after its last epoch, or null. */
export function logitsFile(place: Place, runId: string, split: 'train' | 'test'): RunFile | null {
  const files = runFiles(place.db, runId);
  return files.findLast((each) => each.kind === 'logits' && each.split === split) ?? null;
}

/** Whether a run is finished with every file that other runs and comparisons need. */
export function isFinished(place: Place, runId: string, keepEpochs: readonly number[]): boolean {
  const status = place.db
    .prepare<[string], string>('SELECT status FROM runs WHERE id = ?')
    .pluck()
    .get(runId);
  if (status !== 'done') return false;
  const files = runFiles(place.db, runId);
  const kept = new Set(files.flatMap(({ kind, epoch }) => (kind === 'weights' ? [epoch] : [])));
  return (
    keepEpochs.every((epoch) => kept.has(epoch)) &&
    files.every((file) => isPresent(place, runId, file))
  );
}
