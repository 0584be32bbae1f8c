/** A first look at what was dropped: ways to read it, and what a reading would make of it. */
import { basename, extname, resolve } from 'node:path';
import { CarryoverError } from '../../contract/errors.ts';
import type {
  PreviewRow,
  Reading,
  ReadingPreview,
  SourceLook,
  TableColumn,
} from '../../contract/reading.ts';
import { offersFor, readTree } from './formats/all.ts';
import { aroundTable } from './formats/around.ts';
import { describeLevels, folderPaths } from './formats/folder-levels.ts';
import type { Candidate, Read } from './formats/reader.ts';
import { sampleTable } from './formats/table-columns.ts';
import { tablesOf } from './formats/table-offers.ts';
import { looksLikeImage } from './inspect.ts';
import { byCodeUnits, sortedSet } from './order.ts';
import type { Tree } from './tree.ts';
import { openTree } from './tree.ts';

/** Listing more takes longer than people wait for a look. */
const MOST_FILES = 100_000;
const KEPT_MS = 60_000;
const TREES_KEPT = 2;
const ROWS_PER_CLASS = 3;
const MOST_ROWS = 60;
const MOST_REASONS = 8;
const MOST_VALUES = 200;

/** Trees of the last looks, so that previews follow the user's choices at once. */
const kept = new Map<string, { tree: Promise<Tree>; timer: NodeJS.Timeout }>();

/** Lists what lies at a path and offers ways to read it; no image is opened. Throws as `openTree`. */
export async function lookAt(path: string): Promise<SourceLook> {
  forget(path);
  const tree = await treeAt(path);
  const offers = await offersFor(tree);
  const { levels, tables } = { levels: describeLevels(folderPaths(tree)), tables: tablesOf(tree) };
  const described: SourceLook['tables'] = [];
  for (const file of tables) {
    const sampled = await sampleTable(tree, file).catch(brokenTable);
    if (!sampled) continue;
    const columns = sampled.columns.map(({ name, distinct, blank, examples }): TableColumn => {
      return { name, distinct, blank, examples };
    });
    described.push({ file: file.path, rows: sampled.rows, columns });
  }
  return {
    path: resolve(path),
    name: nameOf(path),
    files: tree.files.length,
    truncated: tree.truncated,
    offers,
    why: offers.length > 0 ? null : whyNothing(tree),
    levels,
    tables: described,
  };
}

/** What a reading would make of a path; images are not opened, so some may yet be refused. */
export async function previewReading(path: string, reading: Reading): Promise<ReadingPreview> {
  const tree = await treeAt(path);
  const { signal } = new AbortController();
  // Groups of DICOM files are hashed; for a look any salt will do, as nothing is stored.
  const read = await readTree(tree, reading, { signal, salt: '' });
  return toPreview(tree, read, reading.format === 'folders');
}

function treeAt(path: string): Promise<Tree> {
  const key = resolve(path);
  const known = kept.get(key);
  if (known) {
    known.timer.refresh();
    return known.tree;
  }
  const options = { signal: new AbortController().signal, most: MOST_FILES };
  const tree = openTree(key, options).then((opened) => aroundTable(opened, options));
  tree.catch(() => forget(key));
  const timer = setTimeout(() => kept.delete(key), KEPT_MS).unref();
  kept.set(key, { tree, timer });
  for (const old of [...kept.keys()].slice(0, -TREES_KEPT)) forget(old);
  return tree;
}

function forget(path: string): void {
  const key = resolve(path);
  clearTimeout(kept.get(key)?.timer);
  kept.delete(key);
}

function brokenTable(error: unknown): null {
  if (error instanceof CarryoverError && error.code === 'bad-input') return null;
  throw error;
}

/** "CheXpert-v1.0-small", "PACS" of PACS.zip. */
function nameOf(path: string): string {
  const name = basename(resolve(path));
  const isFile = /\.(zip|tar|csv|tsv|jsonl|ndjson|json|npz|dcm)$/i.test(name);
  return (isFile ? basename(name, extname(name)) : name).slice(0, 100) || 'data set';
}

function whyNothing({ files, root }: Tree): string {
  if (files.length === 0) return `${root} is empty`;
  if (files.some(({ path }) => looksLikeImage(path))) {
    return 'the images lie in no class folders, and no table says what is on them';
  }
  return 'no image is among the files, by their names, and no other data set that is known';
}

/** `unsure`: the reading takes any file, so that only names tell what is an image. */
function toPreview(tree: Tree, read: Read, unsure: boolean): ReadingPreview {
  const taken = read.candidates.filter(({ file }) => !unsure || mayBeImage(file.path));
  const others = read.candidates.length - taken.length;
  const reasons = countOf(read.skipped.map(({ reason }) => withoutPlace(reason)));
  if (others > 0) reasons.set('no image by its name', others);
  const skipped = read.skipped.length + others;
  const warnings = [...read.warnings];
  if (tree.truncated) {
    warnings.unshift(`only the first ${tree.files.length} files were listed; the import reads all`);
  }
  return {
    task: read.task,
    images: taken.length,
    rows: exampleRows(taken),
    classes: countsOf(taken.flatMap(labelsOf), read.classNames),
    domains: countsOf(taken.map(({ domain }) => domain)),
    splits: countsOf(taken.flatMap(({ split }) => split ?? [])),
    skipped,
    reasons: [...reasons]
      .sort(([, a], [, b]) => b - a)
      .slice(0, MOST_REASONS)
      .map(([reason, files]) => ({ reason, files })),
    warnings,
  };
}

function mayBeImage(path: string): boolean {
  const ending = extname(path).toLowerCase();
  return ending === '' || ending === '.dcm' || looksLikeImage(path);
}

/** Reasons that differ only in the line or file they were found at are one. */
function withoutPlace(reason: string): string {
  return reason
    .replace(/ \([^()]*(line|image) [^()]*\).*$/, '')
    .replace(/ files have that name: .*/, ' files have that name');
}

function labelsOf({ label, findings }: Candidate): string[] {
  if (label !== null) return [label];
  return [...(findings ?? [])].flatMap(([name, value]) => (value === 1 ? [name] : []));
}

function countOf(names: string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

function countsOf(
  names: string[],
  order: string[] | null = null,
): { name: string; images: number }[] {
  const counts = countOf(names);
  const all = order ?? sortedSet(counts.keys());
  return all.slice(0, MOST_VALUES).map((name) => ({ name, images: counts.get(name) ?? 0 }));
}

/** The first images of each class, the classes in turn. */
function exampleRows(candidates: Candidate[]): PreviewRow[] {
  const shown = new Map<string, number>();
  const rows: { turn: number; row: PreviewRow }[] = [];
  for (const candidate of candidates) {
    const label = labelsOf(candidate).join(', ');
    const turn = shown.get(label) ?? 0;
    if (turn >= ROWS_PER_CLASS || (turn > 0 && shown.size > MOST_ROWS)) continue;
    shown.set(label, turn + 1);
    const { file, frame, domain, split, group, attributes } = candidate;
    const path = frame === null ? file.path : `${file.path}#${frame}`;
    rows.push({ turn, row: { path, domain, label, split, group, attributes } });
  }
  rows.sort((a, b) => a.turn - b.turn || byCodeUnits(a.row.path, b.row.path));
  return rows.slice(0, MOST_ROWS).map(({ row }) => row);
}
