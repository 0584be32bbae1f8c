import type { RateSearch } from '../../../contract/api.ts';
import { highestDrawn } from '../../../contract/rate-search.ts';
import type { ChartText, Series } from '../lib/charts.ts';

/** The loss over the learning rate, and a line where the suggestion is. */
export function rateSeries({ rates, losses, suggestion }: RateSearch): Series[] {
  const loss: Series = {
    ...{ key: 'loss', label: 'Training loss', group: 'Training loss' },
    ...{ colour: '--accent', dashed: false },
    points: rates.map((x, i) => ({ x, y: losses[i] ?? NaN })),
  };
  if (suggestion === null) return [loss];
  const mark: Series = {
    ...{ key: 'suggestion', label: 'Suggestion', group: 'Suggestion' },
    ...{ colour: '--warn', dashed: true },
    points: [
      { x: suggestion, y: Math.min(...losses) },
      { x: suggestion, y: highestDrawn(losses) },
    ],
  };
  return [loss, mark];
}

/** Axes of the plot. */
export function rateText({ losses }: Pick<RateSearch, 'losses'>): ChartText {
  const top = highestDrawn(losses);
  return { x: 'Learning rate', y: 'Training loss (smoothed)', share: false, log: true, top };
}

/** A rate to two digits, as one would write it. */
export const roundRate = (rate: number): number => Number(rate.toPrecision(2));
