import type { Figure, HeatmapFigure, IntervalsFigure } from '../../../../contract/figures.ts';
import type { StudyView } from '../definition.ts';
import { behind, imageLink, pairLink, runLink, testedLink } from '../links.ts';
import { overPairs } from '../pairs.ts';
import { CASES, type AmbiguityOf, type WallPicture } from './ambiguous.ts';
import type { Measured, MistakesJob } from './measure.ts';
import { kindOf, pairValues } from './pair-values.ts';
import { caseTitles, classTable } from './tables.ts';

export function mistakesFigures(
  view: StudyView,
  measured: Measured,
  job: MistakesJob,
  method: string,
): Figure[] {
  const found: Figure[] = [kindsFigure(view, measured, job), matrixFigure(view, measured, job)];
  if (measured.names.length <= 60) found.push(classFigure(view, measured, job));
  for (const [at, own] of measured.ambiguity.entries()) {
    found.push(
      ambiguityFigure(view, own, job, at, method),
      ...wallFigures(view, measured, own, job, at),
    );
  }
  return found;
}

function kindsFigure(view: StudyView, measured: Measured, job: MistakesJob): Figure {
  const kinds = [...new Set(job.pairs.map((pair) => kindOf(job, pair)))];
  const parts = [
    { name: 'both wrong', of: pairValues(job, measured, ({ common }) => common) },
    { name: 'exactly one wrong', of: pairValues(job, measured, (p) => p.onlyA + p.onlyB) },
    { name: 'common of all mistakes', of: pairValues(job, measured, ({ jaccard }) => jaccard) },
  ];
  return {
    kind: 'bars',
    id: 'kinds',
    title: 'Common and uncommon mistakes',
    caption: 'Means over pairs of runs with jackknife intervals over seeds; pairs as dots.',
    x: { title: 'kind of pair' },
    y: { title: 'share', unit: '%', include: [0] },
    groups: kinds.map((kind) => ({
      label: kind,
      bars: parts.flatMap(({ name, of }, colour) => {
        const { value, interval } = overPairs(of, kind);
        if (value === null) return [];
        const values = of.filter((each) => each.kind === kind).map((each) => each.value);
        const link = behind(view.id, runsOf(job, kind));
        return [{ name, colour, value, values, ...(interval && { interval }), ...link }];
      }),
    })),
  };
}

function matrixFigure(
  view: StudyView,
  { kappa, order }: Measured,
  { runs }: MistakesJob,
): HeatmapFigure {
  const names = order.map((at) => `${runs[at]!.arm} ${runs[at]!.seed}`);
  const low = Math.min(0, ...kappa.flat());
  return {
    kind: 'heatmap',
    id: 'kappa',
    title: 'Error consistency of all runs',
    caption:
      'Kappa: 1 is the same mistakes, 0 as many common ones as by chance. Runs in the order of ' +
      'average linkage on 1 - kappa. Names: arm and seed.',
    x: { title: 'run' },
    y: { title: 'run' },
    rows: names,
    columns: names,
    values: order.map((row) => order.map((column) => kappa[row]![column]!)),
    range: [low, 1],
    scale: 'sequential',
    digits: 2,
    links: order.map((row) =>
      order.map((column) =>
        row === column
          ? runLink(view.id, runs[row]!.run)
          : pairLink(runs[row]!.run, runs[column]!.run),
      ),
    ),
  };
}

