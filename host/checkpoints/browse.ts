import { readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { WeightsListing } from '../../contract/api.ts';
import { mapConcurrently } from '../datasets/concurrent.ts';
import { listFolders } from '../datasets/folders.ts';
import { byCodeUnits } from '../datasets/order.ts';

/** What weights files usually end in; others are taken too, by their typed path. */
const ENDINGS = new Set([
  '.safetensors',
  '.pth',
  '.pt',
  '.bin',
  '.ckpt',
  '.tar',
  '.h5',
  '.hdf5',
  '.keras',
  '.onnx',
  '.json',
]);
const STATS_AT_ONCE = 32;

/** The folders in a folder and the files that may hold weights. Default: the user's own. */
export async function listWeights(path?: string): Promise<WeightsListing> {
  const listing = await listFolders(path);
  const names = (await readdir(listing.path)).filter(
    (name) => !name.startsWith('.') && ENDINGS.has(extname(name).toLowerCase()),
  );
  const files = await mapConcurrently(names.sort(byCodeUnits), STATS_AT_ONCE, async (name) => {
    const path = join(listing.path, name);
    const info = await stat(path).catch(() => null);
    return info?.isFile() ? { name, path, bytes: info.size } : null;
  });
  return { ...listing, files: files.filter((file) => file !== null) };
}
