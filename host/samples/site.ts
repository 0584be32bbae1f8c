import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { availableParallelism } from 'node:os';
import type { Progress } from '../../contract/jobs.ts';
import { fileError } from '../files.ts';
import { RateMeter } from '../jobs/rate.ts';
import type { FetchPackage } from './packages.ts';
import type { Picture } from './picture.ts';

/** What a recipe is given to work with: packages in, pictures out. */
export interface Site {
  signal: AbortSignal;
  /** Pictures drawn at the same time. */
  lanes: number;
  /** Fetches name@version and returns its tarball's path. */
  fetch(spec: string): Promise<string>;
  /** Stores a picture. */
  take(picture: Picture): Promise<void>;
  progress(step: { phase: string; done: number; total?: number; unit: string }): void;
}

/** A picture as metadata.csv and about.json have it. */
export type StoredPicture = Omit<Picture, 'png' | 'name'> & { file: string };

export interface BuildingSite extends Site {
  /** What was taken so far, in no order. */
  stored: StoredPicture[];
}

export interface SiteOptions {
  /** Where packages wait to be read. */
  store: string;
  signal: AbortSignal;
  onProgress: (progress: Progress) => void;
  fetchPackage: FetchPackage;
}

/** A site that stores pictures as `<folder>/<domain>/<class>/<name>.png`. */
export function openSite(folder: string, options: SiteOptions): BuildingSite {
  const { store, signal, onProgress, fetchPackage } = options;
  const stored: StoredPicture[] = [];
  const rates = new RateMeter();
  const progress: Site['progress'] = ({ phase, done, total = null, unit }) =>
    onProgress({ phase, done, total, unit, ...rates.update(done, total) });
  return {
    signal,
    // Drawing happens on libuv's threads; two pictures per core keep them fed.
    lanes: 2 * availableParallelism(),
    stored,
    progress,
    async fetch(spec) {
      progress({ phase: `fetching ${spec}`, done: 0, unit: 'packages' });
      const place = join(store, spec.replace(/[^a-z0-9.@-]/gi, '_'));
      await mkdir(place, { recursive: true });
      return fetchPackage(spec, place, signal);
    },
    async take({ png, name, ...rest }) {
      const file = `${rest.domain}/${rest.label}/${name}.png`;
      await storeFile(join(folder, file), png);
      stored.push({ file, ...rest });
    },
  };
}

async function storeFile(path: string, content: Uint8Array): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  } catch (error) {
    throw fileError(error, path, 'write');
  }
}
