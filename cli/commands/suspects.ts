import type { Command } from 'commander';
import { resolve } from 'node:path';
import type { SuspectReport } from '../../contract/analyses.ts';
import { caution, suspectSpecSchema } from '../../contract/analyses.ts';
import { analyse, sourceOf } from '../analyses.ts';
import { numberOption } from '../number-option.ts';
import type { GlobalOptions } from '../output.ts';
import { action, globalOptions, printJson, printLine, printTable } from '../output.ts';

interface SuspectsOptions extends GlobalOptions {
  from: string;
  finding?: string;
  folds?: string;
  seed?: string;
  csv?: string;
}

/** Suspects that are printed; --json and --csv have all. */
const SHOWN = 25;

/** `carryover suspects`: likely label errors of a data set. */
export function register(program: Command): void {
  program
    .command('suspects')
    .description('look for likely label errors by cross-validated predictions')
    .argument('<dataset>', 'name or id')
    .option('--from <source>', 'id of a run, name of a checkpoint, or "pixels"', 'pixels')
    .option('--finding <name>', 'the finding to look at, in a set with several findings an image')
    .option('--folds <n>', 'of the cross-validation, 2 to 20 (default: 5)')
    .option('--seed <n>', 'of the folds (default: 0)')
    .option('--csv <file>', 'write all suspects to a file')
    .option('--json', 'print the report as JSON')
    .action(
      action(async (dataset: string, options: SuspectsOptions, command: Command) => {
        await suspects(dataset, { ...options, ...globalOptions(command) });
      }),
    );
}

async function suspects(dataset: string, options: SuspectsOptions): Promise<void> {
  const { home, from, finding, csv, json } = options;
  const { folds, seed } = suspectSpecSchema.shape;
  const numbers = {
    folds: numberOption('--folds', options.folds, folds),
    seed: numberOption('--seed', options.seed, seed),
  };
  await analyse(
    { home, dataset, command: 'suspects' },
    (workbench, { id }) => {
      const named = finding === undefined ? {} : { finding };
      const spec = { source: sourceOf(workbench, from), ...named, ...numbers };
      return workbench.handlers['suspects.start']({ datasetId: id, spec });
    },
    async ({ context, handlers }, id) => {
      const report = await handlers['suspects.get']({ id });
      if (csv !== undefined) {
        const { writeFileAtomic } = await import('../../host/files.ts');
        const { suspectsTable } = await import('../../host/analyses/table.ts');
        const table = suspectsTable(context, report.datasetId, 'csv', id);
        await writeFileAtomic(resolve(csv), [...table].join(''));
      }
      if (json) printJson({ ...report, caution: caution(report) });
      else print(report);
    },
  );
}

function print(report: SuspectReport): void {
  const { spec, estimated, images, notes, suspects, accuracy, auc, sourceName } = report;
  const subject = spec.finding === undefined ? '' : ` of ${spec.finding}`;
  printLine(
    `${suspects.length} suspects${subject} among ${images} images, ${estimated} label errors estimated`,
  );
  const area = auc === null ? '' : ` (area under the ROC curve ${auc.toFixed(3)})`;
  printLine(
    `by features of ${sourceName}, whose probe is right on ${(100 * accuracy).toFixed(1)} % of images it has not seen${area}`,
  );
  const warning = caution(report);
  if (warning !== null) printLine(`caution: ${warning}`);
  for (const note of notes) printLine(note);
  if (suspects.length === 0) return;
  printLine('');
  printTable(suspects.slice(0, SHOWN), [
    { title: 'label', value: ({ label }) => label },
    { title: 'suggested', value: ({ suggested }) => suggested },
    { title: 'margin', value: ({ margin }) => Number(margin.toFixed(3)) },
    { title: 'image', value: ({ path }) => path },
  ]);
}
