import type { Command } from 'commander';
import { Option } from 'commander';
import type { PairReport, SplitName } from '../../contract/compare.ts';
import type { RunSummary } from '../../contract/runs.ts';
import { printAgreement } from '../agreement-table.ts';
import type { GlobalOptions } from '../output.ts';
import { action, globalOptions, printJson, printLine } from '../output.ts';

interface CompareOptions extends GlobalOptions {
  split: SplitName;
}

/** `carryover compare RUN_A RUN_B`: where two runs agree. Works beside a running workbench. */
export function register(program: Command): void {
  program
    .command('compare')
    .description('compare two finished runs image by image')
    .argument('<run_a>', 'id of a run')
    .argument('<run_b>', 'id of the other run')
    .addOption(
      new Option('--split <split>', 'images to compare on')
        .choices(['test', 'train'])
        .default('test'),
    )
    .option('--json', 'print JSON')
    .action(
      action((a: string, b: string, options: CompareOptions, command: Command) =>
        compare(a, b, { ...options, ...globalOptions(command) }),
      ),
    );
}

async function compare(a: string, b: string, options: CompareOptions): Promise<void> {
  const { home, json, split } = options;
  const { openWorkbench } = await import('../../host/workbench.ts');
  const readonly = { command: 'compare', readonly: true };
  const workbench = openWorkbench({ ...readonly, ...(home === undefined ? {} : { home }) });
  try {
    const report = await workbench.handlers['compare.pair']({ a, b, split });
    if (json) printJson(report);
    else printPair(report);
  } finally {
    await workbench.close();
  }
}

function printPair({ a, b, agreement, split, bootstrapUnit, warnings }: PairReport): void {
  printLine(`A: ${title(a)}\nB: ${title(b)}`);
  for (const warning of warnings) printLine(`note: ${warning}`);
  printLine('');
  printAgreement(agreement, `${split} images`, bootstrapUnit);
}

function title({ id, arm, seed, shuffle, domains, epochs }: RunSummary): string {
  return `${id}, ${arm} on ${domains.join(' + ')}, seed ${seed}, shuffle ${shuffle}, ${epochs} epochs`;
}
