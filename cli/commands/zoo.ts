import type { Command } from 'commander';
import { followJob } from '../follow.ts';
import type { GlobalOptions } from '../output.ts';
import { action, globalOptions, printJson, printLine, printTable } from '../output.ts';

/** `carryover zoo` and `carryover zoo fetch ID`. */
export function register(program: Command): void {
  const zoo = program
    .command('zoo')
    .description('list known sources of pretrained weights; fetches nothing by itself')
    .option('--json', 'print JSON')
    .action(action((_options: unknown, command: Command) => list(globalOptions(command))));
  zoo
    .command('fetch <id>')
    .description('fetch one, check its hash and import it as a checkpoint of that name')
    .option('--json', 'print JSON')
    .action(
      action((id: string, _options: unknown, command: Command) =>
        bring(id, globalOptions(command)),
      ),
    );
}

async function list({ home, json }: GlobalOptions): Promise<void> {
  const { openWorkbench } = await import('../../host/workbench.ts');
  const workbench = openWorkbench({
    ...(home !== undefined && { home }),
    command: 'zoo',
    readonly: true,
  });
  try {
    const entries = await workbench.handlers['zoo.list']({});
    if (json) {
      printJson(entries);
      return;
    }
    printTable(entries, [
      { title: 'id', value: ({ id }) => id },
      { title: 'MB', value: ({ bytes }) => (bytes === null ? null : Math.round(bytes / 1e6)) },
      { title: 'title', value: ({ title }) => title },
      {
        title: 'state',
        value: ({ checkpointId, obstacle }) =>
          obstacle ? 'cannot be imported as it is' : (checkpointId ?? 'not imported'),
      },
    ]);
  } finally {
    await workbench.close();
  }
}

async function bring(id: string, { home, json }: GlobalOptions): Promise<void> {
  const { openWorkbench } = await import('../../host/workbench.ts');
  const workbench = openWorkbench({ ...(home !== undefined && { home }), command: 'zoo fetch' });
  try {
    const job = await workbench.handlers['zoo.download']({ id });
    // Ctrl-C ends it; what was fetched is kept for the next time.
    const checkpointId = await followJob(workbench, job, 'the download');
    const checkpoint = await workbench.handlers['checkpoints.get']({ id: checkpointId });
    if (json) printJson(checkpoint);
    else printLine(`imported as checkpoint "${checkpoint.name}" (${checkpointId})`);
  } finally {
    await workbench.close();
  }
}
