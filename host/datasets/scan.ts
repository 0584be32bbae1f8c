import { hash, randomBytes } from 'node:crypto';
import { realpath, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import type { ImportReport, SkippedFile } from '../../contract/datasets.ts';
import { CarryoverError } from '../../contract/errors.ts';
import type { Progress } from '../../contract/jobs.ts';
import { fileError, systemCode } from '../files.ts';
import { RateMeter } from '../jobs/rate.ts';
import { mapConcurrently } from './concurrent.ts';
import { groupImages } from './groups.ts';
import type { InspectedImage } from './inspect.ts';
import { inspect } from './inspect.ts';
import type { Placed } from './layout.ts';
import { arrange } from './layout.ts';
import type { ImageMetadata, Metadata } from './metadata.ts';
import { imageKey, readMetadata } from './metadata.ts';
import { byCodeUnits, counted, fewOf } from './order.ts';
import { buildReport } from './report.ts';
import { walk } from './walk.ts';

/** An image with everything that an import stores of it. */
export type ScannedImage = Placed<InspectedImage> & ImageMetadata & { group: string };

/** A finished dry run: nothing was written anywhere. */
export interface Scan {
  id: string;
  /** Real path of the folder. */
  root: string;
  /** See DatasetSummary. */
  contentHash: string;
  /** In the order of their paths. */
  images: ScannedImage[];
  report: ImportReport;
}

export interface ScanOptions {
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
}

/**
 * Looks at every file of a folder of images (`class/image` or `domain/class/image`), decoding each
 * to its end. Throws CarryoverError: `not-found`, `bad-input` (no folder, no image, a broken
 * metadata.csv), `io`; on abort the signal's reason.
 */
export async function scanFolder(path: string, options: ScanOptions = {}): Promise<Scan> {
  const signal = options.signal ?? new AbortController().signal;
  const onProgress = options.onProgress ?? (() => undefined);
  const root = await realFolder(path);
  const walked = await list(root, signal, onProgress);
  const metadata = await readMetadata(root);
  const { images, skipped } = await inspectAll(root, walked.files, signal, onProgress);
  const arranged = arrange(images.sort((a, b) => byCodeUnits(a.path, b.path)));
  const allSkipped = [...walked.skipped, ...skipped, ...arranged.skipped];
  allSkipped.sort((a, b) => byCodeUnits(a.path, b.path));
  if (arranged.images.length === 0) throw nothingFound(root, walked.files.length, allSkipped);
  const { described, joined } = describe(arranged.images, metadata);
  return {
    id: randomBytes(6).toString('hex'),
    root,
    contentHash: contentHash(described),
    images: described,
    report: buildReport({
      root,
      layout: arranged.layout,
      images: described,
      skipped: allSkipped,
      layoutWarnings: arranged.warnings,
      metadata,
      joined,
    }),
  };
}

/** The real path of a folder that is there. */
async function realFolder(path: string): Promise<string> {
  const absolute = resolve(path);
  try {
    const root = await realpath(absolute);
    if ((await stat(root)).isDirectory()) return root;
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw fileError(error, absolute, 'read the folder');
    const wayOut = 'check the spelling of the path';
    throw new CarryoverError('not-found', `there is no folder ${absolute}`, {
      file: absolute,
      wayOut,
    });
  }
  throw new CarryoverError('bad-input', `${absolute} is a file, not a folder`, {
    file: absolute,
    wayOut: 'give the folder that holds the class folders',
  });
}

async function list(root: string, signal: AbortSignal, onProgress: (progress: Progress) => void) {
  const meter = new RateMeter();
  const onFound = (done: number): void => {
    const speed = meter.update(done, null);
    onProgress({ phase: 'listing files', done, total: null, unit: 'files', ...speed });
  };
  try {
    return await walk(root, { signal, onFound });
  } catch (error) {
    if (signal.aborted) throw error;
    throw fileError(error, root, 'read the folder');
  }
}

async function inspectAll(
  root: string,
  files: Parameters<typeof inspect>[1][],
  signal: AbortSignal,
  onProgress: (progress: Progress) => void,
): Promise<{ images: InspectedImage[]; skipped: SkippedFile[] }> {
  const images: InspectedImage[] = [];
  const skipped: SkippedFile[] = [];
  const meter = new RateMeter();
  const total = files.length;
  let done = 0;
  await mapConcurrently(files, 2 * availableParallelism(), async (file) => {
    signal.throwIfAborted();
    const outcome = await inspect(root, file);
    if (typeof outcome === 'string') skipped.push({ path: file.path, reason: outcome });
    else images.push(outcome);
    done++;
    const speed = meter.update(done, total);
    onProgress({ phase: 'reading images', done, total, unit: 'files', ...speed });
  });
  return { images, skipped };
}

function nothingFound(root: string, files: number, skipped: SkippedFile[]): CarryoverError {
  const wayOut = 'give a folder with images in class folders: FOLDER/CLASS/image.png';
  if (skipped.length === 0) {
    return new CarryoverError('bad-input', `${root} is empty`, { file: root, wayOut });
  }
  const examples = skipped.map(({ path, reason }) => `${path} (${reason})`);
  return new CarryoverError(
    'bad-input',
    `${root} holds no image that can be taken; ${counted(files, 'file')} found, skipped: ${fewOf(examples)}`,
    { file: root, wayOut },
  );
}

const UNDESCRIBED: ImageMetadata = { group: null, licence: null, attribution: null, source: null };

/** Attaches the rows of the metadata and the final groups. */
function describe(
  images: Placed<InspectedImage>[],
  metadata: Metadata | null,
): { described: ScannedImage[]; joined: number } {
  const rows = images.map(({ path }) => metadata?.rows.get(imageKey(path)) ?? UNDESCRIBED);
  const named = images.map(({ sha256 }, i) => ({ sha256, group: rows[i]?.group ?? null }));
  const { groups, joined } = groupImages(named);
  const described = images.map((image, i) => ({
    ...image,
    ...(rows[i] ?? UNDESCRIBED),
    group: groups[i] ?? image.sha256,
  }));
  return { described, joined };
}

/** SHA-256 over the sorted (domain, class, group, content hash) of the images, as JSON lines. */
function contentHash(images: ScannedImage[]): string {
  const lines = images.map(({ domain, label, group, sha256 }) =>
    JSON.stringify([domain, label, group, sha256]),
  );
  return hash('sha256', lines.sort(byCodeUnits).join('\n'));
}
