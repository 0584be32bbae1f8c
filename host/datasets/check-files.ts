import type { FileCheck, ImageDetail } from '../../contract/datasets.ts';
import type { Progress } from '../../contract/jobs.ts';
import type { HostContext } from '../context.ts';
import { RateMeter } from '../jobs/rate.ts';
import { mapConcurrently } from './concurrent.ts';
import { fileState, getSummary } from './read.ts';
import { absolutePath } from './walk.ts';

const AT_ONCE = 16;

interface KnownFile {
  id: number;
  path: string;
  file: string;
  entry: string | null;
  frame: number | null;
  bytes: number;
  modifiedMs: number;
  sha256: string;
}

/**
 * What became of the files of a data set: by size and time, and where just the time differs by
 * content. Throws CarryoverError `not-found` for an unknown data set; on abort the signal's reason.
 */
export async function checkFiles(
  { db }: HostContext,
  id: string,
  options: { signal: AbortSignal; onProgress: (progress: Progress) => void },
): Promise<FileCheck> {
  const { root } = getSummary(db, id);
  const images = db
    .prepare<[string], KnownFile>(
      `SELECT id, path, file, entry, frame, bytes, modified_ms AS modifiedMs, sha256
       FROM images WHERE dataset_id = ? ORDER BY path`,
    )
    .all(id);
  const meter = new RateMeter();
  const total = images.length;
  let done = 0;
  const states = await mapConcurrently(images, AT_ONCE, async (image) => {
    options.signal.throwIfAborted();
    const { file, entry, frame } = image;
    const state = await fileState({ file: absolutePath(root, file), entry, frame }, image);
    const speed = meter.update(++done, total);
    options.onProgress({ phase: 'checking files', done, total, unit: 'images', ...speed });
    return state;
  });
  const those = (wanted: ImageDetail['state']): FileCheck['missing'] =>
    images
      .filter((_, i) => states[i] === wanted)
      .map((image) => ({ id: image.id, path: image.path }));
  return { images: total, missing: those('missing'), changed: those('changed') };
}
