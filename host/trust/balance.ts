/** How many images there are of what. */
import type { TrustReport } from '../../contract/trust.ts';
import type { TrustImage } from './images.ts';
import { SPLITS } from './images.ts';

export interface Balance extends Pick<TrustReport, 'splitNames' | 'counts' | 'imbalance'> {
  /** Images per class over all splits and domains. */
  perClass: number[];
}

/**
 * Counts per split, domain and class; only splits that have images are named.
 * @param names of all classes and domains
 */
export function balanceOf(
  images: readonly TrustImage[],
  names: Pick<TrustReport, 'classNames' | 'domainNames'>,
): Balance {
  const { classNames, domainNames } = names;
  const used = new Set(images.map(({ split }) => split));
  const splitNames = SPLITS.filter((split) => used.has(split));
  const counts = splitNames.map(() => domainNames.map(() => classNames.map(() => 0)));
  for (const { split, domain, classes } of images) {
    const row = counts[splitNames.indexOf(split)]![domain]!;
    for (const label of classes) row[label]!++;
  }
  const perDomain = domainNames.map((_, domain) =>
    classNames.map((_, label) => counts.reduce((sum, split) => sum + split[domain]![label]!, 0)),
  );
  const perClass = classNames.map((_, label) =>
    perDomain.reduce((sum, domain) => sum + domain[label]!, 0),
  );
  const lines = domainNames.map((name, i) => ({ name, numbers: perDomain[i]! }));
  const all = { name: 'all', numbers: perClass };
  const imbalance = (lines.length > 1 ? [all, ...lines] : [all]).map(({ name, numbers }) => ({
    domain: name,
    ...imbalanceOf(classNames, numbers),
  }));
  return { splitNames, counts, imbalance: classNames.length === 0 ? [] : imbalance, perClass };
}

function imbalanceOf(
  classNames: readonly string[],
  numbers: readonly number[],
): Omit<TrustReport['imbalance'][number], 'domain'> {
  const [most, least] = [Math.max(...numbers), Math.min(...numbers)];
  return {
    ratio: least > 0 ? most / least : null,
    largest: classNames[numbers.indexOf(most)] ?? '',
    smallest: classNames[numbers.indexOf(least)] ?? '',
  };
}
