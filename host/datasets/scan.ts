import type { Database } from 'better-sqlite3';
import { hash, randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { setImmediate as breathe } from 'node:timers/promises';
import type { ImportReport, SkippedFile } from '../../contract/datasets.ts';
import { CarryoverError } from '../../contract/errors.ts';
import type { Progress } from '../../contract/jobs.ts';
import type { Reading } from '../../contract/reading.ts';
import { placeText } from '../../engine/transforms/place.ts';
import { RateMeter } from '../jobs/rate.ts';
import { mapConcurrently } from './concurrent.ts';
import { offersFor, readTree } from './formats/all.ts';
import type { Candidate, Read } from './formats/reader.ts';
import { groupImages } from './groups.ts';
import type { Inspected, Outcome } from './inspect.ts';
import { inspectFrames } from './inspect.ts';
import type { Piece } from './inspections.ts';
import { Inspections } from './inspections.ts';
import { byCodeUnits, counted, fewOf } from './order.ts';
import { buildReport } from './report.ts';
import { identifierSalt } from './salt.ts';
import type { Tree } from './tree.ts';
import { openTree } from './tree.ts';
import { absolutePath } from './walk.ts';

/** An image with everything that an import stores of it. */
export type ScannedImage = Omit<Candidate, 'group'> &
  Inspected & {
    /** See `placeText`; unique. */
    path: string;
    group: string;
  };

/** A finished dry run: nothing was imported. */
export interface Scan {
  id: string;
  /** Real path of the folder, or of the one that the file lies in. */
  root: string;
  /** See DatasetSummary. */
  contentHash: string;
  /** In the order in which the source has them. */
  images: ScannedImage[];
  report: ImportReport;
}

export interface ScanOptions {
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
}

type Watch = Required<ScanOptions>;

/** Where results are kept; null: nowhere, and nothing is written. */
export type ScanHome = { db: Database } | null;

/**
 * Looks at every image that a source speaks of, decoding each to its end. What was found in a file
 * is kept in the home, so a scan that was cut off goes on where it was, and an unchanged file is
 * not opened again.
 * @param reading null: the best there is
 * @throws not-found, bad-input (nothing that can be read, a broken table), io; on abort the signal's reason
 */
export async function scanSource(
  home: ScanHome,
  path: string,
  reading: Reading | null = null,
  options: ScanOptions = {},
): Promise<Scan> {
  const { signal = new AbortController().signal, onProgress = () => undefined } = options;
  const watch = { signal, onProgress };
  const tree = await openTree(path, { signal, onFound: counter(watch, 'listing files', 'files') });
  const chosen = reading ?? (await bestReading(tree));
  const db = home?.db ?? null;
  const read = await readTree(tree, chosen, {
    signal,
    onProgress: counter(watch, 'reading what the source says', 'images'),
    salt: identifierSalt(db),
  });
  const { taken, skipped } = await inspectAll(tree, read, new Inspections(db), watch);
  const allSkipped = [...tree.skipped, ...read.skipped, ...skipped];
  allSkipped.sort((a, b) => byCodeUnits(a.path, b.path));
  if (taken.length === 0) throw nothingFound(tree, allSkipped);
  const { images, joined } = grouped(taken);
  return {
    id: randomBytes(6).toString('hex'),
    root: tree.root,
    contentHash: contentHash(images),
    images,
    report: buildReport({
      root: tree.root,
      reading: chosen,
      read,
      images,
      ungrouped: taken.filter(({ candidate }) => candidate.group === null),
      skipped: allSkipped,
      joined,
    }),
  };
}

/** Reports a count without a known end. */
function counter({ onProgress }: Watch, phase: string, unit: string): (done: number) => void {
  const meter = new RateMeter();
  return (done) => onProgress({ phase, done, total: null, unit, ...meter.update(done, null) });
}

async function bestReading(tree: Tree): Promise<Reading> {
  const [best] = await offersFor(tree);
  if (best) return best.reading;
  throw nothingFound(tree, tree.skipped);
}

interface Taken {
  path: string;
  candidate: Candidate;
  outcome: Inspected;
}

const FRAMES_AT_ONCE = 1000;

/** Candidates one after the other that lie in the same file, at most a thousand together. */
function piecesOf(tree: Tree, candidates: readonly Candidate[]): Piece[] {
  const pieces: Piece[] = [];
  let last: Piece | undefined;
  for (const { file, frame } of candidates) {
    const joins =
      last !== undefined &&
      frame !== null &&
      last.file.file === file.file &&
      last.file.entry === file.entry &&
      last.frames.length < FRAMES_AT_ONCE;
    if (last !== undefined && joins) {
      last.frames.push(frame);
      continue;
    }
    last = { file, absolute: absolutePath(tree.root, file.file), frames: [frame] };
    pieces.push(last);
  }
  return pieces;
}

/** How many pieces are looked up between two moments in which others may have the thread. */
const LOOK_UPS_AT_ONCE = 1000;

async function inspectAll(
  tree: Tree,
  { candidates }: Read,
  kept: Inspections,
  watch: Watch,
): Promise<{ taken: Taken[]; skipped: SkippedFile[] }> {
  const pieces = piecesOf(tree, candidates);
  const outcomes = new Map<Piece, Outcome[]>();
  const meter = new RateMeter();
  const total = candidates.length;
  let done = 0;
  const take = (piece: Piece, found: Outcome[]): void => {
    outcomes.set(piece, found);
    done += found.length;
    const speed = meter.update(done, total);
    watch.onProgress({ phase: 'reading images', done, total, unit: 'images', ...speed });
  };
  for (const [i, piece] of pieces.entries()) {
    if (i % LOOK_UPS_AT_ONCE === 0) await breathe();
    watch.signal.throwIfAborted();
    const found = kept.find(piece);
    if (found) take(piece, found);
  }
  const fresh = pieces.filter((piece) => !outcomes.has(piece));
  try {
    await lookAtAll(fresh, watch.signal, (piece, found) => {
      kept.keep(piece, found);
      take(piece, found);
    });
  } finally {
    kept.flush();
  }
  if (tree.single === null) kept.forgetGone(tree.root, tree.files);
  return sortOut(candidates, pieces.map((piece) => outcomes.get(piece) ?? []).flat());
}

async function lookAtAll(
  pieces: readonly Piece[],
  signal: AbortSignal,
  take: (piece: Piece, found: Outcome[]) => void,
): Promise<void> {
  const refused: Piece[] = [];
  await mapConcurrently(pieces, 2 * availableParallelism(), async (piece) => {
    signal.throwIfAborted();
    const found = await lookAtPiece(piece);
    if (found.some((outcome) => 'reason' in outcome)) refused.push(piece);
    else take(piece, found);
  });
  // libvips mixes up the complaints of decoders that run at once: each is heard alone.
  for (const piece of refused) {
    signal.throwIfAborted();
    take(piece, await lookAtPiece(piece));
  }
}

async function lookAtPiece({ file, absolute, frames }: Piece): Promise<Outcome[]> {
  if (file.bytes > 0) return inspectFrames({ file: absolute, entry: file.entry }, frames);
  return frames.map(() => ({ reason: 'empty file (0 bytes)', lasting: true }));
}

function sortOut(
  candidates: readonly Candidate[],
  outcomes: readonly Outcome[],
): { taken: Taken[]; skipped: SkippedFile[] } {
  const taken: Taken[] = [];
  const skipped: SkippedFile[] = [];
  const paths = new Set<string>();
  for (const [i, candidate] of candidates.entries()) {
    const { file, frame } = candidate;
    const path = placeText(file.file, file.entry, frame);
    const outcome = outcomes[i]!;
    if ('reason' in outcome) skipped.push({ path, reason: outcome.reason });
    else if (paths.has(path)) skipped.push({ path, reason: 'named a second time' });
    else taken.push({ path, candidate, outcome });
    paths.add(path);
  }
  return { taken, skipped };
}

/** The images with their final groups; `joined`: see `groupImages`. */
function grouped(taken: readonly Taken[]): { images: ScannedImage[]; joined: number } {
  const own = taken.map(({ candidate, outcome }) => {
    return { sha256: outcome.sha256, group: candidate.group };
  });
  const { groups, joined } = groupImages(own);
  const images = taken.map(({ path, candidate, outcome }, i): ScannedImage => {
    return { ...candidate, ...outcome, path, group: groups[i]! };
  });
  return { images, joined };
}

function wayOutOf({ single }: Tree): string {
  if (single !== null && /\.npz$/i.test(single)) {
    return 'save train_images with train_labels (val_, test_) as MedMNIST has them';
  }
  if (single !== null && /(\.(csv|tsv|jsonl|ndjson|json)|idx[13]-ubyte(\.gz)?)$/i.test(single)) {
    return 'give the folder that holds the images and what is said of them';
  }
  return 'give a folder with images in class folders: FOLDER/CLASS/image.png';
}

function nothingFound(tree: Tree, skipped: SkippedFile[]): CarryoverError {
  const place = tree.single === null ? tree.root : absolutePath(tree.root, tree.single);
  const detail = { file: place, wayOut: wayOutOf(tree) };
  if (tree.files.length === 0 && skipped.length === 0) {
    return new CarryoverError('bad-input', `${place} is empty`, detail);
  }
  const examples = skipped.map(({ path, reason }) => `${path} (${reason})`);
  const why = examples.length === 0 ? '' : `, skipped: ${fewOf(examples)}`;
  return new CarryoverError(
    'bad-input',
    `${place} holds no image that can be taken; ${counted(tree.files.length, 'file')} found${why}`,
    detail,
  );
}

/** What an image shows, as the content hash has it: its class, or its findings in order. */
export function shown({ label, findings }: Pick<Candidate, 'label' | 'findings'>): unknown {
  if (findings === null) return label;
  return [...findings].sort(([a], [b]) => byCodeUnits(a, b));
}

/** SHA-256 over the sorted (domain, class or findings, group, content hash) of the images, as JSON lines. */
function contentHash(images: ScannedImage[]): string {
  const lines = images.map((image) =>
    JSON.stringify([image.domain, shown(image), image.group, image.sha256]),
  );
  return hash('sha256', lines.sort(byCodeUnits).join('\n'));
}