function classFigure(view: StudyView, measured: Measured, job: MistakesJob): HeatmapFigure {
  const { rows } = classTable(measured, job);
  const kinds = [...new Set(job.pairs.map((pair) => kindOf(job, pair)))];
  const names = measured.names.filter((name) => rows.some((row) => row.name === name));
  const cell = (name: string, kind: string, key: 'common' | 'onlyA' | 'onlyB') =>
    rows.find((row) => row.name === name && row.kind === kind)?.[key] as number | undefined;
  return {
    kind: 'heatmap',
    id: 'by-class',
    title: measured.findings ? 'Mistakes by finding' : 'Mistakes by class',
    caption: 'Share of the images: both wrong, only the first wrong, only the second wrong.',
    x: { title: 'kind of pair', unit: '%' },
    y: { title: measured.findings ? 'finding' : 'class' },
    rows: names,
    columns: kinds.flatMap((kind) => {
      const [a = '', b = ''] = armsOf(job, kind);
      return [`${kind}: both`, `${kind}: only ${a}`, `${kind}: only ${b}`];
    }),
    values: names.map((name) =>
      kinds.flatMap((kind) =>
        (['common', 'onlyA', 'onlyB'] as const).map((key) => cell(name, kind, key) ?? null),
      ),
    ),
    range: [0, 1],
    scale: 'sequential',
    links: names.map((label) => {
      const link = testedLink(view, { label: [label] });
      return kinds.flatMap(() => [link, link, link]);
    }),
  };
}

/** Of the pairs of a kind. */
function runsOf({ runs, pairs }: MistakesJob, kind: string): { run: string }[] {
  const own = pairs.filter((pair) => kindOf({ runs }, pair) === kind);
  return own.flat().map((at) => runs[at]!);
}

function armsOf(job: MistakesJob, kind: string): string[] {
  const [a, b] = job.pairs.find((pair) => kindOf(job, pair) === kind)!;
  return [job.runs[a]!.arm, job.runs[b]!.arm];
}

function ambiguityFigure(
  view: StudyView,
  { entropy, counts }: AmbiguityOf,
  job: MistakesJob,
  at: number,
  method: string,
): IntervalsFigure {
  const { pretrained, random } = job.contrasts[at]!;
  const titles = caseTitles(pretrained, random);
  return {
    kind: 'intervals',
    id: `ambiguity-${at}`,
    title: `How ambiguous the images are: ${pretrained} and ${random}`,
    caption: `Mean entropy of the images, over all pairs of seeds; 0 is clear, 1 no idea. ${method}.`,
    x: { title: 'entropy', unit: '1', include: [0] },
    rows: CASES.flatMap((name, colour) => {
      const { value, interval } = entropy.means[name];
      if (value === null) return [];
      const link = behind(view.id, runsOf(job, `${pretrained}/${random}`));
      const note = `n = ${counts[name]}`;
      return [{ label: titles[name], value, interval, colour, note, ...link }];
    }),
  };
}

function wallFigures(
  view: StudyView,
  { names }: Measured,
  { walls }: AmbiguityOf,
  job: MistakesJob,
  at: number,
): Figure[] {
  const shown = walls.filter(({ pictures }) => pictures.length > 0);
  if (shown.length === 0) return [];
  const { pretrained, random } = job.contrasts[at]!;
  const titles = caseTitles(pretrained, random);
  return [
    {
      kind: 'pictures',
      id: `wall-${at}`,
      title: `Uncommon mistakes of ${pretrained} and ${random}`,
      caption: 'Runs of the first seeds. From either end of the images sorted by entropy.',
      groups: shown.map(({ case: name, end, pictures }) => ({
        title: `${titles[name]}: ${end === 'clear' ? 'clearest' : 'most ambiguous'} first`,
        pictures: pictures.flatMap((picture) =>
          pictureOf(view, names, picture, { pretrained, random }),
        ),
      })),
    },
  ];
}

function pictureOf(
  { study: { dataset, sides } }: StudyView,
  names: string[],
  picture: WallPicture,
  arms: MistakesJob['contrasts'][number],
) {
  const image = sides.test[picture.row];
  if (!image) return [];
  const told = (by: 'pretrained' | 'random') => {
    const { label, confidence } = picture[by];
    return `${arms[by]}: ${names[label]!} ${(100 * confidence).toFixed(0)} %`;
  };
  const entropy = `entropy ${picture.entropy.toFixed(2)}`;
  return [
    {
      imageId: image.id,
      lines: [names[picture.truth]!, told('pretrained'), told('random'), entropy],
      link: imageLink(dataset.id, image.id),
    },
  ];
}
