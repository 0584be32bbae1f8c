/**
 * Figure 3 of Neyshabur, Sedghi and Zhang 2020 (arXiv 2008.11687), read off the plot: final test
 * accuracy to about 0.3 points, mean training accuracy where it could be read.
 */

export type PaperDomain = 'real' | 'clipart' | 'quickdraw';

/** Side of their images. */
const SIDE = 224;

/** Percent, pretrained then random: block, quickdraw, clipart, real. */
const ACCURACY: [number | 'pixel', [number, number], [number, number], [number, number]][] = [
  ['pixel', [10.8, 1.1], [10.8, 7.1], [8.7, 7.5]],
  [1, [9.5, 3.1], [14.0, 10.8], [13.6, 12.4]],
  [2, [16.8, 11.6], [17.6, 13.6], [18.8, 18.0]],
  [4, [24.8, 19.2], [23.6, 18.4], [26.9, 23.6]],
  [7, [26.9, 21.2], [28.1, 20.0], [32.9, 22.8]],
  [8, [30.5, 23.6], [32.5, 21.6], [41.8, 27.7]],
  [14, [34.1, 26.1], [41.0, 25.2], [52.2, 28.9]],
  [16, [37.7, 30.5], [45.4, 26.9], [56.7, 30.9]],
  [28, [41.8, 31.3], [52.6, 28.1], [63.1, 30.5]],
  [32, [45.0, 36.9], [56.3, 30.9], [65.9, 36.1]],
  [56, [50.6, 37.3], [62.7, 31.7], [70.3, 33.3]],
  [112, [59.9, 45.8], [69.9, 39.7], [74.8, 41.4]],
  [224, [64.7, 50.6], [73.6, 44.6], [77.2, 45.0]],
];

const SPEED: typeof ACCURACY = [
  ['pixel', [82.9, 0], [80.1, 15.1], [81.5, 46.9]],
  [1, [78.2, 2.1], [80.6, 27.3], [82.4, 46.0]],
  [2, [75.4, 69.8], [83.8, 46.0], [85.2, 67.9]],
  [224, [93.6, 87.6], [94.1, 83.4], [95.0, 86.2]],
];

const COLUMN: Record<PaperDomain, 1 | 2 | 3> = { quickdraw: 1, clipart: 2, real: 3 };

/** Shares, by block size as a share of the image's side; null: pixels. */
export interface PaperPoint {
  block: number | null;
  pretrained: number;
  random: number;
}

export function paperCurve(domain: PaperDomain, what: 'accuracy' | 'speed'): PaperPoint[] {
  return (what === 'accuracy' ? ACCURACY : SPEED).map((row) => {
    const [pretrained, random] = row[COLUMN[domain]];
    const block = row[0] === 'pixel' ? null : row[0] / SIDE;
    return { block, pretrained: pretrained / 100, random: random / 100 };
  });
}
