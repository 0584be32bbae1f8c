/**
 * Importing many small pictures: the first time, and again with every file unchanged. Each in a
 * process of its own, as `carryover import` does it; the home is new, the pictures are in the
 * system's file cache as far as it holds them.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { homePaths, resolveHome } from '../host/home.ts';
import type { Bench, Choice } from './bench.ts';
import { iconFolder } from './icons.ts';
import type { ImportFigures } from './import-child.ts';

const child = fileURLToPath(new URL('./import-child.ts', import.meta.url));
const IMAGES = 100_000;
/** Seconds on two cores that a first and a second import of 100,000 pictures may take. */
const GOALS = { first: 180, again: 10 };

interface Result {
  images: number;
  first: ImportFigures;
  again: ImportFigures;
  /** Scaled to the number of pictures. */
  goals: typeof GOALS;
}

async function importOnce(folder: string, home: string): Promise<ImportFigures> {
  const { stdout } = await promisify(execFile)(process.execPath, [child, folder, home]);
  return JSON.parse(stdout) as ImportFigures;
}

async function measure({ images = IMAGES }: Choice): Promise<Result> {
  const folder = await iconFolder(homePaths(resolveHome()).cache, images);
  const home = await mkdtemp(join(tmpdir(), 'carryover-bench-import-'));
  try {
    const first = await importOnce(folder, home);
    const again = await importOnce(folder, home);
    const scale = images / IMAGES;
    const goals = { first: GOALS.first * scale, again: GOALS.again * scale };
    return { images, first, again, goals };
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

function lineOf(name: string, figures: ImportFigures, goal: number): string {
  const { scan, store, cpu, bytes, images } = figures;
  const [seconds, processor] = [scan + store, cpu].map((value) => value.toFixed(1));
  const parts = `scan ${scan.toFixed(1)} s, store ${store.toFixed(1)} s`;
  const memory = Math.round(bytes / 2 ** 20);
  return `${name}: ${seconds} s (${parts}; goal ${goal} s), ${processor} s of processor, ${memory} MiB, ${images} images`;
}

export const importing: Bench = {
  name: 'import',
  about: 'importing a large folder of small pictures, the first time and again',
  async run(choice) {
    const result = await measure(choice);
    const { first, again, goals } = result;
    return {
      results: [result],
      lines: [lineOf('first', first, goals.first), lineOf('again', again, goals.again)],
    };
  },
};
