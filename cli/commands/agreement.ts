import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { agreement } from '../../engine/analysis/agreement.ts';
import { printAgreement } from '../agreement-table.ts';
import type { GlobalOptions } from '../output.ts';
import { action, globalOptions, printJson, printLine } from '../output.ts';
import type { Joined, Unmatched } from './agreement-files.ts';
import { joinLabels, readLabels } from './agreement-files.ts';

interface AgreementOptions extends GlobalOptions {
  truth: string;
  seed: number;
}

const NAMES_SHOWN = 5;

const UNMATCHED_TITLES: Record<keyof Unmatched, string> = {
  onlyInA: 'only in A',
  onlyInB: 'only in B',
  onlyInTruth: 'only in the truth',
  missingFromA: 'in B and the truth, not in A',
  missingFromB: 'in A and the truth, not in B',
  missingFromTruth: 'in A and B, not in the truth',
};

/** `carryover agreement A.csv B.csv --truth T.csv`: predictions made by any program, compared. */
export function register(program: Command): void {
  program
    .command('agreement')
    .description('compare the predictions of two models, made by any program, image by image')
    .argument('<a>', 'CSV file with the columns image, prediction')
    .argument('<b>', 'CSV file of the other model')
    .requiredOption('--truth <file>', 'CSV file with the columns image, label')
    .option('--seed <number>', 'seed of the bootstrap interval', parseSeed, 0)
    .option('--json', 'print JSON')
    .action(
      action(async (a: string, b: string, options: AgreementOptions, command: Command) => {
        await compare(a, b, { ...options, ...globalOptions(command) });
      }),
    );
}

function parseSeed(text: string): number {
  if (/^\d{1,10}$/.test(text) && Number(text) <= 0xffffffff) return Number(text);
  throw new InvalidArgumentError('a seed is a whole number from 0 to 4294967295');
}

async function compare(pathA: string, pathB: string, options: AgreementOptions): Promise<void> {
  const { truth: truthPath, seed, json } = options;
  const truth = await readLabels(truthPath, 'label');
  const a = await readLabels(pathA, 'prediction');
  const b = await readLabels(pathB, 'prediction');
  const joined = joinLabels(truth, a, b);
  const result = agreement({ ...asIndices(joined), bootstrap: { seed } });
  if (json) {
    printJson({ ...result, seed, unmatched: withCounts(joined.unmatched) });
    return;
  }
  printLine(`A: ${pathA}\nB: ${pathB}\n`);
  printAgreement(result, 'images', 'image');
  printUnmatched(joined.unmatched);
}

/** Labels as numbers; labels are compared as strings. */
function asIndices({ truth, a, b }: Joined) {
  const numbers = new Map<string, number>();
  const index = (label: string) => {
    const known = numbers.get(label) ?? numbers.size;
    numbers.set(label, known);
    return known;
  };
  const all = (labels: string[]) => Int32Array.from(labels, index);
  return { truth: all(truth), a: all(a), b: all(b) };
}

function withCounts(unmatched: Unmatched) {
  const lists = Object.entries(unmatched);
  const counts = Object.fromEntries(lists.map(([where, names]) => [where, names.length]));
  const total = lists.reduce((sum, [, names]) => sum + names.length, 0);
  return { total, counts, ...unmatched };
}

function printUnmatched(unmatched: Unmatched): void {
  for (const where of Object.keys(UNMATCHED_TITLES) as (keyof Unmatched)[]) {
    const names = unmatched[where];
    if (names.length === 0) continue;
    const shown = names.slice(0, NAMES_SHOWN).join(', ');
    const more = names.length - NAMES_SHOWN;
    const rest = more > 0 ? ` and ${more} more (--json lists all)` : '';
    printLine(`\nNot compared, ${UNMATCHED_TITLES[where]} (${names.length}): ${shown}${rest}`);
  }
}
