import type { Figure, Table } from '../../../../contract/figures.ts';
import type { AnalysisOptions } from '../../../../contract/study-analyses.ts';
import { colourOf, scoreName } from '../arm-values.ts';
import type { StudyView } from '../definition.ts';
import { behind } from '../links.ts';
import { armRuns } from '../pairs.ts';
import type { Cell } from './index.ts';

export function biasFigures(view: StudyView, cells: Cell[], method: string): Figure[] {
  const { name } = scoreName(view);
  const caption = `Means over seeds; intervals: ${method}.`;
  const bars = (what: 'score' | 'ece', title: string, axis: string) =>
    barsOf(view, cells, { what, title, axis, caption });
  const rows = (what: Cell['what'], title: string, axis: string) =>
    rowsOf(view, cells, { what, title, axis, caption });
  const found = [
    bars('score', `${name} by subgroup`, name),
    bars('ece', 'Calibration error by subgroup', 'ECE, debiased'),
    rows('gap', 'Gap of each subgroup', `${name} less that on the others`),
  ];
  if (cells.every(({ what }) => what !== 'gain')) return found;
  return [
    ...found,
    rows('gain', 'What the pretrained start changed', `difference in ${name}`),
    rows('gain-gap', 'Whether it changed more there', 'gain less that elsewhere'),
    rows('agreement', 'Agreement of the two arms', 'kappa'),
  ];
}

interface Drawn<W> {
  what: W;
  title: string;
  axis: string;
  caption: string;
}

function barsOf(
  view: StudyView,
  cells: Cell[],
  { what, title, axis, caption }: Drawn<'score' | 'ece'>,
): Figure {
  return {
    kind: 'bars',
    id: what,
    ...{ title, caption },
    x: { title: 'subgroup' },
    y: { title: axis, unit: what === 'ece' ? '1' : '%', include: [0] },
    groups: subgroups(cells).map((label) => ({
      label,
      note: `n = ${cells.find((cell) => cell.subgroup === label)!.images}`,
      bars: cells.flatMap(({ what: own, of, arms, subgroup, value, interval }) => {
        if (own !== what || subgroup !== label || value === null) return [];
        const rest = { ...(interval && { interval }), ...behind(view.id, runsOf(view, arms)) };
        return [{ name: of, colour: colourOf(view, of), value, ...rest }];
      }),
    })),
  };
}

function rowsOf(
  view: StudyView,
  cells: Cell[],
  { what, title, axis, caption }: Drawn<Cell['what']>,
): Figure {
  return {
    kind: 'intervals',
    id: what,
    ...{ title, caption },
    x: { title: axis, unit: what === 'agreement' ? '1' : '%' },
    ...(what !== 'agreement' && { zero: 0 }),
    rows: cells.flatMap(({ what: own, of, arms, subgroup, value, interval, adjusted }) => {
      if (own !== what || value === null) return [];
      const note = adjusted === null ? {} : { note: `adjusted p = ${adjusted.toFixed(3)}` };
      const rest = { ...note, ...behind(view.id, runsOf(view, arms)) };
      return [{ label: `${subgroup}, ${of}`, value, interval, colour: 0, ...rest }];
    }),
  };
}

function runsOf(view: StudyView, arms: readonly string[]): { run: string }[] {
  return armRuns(view).flatMap(({ id: run, arm }) => (arms.includes(arm) ? [{ run }] : []));
}

function subgroups(cells: Cell[]): string[] {
  return [...new Set(cells.map(({ subgroup }) => subgroup))];
}

const TITLES: Record<Cell['what'], string> = {
  score: 'score',
  ece: 'calibration error',
  gap: 'gap',
  gain: 'gain',
  'gain-gap': 'gap of the gain',
  agreement: 'kappa',
};

export function biasTables(
  view: StudyView,
  cells: Cell[],
  correction: AnalysisOptions<'bias'>['correction'],
  links: ReadonlyMap<string, string>,
): Table[] {
  return [
    {
      id: 'subgroups',
      title: `Subgroups; the score is ${scoreName(view).name}`,
      columns: [
        { key: 'subgroup', title: 'Subgroup' },
        { key: 'images', title: 'Images', digits: 0 },
        { key: 'what', title: 'Number' },
        { key: 'of', title: 'Of' },
        { key: 'value', title: 'Value', unit: '1' },
        { key: 'low', title: 'from', unit: '1' },
        { key: 'high', title: 'to', unit: '1' },
        { key: 'p', title: 'p (bootstrap)', digits: 4 },
        { key: 'adjusted', title: `p (${correction})`, digits: 4 },
      ],
      rows: cells.map(({ subgroup, images, what, of, value, interval, p, adjusted }) => ({
        ...{ subgroup, images, what: TITLES[what], of, value },
        ...{ low: interval?.[0] ?? null, high: interval?.[1] ?? null },
        ...{ p: adjusted === null ? null : p, adjusted },
      })),
      links: cells.map(({ subgroup }) => links.get(subgroup) ?? null),
    },
  ];
}
