import type { RateSearch } from '../../../contract/api.ts';
import type { ChartText, Series } from '../lib/charts.ts';

/** How far above its first value the loss is drawn: an explosion would flatten all else. */
const HEADROOM = 1.5;

/** The loss over the learning rate, and a line where the suggestion is. */
export function rateSeries({ rates, losses, suggestion }: RateSearch): Series[] {
  const loss: Series = {
    ...{ key: 'loss', label: 'Training loss', group: 'Training loss' },
    ...{ colour: '--accent', dashed: false },
    points: rates.map((x, i) => ({ x, y: losses[i] ?? NaN })),
  };
  if (suggestion === null) return [loss];
  const top = rateText({ losses }).top;
  const mark: Series = {
    ...{ key: 'suggestion', label: 'Suggestion', group: 'Suggestion' },
    ...{ colour: '--warn', dashed: true },
    points: [
      { x: suggestion, y: Math.min(...losses) },
      { x: suggestion, y: top ?? Math.max(...losses) },
    ],
  };
  return [loss, mark];
}

/** Axes of the plot. */
export function rateText({ losses }: Pick<RateSearch, 'losses'>): ChartText {
  const top = Math.min(Math.max(...losses), (losses[0] ?? 1) * HEADROOM);
  return { x: 'Learning rate', y: 'Training loss (smoothed)', share: false, log: true, top };
}

/** A rate to two digits, as one would write it. */
export const roundRate = (rate: number): number => Number(rate.toPrecision(2));
