import type { Reading, ReadingOffer } from '../../contract/reading.ts';
import { offersFor, readTree } from '../../host/datasets/formats/all.ts';
import type { Candidate, Read } from '../../host/datasets/formats/reader.ts';
import type { Tree } from '../../host/datasets/tree.ts';
import { openTree } from '../../host/datasets/tree.ts';
import { picture, put } from './datasets-folder.ts';

const { signal } = new AbortController();

export function treeAt(path: string): Promise<Tree> {
  return openTree(path, { signal });
}

export async function offersAt(path: string): Promise<ReadingOffer[]> {
  return offersFor(await treeAt(path));
}

/** Reads a path as `reading` says; without one as the first offer does. */
export async function readAt(path: string, reading?: Reading): Promise<Read> {
  const tree = await treeAt(path);
  const chosen = reading ?? (await offersFor(tree))[0]?.reading;
  if (!chosen) throw new Error(`no offer for ${path}`);
  return readTree(tree, chosen, { signal, salt: 'salt' });
}

/** The candidates by their paths. */
export function byPath({ candidates }: Read): Record<string, Candidate> {
  return Object.fromEntries(candidates.map((candidate) => [candidate.file.path, candidate]));
}

export function reasons({ skipped }: Read): Record<string, string> {
  return Object.fromEntries(skipped.map(({ path, reason }) => [path, reason]));
}

/** Writes a different small PNG at each path. */
export async function putPictures(root: string, paths: string[]): Promise<void> {
  for (const [i, path] of paths.entries()) put(root, path, await picture(i + 1));
}
