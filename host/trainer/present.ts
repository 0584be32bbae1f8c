import { stat } from 'node:fs/promises';
import { CarryoverError } from '../../contract/errors.ts';
import type { Place } from '../../engine/transforms/place.ts';

/** Stops at the first file of images that is gone, naming it and how many are. */
export async function checkPresent(places: readonly Place[]): Promise<void> {
  const files = [...new Set(places.map(({ file }) => file))];
  const missing: string[] = [];
  for (let first = 0; first < files.length; first += 256) {
    const some = files.slice(first, first + 256);
    const found = await Promise.all(some.map((path) => stat(path).catch(() => null)));
    found.forEach((info, i) => {
      if (!info?.isFile()) missing.push(some[i] ?? '');
    });
  }
  const [file] = missing;
  if (file === undefined) return;
  const many =
    missing.length === 1 ? 'a file of images is' : `${missing.length} files of images are`;
  throw new CarryoverError('not-found', `${many} gone, the first is ${file}`, {
    file,
    wayOut: 'put them back, or say where they lie now: `carryover datasets relink`',
  });
}
