import type { Dirent } from 'node:fs';
import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import type { SkippedFile } from '../../contract/datasets.ts';
import { systemCode } from '../files.ts';
import { mapConcurrently } from './concurrent.ts';
import type { TreeOptions } from './tree.ts';

/** Files that systems and this program put beside images; never worth a word. */
const SILENT = new Set(['.DS_Store', 'Thumbs.db', 'desktop.ini']);
const STATS_AT_ONCE = 32;

/** A regular file below the root (or a link in it to one). */
export interface FoundFile {
  /** Relative to the root, '/' between parts. */
  path: string;
  bytes: number;
  modifiedMs: number;
}

export interface Walked {
  files: FoundFile[];
  skipped: SkippedFile[];
  /** Ended before all was seen, as was asked for. */
  truncated: boolean;
}

/** Absolute path of a relative one as this module gives them. */
export function absolutePath(root: string, path: string): string {
  return join(root, ...path.split('/'));
}

/**
 * Why a file or folder of this name is never taken ('': not worth a word); null: it is.
 */
export function passedOver(name: string, folder: boolean): string | null {
  if (SILENT.has(name)) return '';
  if (name === '__MACOSX') return 'left by a zip program of macOS';
  if (name.startsWith('.')) return folder ? 'hidden folder' : 'hidden file';
  return null;
}

/**
 * Lists every file below `root` (a real path). Links are followed to files inside the root only,
 * folders never through a link, so no loop can hold it. What cannot be taken is skipped with a reason.
 * `most` ends the list after the folder in which it is reached.
 */
export async function walk(root: string, options: TreeOptions): Promise<Walked> {
  const walked: Walked = { files: [], skipped: [], truncated: false };
  const folders = [''];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    options.signal.throwIfAborted();
    const entries = await list(root, folder, walked);
    const below = folder;
    await mapConcurrently(entries, STATS_AT_ONCE, async (entry) => {
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      const outcome = await visit(root, path, entry);
      if (outcome === 'folder') folders.push(path);
      else if (typeof outcome === 'string') walked.skipped.push({ path, reason: outcome });
      else if (outcome) walked.files.push(outcome);
    });
    options.onFound?.(walked.files.length);
    const isMost = walked.files.length >= (options.most ?? Infinity);
    if (isMost && folders.length > 0) return { ...walked, truncated: true };
  }
  return walked;
}

async function list(root: string, folder: string, walked: Walked): Promise<Dirent[]> {
  try {
    return await readdir(absolutePath(root, folder), { withFileTypes: true });
  } catch (error) {
    if (folder === '') throw error;
    walked.skipped.push({ path: folder, reason: `the folder ${unreadable(error)}` });
    return [];
  }
}

/** The file, 'folder', the reason to skip it, or null for what needs no mention. */
async function visit(
  root: string,
  path: string,
  entry: Dirent,
): Promise<FoundFile | 'folder' | string | null> {
  const { name } = entry;
  const over = passedOver(name, entry.isDirectory());
  if (over !== null) return over === '' ? null : over;
  if (entry.isDirectory()) return 'folder';
  try {
    if (entry.isSymbolicLink()) return await followLink(root, path);
    if (!entry.isFile()) return 'not a regular file';
    const { size, mtimeMs } = await lstat(absolutePath(root, path));
    return { path, bytes: size, modifiedMs: mtimeMs };
  } catch (error) {
    if (name.includes('\uFFFD')) return 'its name is not valid UTF-8';
    return unreadable(error);
  }
}

async function followLink(root: string, path: string): Promise<FoundFile | string> {
  const link = absolutePath(root, path);
  let target: string;
  try {
    target = await realpath(link);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ELOOP') return 'symbolic link that leads back to itself';
    if (code === 'ENOENT') return 'symbolic link to nothing';
    return `symbolic link that ${unreadable(error)}`;
  }
  const info = await stat(target);
  if (info.isDirectory()) return 'symbolic link to a folder (links to folders are not followed)';
  if (!info.isFile()) return 'symbolic link to something that is not a regular file';
  if (!isInside(root, target)) return 'symbolic link to a file outside of the folder';
  return { path, bytes: info.size, modifiedMs: info.mtimeMs };
}

function isInside(root: string, path: string): boolean {
  const way = relative(root, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** Why the system would not read something, as the end of a sentence. */
export function unreadable(error: unknown): string {
  const code = systemCode(error);
  if (code === 'EACCES' || code === 'EPERM') return 'cannot be read: permission denied';
  if (code === 'ENOENT') return 'cannot be read: it went away during the scan';
  return `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
}
