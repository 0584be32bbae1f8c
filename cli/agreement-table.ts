import type { Agreement } from '../contract/agreement.ts';
import { CELLS, CELL_TITLES } from '../contract/agreement.ts';
import { printLine, printTable } from './output.ts';

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** Prints an agreement: its cells, then its measures. `images`: what was compared, `test images`. */
export function printAgreement(result: Agreement, images: string, resampled: string): void {
  const { n } = result;
  printTable(
    CELLS.map((cell) => ({ title: CELL_TITLES[cell], count: result[cell] })),
    [
      { title: `${n} ${images}`, value: (row) => row.title },
      { title: 'count', value: (row) => row.count },
      { title: 'share', value: (row) => percent(row.count / n) },
    ],
  );
  printLine('');
  printTable(measures(result, resampled), [
    { title: 'measure', value: ([title]) => title },
    { title: 'value', value: ([, value]) => value },
  ]);
}

function measures(result: Agreement, resampled: string): [string, string][] {
  const [low, high] = result.kappaInterval.map((each) => each.toFixed(3));
  const { errorJaccard: jaccard, sameWrongLabelRate: same } = result;
  return [
    ['Accuracy of A', percent(result.accuracyA)],
    ['Accuracy of B', percent(result.accuracyB)],
    ['Common mistakes', String(result.commonMistakes)],
    ['Uncommon mistakes', String(result.uncommonMistakes)],
    ['Observed agreement', result.observedAgreement.toFixed(3)],
    ['Expected agreement', result.expectedAgreement.toFixed(3)],
    ['Kappa', `${result.kappa.toFixed(3)}, 95 % ${low} to ${high} (by ${resampled})`],
    ['Jaccard of the errors', jaccard === null ? 'nobody errs' : jaccard.toFixed(3)],
    ['Same label when both err', same === null ? 'never both' : percent(same)],
    ['McNemar p (exact)', result.mcnemarP.toPrecision(3)],
  ];
}
