import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import type { Agreement } from '../../contract/agreement.ts';
import { CELLS, CELL_TITLES } from '../../contract/agreement.ts';
import { agreement } from '../../engine/analysis/agreement.ts';
import type { GlobalOptions } from '../output.ts';
import { action, globalOptions, printJson, printLine, printTable } from '../output.ts';
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
  printAgreement(result, pathA, pathB);
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

function printAgreement(result: Agreement, pathA: string, pathB: string): void {
  const { n } = result;
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const orNone = (share: number | null, why: string) => (share === null ? why : share.toFixed(3));
  const [low, high] = result.kappaInterval;
  printLine(`A: ${pathA}\nB: ${pathB}\n`);
  printTable(
    CELLS.map((cell) => ({ title: CELL_TITLES[cell], count: result[cell] })),
    [
      { title: `${n} images`, value: (row) => row.title },
      { title: 'count', value: (row) => row.count },
      { title: 'share', value: (row) => percent(row.count / n) },
    ],
  );
  printLine('');
  const rows: [string, string][] = [
    ['Accuracy of A', percent(result.accuracyA)],
    ['Accuracy of B', percent(result.accuracyB)],
    ['Common mistakes', String(result.commonMistakes)],
    ['Uncommon mistakes', String(result.uncommonMistakes)],
    ['Observed agreement', result.observedAgreement.toFixed(3)],
    ['Expected agreement', result.expectedAgreement.toFixed(3)],
    ['Kappa', `${result.kappa.toFixed(3)}, 95 % ${low.toFixed(3)} to ${high.toFixed(3)}`],
    ['Jaccard of the errors', orNone(result.errorJaccard, 'nobody errs')],
    ['Same label when both err', orNone(result.sameWrongLabelRate, 'never both')],
    ['McNemar p (exact)', result.mcnemarP.toPrecision(3)],
  ];
  printTable(rows, [
    { title: 'measure', value: ([title]) => title },
    { title: 'value', value: ([, value]) => value },
  ]);
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
