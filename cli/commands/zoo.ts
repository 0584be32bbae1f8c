import type { Command } from 'commander';
import { CarryoverError } from '../../contract/errors.ts';
import type { Workbench } from '../../host/workbench.ts';
import { openWorkbench } from '../../host/workbench.ts';
import type { GlobalOptions } from '../output.ts';
import {
  action,
  globalOptions,
  printJson,
  printLine,
  printTable,
  progressLine,
} from '../output.ts';

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
  const workbench = openWorkbench({ ...(home !== undefined && { home }), command: 'zoo fetch' });
  try {
    const checkpointId = await follow(workbench, id);
    const checkpoint = await workbench.handlers['checkpoints.get']({ id: checkpointId });
    if (json) printJson(checkpoint);
    else printLine(`imported as checkpoint "${checkpoint.name}" (${checkpointId})`);
  } finally {
    await workbench.close();
  }
}

/** Ctrl-C ends the job; what was fetched is kept for the next time. */
async function follow({ context, handlers }: Workbench, id: string): Promise<string> {
  const job = await handlers['zoo.download']({ id });
  const line = progressLine();
  const unsubscribe = context.events.subscribe((event) => {
    if (event.type === 'job' && event.job.id === job.id && event.job.progress) {
      line.show(event.job.progress);
    }
  });
  const cancel = (): void => void context.jobs.cancel(job.id);
  process.on('SIGINT', cancel);
  try {
    const { status, failure, result } = await context.jobs.wait(job.id);
    if (status === 'done' && result !== null) return result;
    if (failure) throw new CarryoverError(failure.code, failure.message, failure.detail);
    throw new CarryoverError('cancelled', `the download is ${status}`);
  } finally {
    process.off('SIGINT', cancel);
    unsubscribe();
    line.end();
  }
}
