import type { Database } from 'better-sqlite3';
import { existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { Handlers, SampleInfo } from '../../contract/api.ts';
import type { Progress } from '../../contract/jobs.ts';
import type { HostContext } from '../context.ts';
import { importScan } from '../datasets/import.ts';
import { scanSource } from '../datasets/scan.ts';
import { buildSample, readAbout } from './build.ts';
import type { Sample } from './catalogue.ts';
import { SAMPLES, sampleNamed } from './catalogue.ts';

export function sampleHandlers(
  context: HostContext,
): Pick<Handlers, 'samples.list' | 'samples.build'> {
  return {
    'samples.list': () => SAMPLES.map((sample) => infoOf(context, sample)),
    'samples.build': ({ name }) => {
      const { title } = sampleNamed(name);
      const description = { kind: 'samples', title: `Build ${title}`, subject: name } as const;
      return context.jobs.start(description, ({ signal, progress }) =>
        ensureSample(context, name, { signal, onProgress: progress }),
      );
    },
  };
}

/**
 * Builds the sample set if it is not built and imports it if it is not imported; returns the data
 * set's id. One that is imported stays as it is, for its studies, even where today's recipe draws
 * more. Throws what `buildSample`, `scanSource` and `importScan` throw.
 */
export async function ensureSample(
  context: HostContext,
  name: string,
  { signal, onProgress }: { signal: AbortSignal; onProgress: (progress: Progress) => void },
): Promise<string> {
  const samplesFolder = context.home.samples;
  const known = join(samplesFolder, sampleNamed(name).name);
  const imported = importedFrom(context.db, known);
  if (imported !== null && (await readAbout(known)) !== null) return imported;
  const { folder } = await buildSample(name, { samplesFolder, signal, onProgress });
  const scan = await scanSource(context, folder, sampleNamed(name).reading, { signal, onProgress });
  return importScan(context, scan, name).id;
}

/** The newest data set made of the built set in `folder`; null for none. */
function importedFrom(db: Database, folder: string): string | null {
  if (!existsSync(folder)) return null;
  const newest = db.prepare<[string], { id: string }>(
    'SELECT id FROM datasets WHERE root = ? ORDER BY created_at DESC, rowid DESC LIMIT 1',
  );
  // Data sets hold the real path of their folder.
  return newest.get(realpathSync(folder))?.id ?? null;
}

function infoOf({ db, home }: HostContext, sample: Sample): SampleInfo {
  const { name, title, description, licences, downloadMegabytes } = sample;
  const datasetId = importedFrom(db, join(home.samples, name));
  return { name, title, description, licences, downloadMegabytes, datasetId };
}
