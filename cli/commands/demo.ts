import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import type { Workbench } from '../../host/workbench.ts';
import type { GlobalOptions } from '../output.ts';
import { action, globalOptions, progressLine } from '../output.ts';

/** The sample study. */
const STUDY = fileURLToPath(new URL('../../resources/studies/demo.yaml', import.meta.url));
const SAMPLE = 'icon-domains';

/** `carryover demo`: the sample images and the sample study, as far as they are not done. */
export function register(program: Command): void {
  program
    .command('demo')
    .description('build the sample images and run the sample study')
    .option('--json', 'print JSON')
    .action(action((_options: unknown, command: Command) => demo(globalOptions(command))));
}

async function demo({ home, json = false }: GlobalOptions): Promise<void> {
  const { openWorkbench } = await import('../../host/workbench.ts');
  const { printOutcome, runStudyText } = await import('./study-run.ts');
  const workbench = openWorkbench({ command: 'demo', ...(home === undefined ? {} : { home }) });
  try {
    await sampleImages(workbench);
    const study = await runStudyText(workbench, readFileSync(STUDY, 'utf8'), STUDY);
    printOutcome(workbench, study, json);
  } finally {
    await workbench.close();
  }
}

async function sampleImages({ context }: Workbench): Promise<void> {
  const { ensureSample } = await import('../../host/samples/handlers.ts');
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort();
  const line = progressLine();
  process.once('SIGINT', interrupt);
  try {
    const onProgress = line.show.bind(line);
    await ensureSample(context, SAMPLE, { signal: interrupted.signal, onProgress });
  } finally {
    process.off('SIGINT', interrupt);
    line.end();
  }
}
