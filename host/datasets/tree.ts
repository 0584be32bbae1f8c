/** What lies at a path that a user gave: a folder, a file, or an archive seen as a folder. */
import { readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, extname } from 'node:path';
import type { SkippedFile } from '../../contract/datasets.ts';
import { CarryoverError } from '../../contract/errors.ts';
import { compressed, openArchive, readEntry } from '../../engine/archives/archive.ts';
import type { Place } from '../../engine/transforms/place.ts';
import { fileError, systemCode } from '../files.ts';
import { byCodeUnits } from './order.ts';
import { absolutePath, passedOver, walk } from './walk.ts';

/** A regular file of a tree. */
export interface TreeFile {
  /** As the source's structure has it: relative to the folder, or inside the archive; '/' between parts. */
  path: string;
  /** The file on disk, relative to `Tree.root`. */
  file: string;
  /** In the archive that `file` is; null: the file itself. */
  entry: string | null;
  /** Of this file or entry. */
  bytes: number;
  /** Of the file on disk, to notice changes by. */
  fileBytes: number;
  modifiedMs: number;
}

export interface Tree {
  /** Real path of the folder; of a single file or an archive, the folder it lies in. */
  root: string;
  /** Name of the single file or archive that was given; null: a folder. */
  single: string | null;
  /** In the order of their paths. */
  files: TreeFile[];
  skipped: SkippedFile[];
  /** Listing was ended before all was seen (only where a limit was given). */
  truncated: boolean;
  /** By `TreeFile.path`. */
  find(path: string): TreeFile | null;
  /** The bytes of a file. Throws CarryoverError `io`, `not-found`, or `bad-input` over `limit` bytes. */
  read(file: TreeFile, limit?: number): Promise<Buffer>;
}

export interface TreeOptions {
  signal: AbortSignal;
  onFound?: (files: number) => void;
  /** Stops listing after so many files. */
  most?: number;
}

/** What `Tree.read` takes at most where it is not told. */
const MAX_READ = 2 ** 29;
/** Endings of archives that cannot be read image by image. */
const PACKED: [RegExp, string][] = [
  [/\.(tgz|tar\.gz)$/i, 'gzip'],
  [/\.(tbz2?|tar\.bz2)$/i, 'bzip2'],
  [/\.(txz|tar\.xz)$/i, 'xz'],
  [/\.(tzst|tar\.zst)$/i, 'Zstandard'],
  [/\.7z$/i, '7-Zip'],
  [/\.rar$/i, 'RAR'],
];

/**
 * Lists what lies at a path: a folder and all below it, the entries of a .zip or .tar, or just the
 * file itself. No contents are read; links are followed to files inside the folder only.
 * @throws not-found, io, unsupported (an archive packed as a whole), bad-input (a damaged archive)
 */
export async function openTree(path: string, options: TreeOptions): Promise<Tree> {
  const real = await realpath(path).catch((error: unknown) => {
    throw missing(error, path);
  });
  const info = await stat(real).catch((error: unknown) => {
    throw missing(error, path);
  });
  if (info.isDirectory()) return folderTree(real, options);
  if (!info.isFile()) {
    throw new CarryoverError('bad-input', `${path}: neither a folder nor a file`, { file: path });
  }
  const packing = PACKED.find(([ending]) => ending.test(real))?.[1];
  if (packing !== undefined) throw compressed(path, packing);
  const file = { file: basename(real), fileBytes: info.size, modifiedMs: info.mtimeMs };
  if (['.zip', '.tar'].includes(extname(real).toLowerCase())) {
    return archiveTree(real, file, options);
  }
  const single = { ...file, path: file.file, entry: null, bytes: info.size };
  return treeOf(dirname(real), file.file, [single], [], false);
}

/** Where the bytes of a file of a tree are; `frame` where it holds several images. */
export function placeIn(root: string, { file, entry }: TreeFile, frame: number | null): Place {
  return { file: absolutePath(root, file), entry, frame };
}

