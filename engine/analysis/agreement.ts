import type { Agreement, Cell } from '../../contract/agreement.ts';
import { CELLS } from '../../contract/agreement.ts';
import { CarryoverError } from '../../contract/errors.ts';
import { bootstrapOne, unitsOf, type BootstrapOptions } from './bootstrap.ts';

/** Class indices of the same n images, in the same order. */
export interface PairLabels {
  truth: Int32Array;
  a: Int32Array;
  b: Int32Array;
}

export interface AgreementInput extends PairLabels {
  /** Group number per image (any integers): groups are resampled whole. Absent: images are. */
  groups?: Int32Array;
  bootstrap?: BootstrapOptions;
}

export type CellCounts = { n: number } & Record<Cell, number>;

/** Correctness counts: all that kappa depends on. */
interface Counts {
  n: number;
  bothRight: number;
  bothWrong: number;
  onlyA: number;
  onlyB: number;
}

/** The cell of one image. */
export function cellOf(truth: number, a: number, b: number): Cell {
  if (a === truth) return b === truth ? 'bothRight' : 'onlyARight';
  if (b === truth) return 'onlyBRight';
  return a === b ? 'bothWrongSame' : 'bothWrongDifferent';
}

/**
 * Counts of the cells by true class.
 * @param classes number of classes; every truth is below it
 */
export function cellsPerClass(labels: PairLabels, classes: number): CellCounts[] {
  checkLengths(labels);
  const counts = Array.from({ length: classes }, noCells);
  labels.truth.forEach((truth, i) => {
    const row = counts[truth];
    if (row === undefined) {
      throw new CarryoverError(
        'bad-input',
        `true class ${truth} of image ${i} is not in 0 .. ${classes - 1}`,
      );
    }
    row.n++;
    row[cellOf(truth, labels.a[i]!, labels.b[i]!)]++;
  });
  return counts;
}

/**
 * Agreement of two classifiers on the same images. Error consistency (kappa) after Geirhos et al.
 * 2020: (observed - expected) / (1 - expected) with expected = p1 p2 + (1 - p1)(1 - p2), set to 1
 * where observed is 1. Its interval: 95 % percentile bootstrap over groups (or images), 2000
 * replicates, drawn from `stream(seed, 'bootstrap')`, quantiles as NumPy's default. McNemar:
 * exact two-sided binomial.
 *
 * @throws bad-input when there are no images or the arrays differ in length
 */
export function agreement(input: AgreementInput): Agreement {
  checkLengths(input);
  const { truth, a, b } = input;
  const cells = noCells();
  cells.n = truth.length;
  for (let i = 0; i < truth.length; i++) cells[cellOf(truth[i]!, a[i]!, b[i]!)]++;
  const { n, bothRight, bothWrongSame, bothWrongDifferent, onlyARight, onlyBRight } = cells;
  const bothWrong = bothWrongSame + bothWrongDifferent;
  const uncommon = onlyARight + onlyBRight;
  const counts = { n, bothRight, bothWrong, onlyA: onlyARight, onlyB: onlyBRight };
  return {
    ...cells,
    accuracyA: (bothRight + onlyARight) / n,
    accuracyB: (bothRight + onlyBRight) / n,
    commonMistakes: bothWrong,
    uncommonMistakes: uncommon,
    observedAgreement: (bothRight + bothWrong) / n,
    expectedAgreement: expectedProduct(counts) / (n * n),
    kappa: kappa(counts),
    kappaInterval: kappaInterval(input),
    errorJaccard: bothWrong + uncommon === 0 ? null : bothWrong / (bothWrong + uncommon),
    sameWrongLabelRate: bothWrong === 0 ? null : bothWrongSame / bothWrong,
    mcnemarP: mcnemarExact(onlyARight, onlyBRight),
  };
}

/**
 * Exact two-sided McNemar test on the discordant counts: min(1, 2 P(X <= min(b, c))) for
 * X ~ Binomial(b + c, 1/2); 1 when both are 0. Terms are taken relative to the central one, so
 * that nothing overflows; below about 1e-300 the result is 0.
 */
export function mcnemarExact(b: number, c: number): number {
  const n = b + c;
  const low = Math.min(b, c);
  const centre = Math.floor(n / 2);
  let term = 1;
  let lower = 0; // terms below the centre
  let tail = low === centre ? 1 : 0; // terms up to low
  for (let i = centre; i > 0 && term > 0; i--) {
    term *= i / (n - i + 1);
    lower += term;
    if (i - 1 <= low) tail += term;
  }
  const total = n % 2 === 0 ? 1 + 2 * lower : 2 * (1 + lower);
  return Math.min(1, (2 * tail) / total);
}

function noCells(): CellCounts {
  const zeros = Object.fromEntries(CELLS.map((cell) => [cell, 0])) as Record<Cell, number>;
  return { n: 0, ...zeros };
}

/** n^2 times the agreement expected of independent mistakes: exact in integers. */
function expectedProduct({ bothRight, bothWrong, onlyA, onlyB }: Counts): number {
  return (bothRight + onlyA) * (bothRight + onlyB) + (bothWrong + onlyB) * (bothWrong + onlyA);
}

function kappa(counts: Counts): number {
  const { n, bothRight, bothWrong } = counts;
  const observed = bothRight + bothWrong;
  if (observed === n) return 1;
  const expected = expectedProduct(counts);
  return (observed * n - expected) / (n * n - expected);
}

function kappaInterval(input: AgreementInput): [number, number] {
  const units = countsPerUnit(input);
  const statistic = (times: Int32Array) => {
    let [bothRight, bothWrong, onlyA, onlyB] = [0, 0, 0, 0];
    for (let unit = 0; unit < times.length; unit++) {
      const drawn = times[unit]!;
      if (drawn === 0) continue;
      bothRight += drawn * units.bothRight[unit]!;
      bothWrong += drawn * units.bothWrong[unit]!;
      onlyA += drawn * units.onlyA[unit]!;
      onlyB += drawn * units.onlyB[unit]!;
    }
    const n = bothRight + bothWrong + onlyA + onlyB;
    return kappa({ n, bothRight, bothWrong, onlyA, onlyB });
  };
  return bootstrapOne(units.bothRight.length, statistic, input.bootstrap)!;
}

/** Correctness counts of each resampling unit. */
function countsPerUnit({ truth, a, b, groups }: AgreementInput) {
  const { count, of } = unitsOf(truth.length, groups);
  const [bothRight, bothWrong, onlyA, onlyB] = [0, 1, 2, 3].map(() => new Int32Array(count));
  const units = { bothRight: bothRight!, bothWrong: bothWrong!, onlyA: onlyA!, onlyB: onlyB! };
  for (let i = 0; i < truth.length; i++) {
    const rightA = a[i] === truth[i];
    const rightB = b[i] === truth[i];
    const cell = rightA ? (rightB ? 'bothRight' : 'onlyA') : rightB ? 'onlyB' : 'bothWrong';
    units[cell][of[i]!]!++;
  }
  return units;
}

function checkLengths({ truth, a, b, groups }: PairLabels & { groups?: Int32Array }): void {
  const lengths = [truth, a, b, ...(groups === undefined ? [] : [groups])].map((x) => x.length);
  if (lengths.some((length) => length !== truth.length)) {
    throw new CarryoverError(
      'bad-input',
      `truth, A, B and groups must be of one length, not ${lengths.join(', ')}`,
    );
  }
  if (truth.length === 0) {
    throw new CarryoverError('bad-input', 'no images to compare', {
      wayOut: 'compare two sets of predictions that have images in common',
    });
  }
}
