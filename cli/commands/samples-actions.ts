import { join, resolve } from 'node:path';
import type { Progress } from '../../contract/jobs.ts';
import { homePaths, resolveHome } from '../../host/home.ts';
import { buildSample, readAbout } from '../../host/samples/build.ts';
import { SAMPLES } from '../../host/samples/catalogue.ts';
import { ensureSample } from '../../host/samples/handlers.ts';
import { openWorkbench } from '../../host/workbench.ts';
import type { GlobalOptions } from '../output.ts';
import { printJson, printLine, printTable, progressLine } from '../output.ts';

export interface SamplesOptions extends GlobalOptions {
  /** Folder of the built sets; absent: the home's. */
  folder?: string;
}

function folderOf({ folder, home }: SamplesOptions): string {
  return folder === undefined ? homePaths(resolveHome(home)).samples : resolve(folder);
}

/** Prints the sets that there are, and where they are built. */
export async function list(options: SamplesOptions): Promise<void> {
  const built = folderOf(options);
  const rows = await Promise.all(
    SAMPLES.map(async ({ name, title, description, licences, downloadMegabytes }) => {
      const folder = join(built, name);
      const about = await readAbout(folder);
      const found = about ? { folder, images: about.images } : { folder: null, images: null };
      return { name, title, description, licences, downloadMegabytes, ...found };
    }),
  );
  if (options.json) {
    printJson(rows);
    return;
  }
  printTable(rows, [
    { title: 'name', value: (row) => row.name },
    { title: 'download MB', value: (row) => row.downloadMegabytes },
    { title: 'images', value: (row) => row.images },
    { title: 'folder', value: (row) => row.folder ?? 'not built' },
  ]);
}

/** Builds a set, and imports it where no folder is named. */
export async function build(name: string, options: SamplesOptions): Promise<void> {
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort();
  const line = progressLine();
  const work = {
    signal: interrupted.signal,
    onProgress: (progress: Progress) => line.show(progress),
  };
  process.once('SIGINT', interrupt);
  let datasetId: string | null = null;
  try {
    if (options.folder === undefined) datasetId = await buildInHome(name, options, work);
    else await buildSample(name, { samplesFolder: folderOf(options), ...work });
  } finally {
    line.end();
    process.off('SIGINT', interrupt);
  }
  const folder = join(folderOf(options), name);
  const about = await readAbout(folder);
  if (options.json) {
    printJson({ folder, datasetId, about });
    return;
  }
  printLine(`${about?.images ?? 0} images in ${folder}`);
  if (datasetId !== null) printLine(`imported as data set ${datasetId}`);
}

async function buildInHome(
  name: string,
  { home }: SamplesOptions,
  work: Parameters<typeof ensureSample>[2],
): Promise<string> {
  const workbench = openWorkbench({ ...(home !== undefined && { home }), command: 'samples' });
  try {
    return await ensureSample(workbench.context, name, work);
  } finally {
    await workbench.close();
  }
}
