import type { Figure, LinesFigure } from '../../../../contract/figures.ts';
import type { AnalysisOptions } from '../../../../contract/study-analyses.ts';
import { relativeDrop } from '../../../../engine/analysis/metrics.ts';
import { colourOf, scoreName, type Contrast } from '../arm-values.ts';
import { ofMeans, overSeeds, type Estimate, type SeedValue } from '../intervals.ts';
import { behind } from '../links.ts';
import type { Sweep } from './index.ts';
import { paperCurve } from './paper.ts';

type Overlay = AnalysisOptions<'shuffle-sweep'>['overlay'];

export function sweepFigures(sweep: Sweep, contrast: Contrast | null, overlay: Overlay): Figure[] {
  const { name } = scoreName(sweep.view);
  const lines = (what: 'accuracy' | 'speed') => curves(sweep, what, contrast, overlay);
  const bars = barsOf(sweep, contrast, name);
  if (sweep.shuffles.length < 2) return [bars];
  return [bars, lines('accuracy'), lines('speed')];
}

function barsOf(sweep: Sweep, contrast: Contrast | null, name: string): Figure {
  const { view, shuffles, arms, scores, speeds } = sweep;
  const drop = contrast
    ? ` Over the bars: relative drop from ${contrast.pretrained} to ${contrast.random}, in percent.`
    : '';
  return {
    kind: 'bars',
    id: 'bars',
    title: `${name} and optimisation speed by shuffle`,
    caption: `Means over seeds with t intervals, seeds as dots; behind, transparent: optimisation speed.${drop}`,
    x: { title: 'block size in pixels' },
    y: { title: name, unit: '%', include: [0] },
    groups: shuffles.map((shuffle) => {
      const bars = arms.flatMap((arm) => {
        const [own, speed] = [scores(arm, shuffle), speeds(arm, shuffle)];
        const { value, interval } = overSeeds(own);
        const mean = overSeeds(speed).value;
        const colour = colourOf(view, arm);
        const link = behind(view.id, own, speed);
        return [
          ...(mean === null
            ? []
            : [{ name: `${arm}, speed`, colour, value: mean, faded: true as const, ...link }]),
          ...(value === null
            ? []
            : [
                {
                  ...{ name: arm, colour, value, values: own.map((each) => each.value) },
                  ...(interval && { interval }),
                  ...link,
                },
              ]),
        ];
      });
      return { label: shuffle, ...dropOver(sweep, contrast, shuffle), bars };
    }),
  };
}

function dropOver({ scores }: Sweep, contrast: Contrast | null, shuffle: string) {
  if (contrast === null) return {};
  const [first, second] = [scores(contrast.pretrained, shuffle), scores(contrast.random, shuffle)];
  const { value } = dropOf(first, second);
  return value === null ? {} : { note: `${value.toFixed(0)}` };
}

/** Relative drop from the first arm's mean to the second's. */
export function dropOf(first: readonly SeedValue[], second: readonly SeedValue[]): Estimate {
  return ofMeans([first, second], ([a, b]) => relativeDrop(a!, b!));
}

/** Where pixels are drawn: a step below a block of one pixel. */
const BELOW = 2;

function curves(
  { view, shuffles, arms, scores, speeds }: Sweep,
  what: 'accuracy' | 'speed',
  contrast: Contrast | null,
  overlay: Overlay,
): LinesFigure {
  const side = view.study.spec.architecture.image;
  const place = (shuffle: string) => {
    if (shuffle === 'none') return 1;
    return shuffle === 'pixel' ? 1 / (BELOW * side) : Number(shuffle) / side;
  };
  const values = what === 'accuracy' ? scores : speeds;
  const name = what === 'accuracy' ? scoreName(view).name : 'optimisation speed';
  const own = arms.map((arm) => ({
    name: arm,
    colour: colourOf(view, arm),
    points: shuffles
      .flatMap((shuffle) => {
        const given = values(arm, shuffle);
        const { value, interval } = overSeeds(given);
        if (value === null) return [];
        const rest = { ...(interval && { interval }), ...behind(view.id, given) };
        return [{ x: place(shuffle), y: value, ...rest }];
      })
      .reverse(),
  }));
  const dashed =
    ' Dashed: the figure 3 of the paper, read off the plot (224 px, Fixup-ResNet-50, DomainNet).';
  return {
    kind: 'lines',
    id: what,
    title: `${name} by block size`,
    caption:
      'Means over seeds with t intervals; 1 is not shuffled, the leftmost point of a curve with ' +
      `pixel shuffle is drawn below a block of one pixel.${overlay === 'none' ? '' : dashed}`,
    x: { title: "block size as a share of the image's side", scale: 'log' },
    y: { title: name, unit: '%', include: [0] },
    series: [...own, ...paperSeries(view, what, contrast, overlay)],
  };
}

function paperSeries(
  view: Sweep['view'],
  what: 'accuracy' | 'speed',
  contrast: Contrast | null,
  overlay: Overlay,
): LinesFigure['series'] {
  if (overlay === 'none') return [];
  const curve = paperCurve(overlay, what);
  const least = Math.min(...curve.flatMap(({ block }) => block ?? [])) / BELOW;
  return (['pretrained', 'random'] as const).map((side, at) => ({
    name: `paper, ${overlay}, ${side === 'pretrained' ? 'P-T' : 'RI-T'}`,
    colour: contrast ? colourOf(view, contrast[side]) : at,
    dashed: true,
    points: curve.map((point) => ({ x: point.block ?? least, y: point[side] })),
  }));
}
