import { stat } from 'node:fs/promises';
import { CarryoverError } from '../../contract/errors.ts';

/** Stops at the first image whose file is gone, naming it and how many are. */
export async function checkPresent(paths: readonly string[]): Promise<void> {
  const missing: string[] = [];
  for (let first = 0; first < paths.length; first += 256) {
    const some = paths.slice(first, first + 256);
    const found = await Promise.all(some.map((path) => stat(path).catch(() => null)));
    found.forEach((info, i) => {
      if (!info?.isFile()) missing.push(some[i] ?? '');
    });
  }
  const [file] = missing;
  if (file === undefined) return;
  throw new CarryoverError('not-found', `${missing.length} images are gone, the first is ${file}`, {
    file,
    wayOut: 'put the files back where they were imported from, or import the folder again',
  });
}
