import type { Figure } from '../../../../contract/figures.ts';
import { colourOf, scoreName, type Contrast } from '../arm-values.ts';
import type { StudyView } from '../definition.ts';
import { overSeeds, pairedOverSeeds, type Estimate } from '../intervals.ts';
import { behind } from '../links.ts';
import type { LowData } from './worth.ts';

export function curvesFigure(view: StudyView, data: LowData, even: Estimate | null): Figure {
  const { name } = scoreName(view);
  const marks =
    even === null || even.value === null
      ? {}
      : {
          marks: [
            {
              x: even.value,
              label: 'break-even',
              ...(even.interval && { interval: even.interval }),
            },
          ],
        };
  return {
    kind: 'lines',
    id: 'curves',
    title: `${name} by labelled images per class`,
    caption: 'Means over seeds, t intervals. The last point has all training images.',
    x: { title: 'training images per class', scale: 'log' },
    y: { title: name, unit: '%' },
    series: data.arms.map((arm) => ({
      name: arm,
      colour: colourOf(view, arm),
      points: data.sizes.flatMap((size) => {
        const own = data.values(arm, size);
        const { value, interval } = overSeeds(own);
        if (value === null) return [];
        const rest = { ...(interval && { interval }), ...behind(view.id, own) };
        return [{ x: data.perClass(size), y: value, ...rest }];
      }),
    })),
    ...marks,
  };
}

export function gainFigure(
  view: StudyView,
  data: LowData,
  { pretrained, random }: Contrast,
): Figure {
  const { name } = scoreName(view);
  return {
    kind: 'intervals',
    id: 'gain',
    title: `Gain of ${pretrained} over ${random}`,
    caption: 'Paired by seed, t intervals over seeds. Right of 0: the pretrained start helps.',
    x: { title: `${name} of ${pretrained} less that of ${random}`, unit: '%' },
    zero: 0,
    rows: data.sizes.flatMap((size) => {
      const [first, second] = [data.values(pretrained, size), data.values(random, size)];
      const { value, interval } = pairedOverSeeds(first, second);
      if (value === null) return [];
      const link = behind(view.id, first, second);
      return [{ label: `${size} per class`, value, interval, colour: 0, ...link }];
    }),
  };
}
