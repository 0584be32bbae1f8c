/** The five cells of a pair on the same images. Their counts add up to n. */
export const CELLS = [
  'bothRight',
  'bothWrongSame',
  'bothWrongDifferent',
  'onlyARight',
  'onlyBRight',
] as const;
export type Cell = (typeof CELLS)[number];

/** What a cell means, in the words of the field. Common mistake: both wrong; uncommon: exactly one. */
export const CELL_TITLES: Record<Cell, string> = {
  bothRight: 'Both right',
  bothWrongSame: 'Both wrong, same label',
  bothWrongDifferent: 'Both wrong, different labels',
  onlyARight: 'Only A right',
  onlyBRight: 'Only B right',
};

/** Agreement of two classifiers on n images (science: error consistency, Geirhos et al. 2020). */
export interface Agreement {
  n: number;
  bothRight: number;
  bothWrongSame: number;
  bothWrongDifferent: number;
  onlyARight: number;
  onlyBRight: number;
  accuracyA: number;
  accuracyB: number;
  /** Both wrong, the same label or not. */
  commonMistakes: number;
  /** Exactly one wrong. */
  uncommonMistakes: number;
  /** Share of images on which both are right or both are wrong. */
  observedAgreement: number;
  /** p1 p2 + (1-p1)(1-p2). */
  expectedAgreement: number;
  /** (observed - expected) / (1 - expected); 1 when observed is 1. In [-1, 1]. */
  kappa: number;
  /** Percentile bootstrap over groups (or images where there are none), 95 %. */
  kappaInterval: [number, number];
  /** |A wrong and B wrong| / |A wrong or B wrong|; null when nobody errs. */
  errorJaccard: number | null;
  /** Share of same labels among common mistakes; null when there are none. */
  sameWrongLabelRate: number | null;
  /** Exact two-sided binomial on the discordant counts; 1 when there are none. */
  mcnemarP: number;
}
