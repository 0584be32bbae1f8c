import type { Command } from 'commander';
import type { GlobalOptions } from '../output.ts';
import { action, globalOptions, printJson, printLine } from '../output.ts';

interface CacheOptions extends GlobalOptions {
  clear?: boolean;
}

/** `carryover cache [--clear]`: the decoded pixels on disk. Works beside a running workbench. */
export function register(program: Command): void {
  program
    .command('cache')
    .description('how much disk the decoded images take; --clear removes those not in use')
    .option('--clear', 'remove what no running training uses')
    .option('--json', 'print JSON')
    .action(
      action((_options: unknown, command: Command) =>
        show({ ...globalOptions(command), ...command.opts<CacheOptions>() }),
      ),
    );
}

async function show({ home, json, clear }: CacheOptions): Promise<void> {
  const { openWorkbench } = await import('../../host/workbench.ts');
  const readonly = { command: 'cache', readonly: true };
  const workbench = openWorkbench({ ...readonly, ...(home === undefined ? {} : { home }) });
  try {
    const info = await workbench.handlers[clear ? 'cache.clear' : 'cache.info']({});
    if (json) return printJson(info);
    const { bytes, files, folder, limitBytes } = info;
    const count = `${files} ${files === 1 ? 'image list' : 'image lists'}`;
    printLine(`${megabytes(bytes)} of ${megabytes(limitBytes)} MB, ${count}, in ${folder}`);
  } finally {
    await workbench.close();
  }
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(bytes < 1e8 ? 1 : 0);
}
