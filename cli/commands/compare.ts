import type { Command } from 'commander';
import { Option } from 'commander';
import { CELLS, CELL_TITLES } from '../../contract/agreement.ts';
import type { PairReport, SplitName } from '../../contract/compare.ts';
import type { RunSummary } from '../../contract/runs.ts';
import type { GlobalOptions } from '../output.ts';
import { action, globalOptions, printJson, printLine, printTable } from '../output.ts';

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

function printPair(report: PairReport): void {
  const { agreement, split, bootstrapUnit, warnings } = report;
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const [low, high] = agreement.kappaInterval;
  printLine(`A: ${title(report.a)}\nB: ${title(report.b)}`);
  for (const warning of warnings) printLine(`note: ${warning}`);
  printLine('');
  printTable(
    CELLS.map((cell) => ({ cell, count: agreement[cell] })),
    [
      { title: `${agreement.n} ${split} images`, value: ({ cell }) => CELL_TITLES[cell] },
      { title: 'count', value: ({ count }) => count },
      { title: 'share', value: ({ count }) => percent(count / agreement.n) },
    ],
  );
  const rate = agreement.sameWrongLabelRate;
  printLine(`
accuracy of A ${percent(agreement.accuracyA)}, of B ${percent(agreement.accuracyB)}
common mistakes ${agreement.commonMistakes}, uncommon mistakes ${agreement.uncommonMistakes}
same label when both err ${rate === null ? '-' : percent(rate)}
kappa ${agreement.kappa.toFixed(3)}, 95 % ${low.toFixed(3)} to ${high.toFixed(3)} (by ${bootstrapUnit})
McNemar p (exact) ${agreement.mcnemarP.toPrecision(3)}`);
}

function title({ id, arm, seed, shuffle, domains, epochs }: RunSummary): string {
  return `${id}, ${arm} on ${domains.join(' + ')}, seed ${seed}, shuffle ${shuffle}, ${epochs} epochs`;
}