/** The entries of an archive that lies on disk as `file` has it, as files of a tree. */
export async function archiveFiles(
  root: string,
  file: Pick<TreeFile, 'file' | 'fileBytes' | 'modifiedMs'>,
  options: TreeOptions,
): Promise<Pick<Tree, 'files' | 'skipped' | 'truncated'>> {
  const { entries, skipped } = await openArchive(absolutePath(root, file.file));
  options.signal.throwIfAborted();
  const named = skipped.map(({ path, reason }) => ({ path: path || file.file, reason }));
  const reasons = new Map<string, string>();
  const files: TreeFile[] = [];
  for (const [path, { bytes }] of entries) {
    const over = overOf(path);
    if (over === null) {
      files.push({ path, file: file.file, entry: path, bytes, ...stateOf(file) });
    } else if (over.reason !== '') reasons.set(over.path, over.reason);
    if (options.most !== undefined && files.length >= options.most) break;
  }
  options.onFound?.(files.length);
  const passed = [...reasons].map(([path, reason]) => ({ path, reason }));
  const truncated = files.length < entries.size && files.length === options.most;
  return { files, skipped: [...named, ...passed], truncated };
}

function stateOf({ fileBytes, modifiedMs }: Pick<TreeFile, 'fileBytes' | 'modifiedMs'>) {
  return { fileBytes, modifiedMs };
}

/** The part of a path that is not taken, with the reason ('': not worth a word); null: all is taken. */
function overOf(path: string): { path: string; reason: string } | null {
  const parts = path.split('/');
  for (const [i, part] of parts.entries()) {
    const reason = passedOver(part, i < parts.length - 1);
    if (reason !== null) return { path: parts.slice(0, i + 1).join('/'), reason };
  }
  return null;
}

async function archiveTree(
  real: string,
  file: Pick<TreeFile, 'file' | 'fileBytes' | 'modifiedMs'>,
  options: TreeOptions,
): Promise<Tree> {
  const root = dirname(real);
  const { files, skipped, truncated } = await archiveFiles(root, file, options);
  return treeOf(root, file.file, files, skipped, truncated);
}

async function folderTree(root: string, options: TreeOptions): Promise<Tree> {
  const { files, skipped, truncated } = await walk(root, options).catch((error: unknown) => {
    if (options.signal.aborted) throw error;
    throw fileError(error, root, 'list');
  });
  const found = files.map(({ path, bytes, modifiedMs }) => {
    return { path, file: path, entry: null, bytes, fileBytes: bytes, modifiedMs };
  });
  return treeOf(root, null, found, skipped, truncated);
}

function treeOf(
  root: string,
  single: string | null,
  files: TreeFile[],
  skipped: SkippedFile[],
  truncated: boolean,
): Tree {
  files.sort((a, b) => byCodeUnits(a.path, b.path));
  skipped.sort((a, b) => byCodeUnits(a.path, b.path));
  let byPath: Map<string, TreeFile> | null = null;
  return {
    root,
    single,
    files,
    skipped,
    truncated,
    find(path) {
      byPath ??= new Map(files.map((file) => [file.path, file]));
      return byPath.get(path) ?? null;
    },
    read: (file, limit = MAX_READ) => readWhole(root, file, limit),
  };
}

async function readWhole(root: string, file: TreeFile, limit: number): Promise<Buffer> {
  const path = absolutePath(root, file.file);
  if (file.entry !== null) return readEntry(path, file.entry, limit);
  if (file.bytes > limit) {
    throw new CarryoverError(
      'bad-input',
      `${path}: ${file.bytes} bytes are over the limit of ${limit}`,
      { file: path },
    );
  }
  return readFile(path).catch((error: unknown) => {
    throw missing(error, path);
  });
}

function missing(error: unknown, path: string): CarryoverError {
  if (systemCode(error) !== 'ENOENT') return fileError(error, path, 'read');
  return new CarryoverError('not-found', `there is no folder or file ${path}`, {
    file: path,
    wayOut: 'check the path',
  });
}
