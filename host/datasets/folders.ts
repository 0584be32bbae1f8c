import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { FolderListing } from '../../contract/api.ts';
import { CarryoverError } from '../../contract/errors.ts';
import { fileError, systemCode } from '../files.ts';
import { mapConcurrently } from './concurrent.ts';
import { looksLikeImage } from './inspect.ts';
import { byCodeUnits } from './order.ts';

const STATS_AT_ONCE = 32;
/** Files that are data sets by themselves. */
const SOURCES = /(^DICOMDIR|\.(zip|tar|csv|tsv|jsonl|ndjson|npz|json|dcm))$/i;

/** The folders in a folder (hidden ones left out), for choosing one to import. Default: the user's own. */
export async function listFolders(path: string = homedir()): Promise<FolderListing> {
  const folder = resolve(path);
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw cannotList(error, folder);
  });
  const visible = entries.filter(({ name }) => !name.startsWith('.'));
  const isFolder = await mapConcurrently(visible, STATS_AT_ONCE, async (entry) => {
    if (!entry.isSymbolicLink()) return entry.isDirectory();
    return stat(join(folder, entry.name)).then(
      (target) => target.isDirectory(),
      () => false,
    );
  });
  const parent = dirname(folder);
  const listed = (entries: Dirent[]): { name: string; path: string }[] =>
    entries
      .map(({ name }) => ({ name, path: join(folder, name) }))
      .sort((a, b) => byCodeUnits(a.name, b.name));
  return {
    path: folder,
    parent: parent === folder ? null : parent,
    folders: listed(visible.filter((_, i) => isFolder[i])),
    sources: listed(visible.filter(({ name }, i) => !isFolder[i] && SOURCES.test(name))),
    images: visible.filter(({ name }, i) => !isFolder[i] && looksLikeImage(name)).length,
  };
}

function cannotList(error: unknown, folder: string): CarryoverError {
  const code = systemCode(error);
  if (code === 'ENOENT') {
    return new CarryoverError('not-found', `there is no folder ${folder}`, { file: folder });
  }
  if (code === 'ENOTDIR') {
    return new CarryoverError('bad-input', `${folder} is a file, not a folder`, { file: folder });
  }
  return fileError(error, folder, 'list');
}
