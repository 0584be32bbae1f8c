import type { Table } from '../../../../contract/figures.ts';
import { pairLink } from '../links.ts';
import type { Case } from './ambiguous.ts';
import type { Measured, MistakesJob } from './measure.ts';

/** What becomes of an image, in words. */
export function caseTitles(pretrained: string, random: string): Record<Case, string> {
  return {
    'both-right': 'both are right',
    'only-pretrained-wrong': `${pretrained} is wrong and ${random} right`,
    'only-random-wrong': `${pretrained} is right and ${random} wrong`,
    'both-wrong': 'both are wrong',
  };
}

export function pairTable({ pairs }: Measured, { runs, ...job }: MistakesJob): Table {
  return {
    id: 'pairs',
    title: 'Pairs of runs',
    columns: [
      { key: 'a', title: 'A' },
      { key: 'seedA', title: 'Seed', digits: 0 },
      { key: 'b', title: 'B' },
      { key: 'seedB', title: 'Seed', digits: 0 },
      { key: 'common', title: 'Both wrong', unit: '%' },
      { key: 'onlyA', title: 'Only A wrong', unit: '%' },
      { key: 'onlyB', title: 'Only B wrong', unit: '%' },
      { key: 'overlap', title: 'Common of all mistakes', unit: '%' },
      { key: 'kappa', title: 'kappa', digits: 3 },
    ],
    rows: job.pairs.map(([a, b], at) => {
      const { common, onlyA, onlyB, jaccard: overlap, kappa } = pairs[at]!;
      const [first, second] = [runs[a]!, runs[b]!];
      return {
        ...{ a: first.arm, seedA: first.seed, b: second.arm, seedB: second.seed },
        ...{ common, onlyA, onlyB, overlap, kappa },
      };
    }),
    links: job.pairs.map(([a, b]) => pairLink(runs[a]!.run, runs[b]!.run)),
  };
}

/** Means over the pairs of a kind, by class or finding. */
export function classTable({ pairs, names, findings }: Measured, job: MistakesJob): Table {
  const { runs } = job;
  const kinds = Map.groupBy(job.pairs.keys(), (at) => {
    const [a, b] = job.pairs[at]!;
    return `${runs[a]!.arm}/${runs[b]!.arm}`;
  });
  const rows = names.flatMap((name, c) =>
    [...kinds].flatMap(([kind, own]) => {
      const parts = own.flatMap((at) => pairs[at]!.parts[c] ?? []);
      if (parts.length === 0) return [];
      const mean = (of: (part: (typeof parts)[number]) => number) =>
        parts.reduce((sum, part) => sum + of(part), 0) / parts.length;
      return [
        {
          ...{ name, kind, images: parts[0]!.images },
          common: mean(({ common }) => common),
          onlyA: mean(({ onlyA }) => onlyA),
          onlyB: mean(({ onlyB }) => onlyB),
          kappa: mean(({ kappa }) => kappa),
        },
      ];
    }),
  );
  return {
    id: 'classes',
    title: findings ? 'Mistakes by finding' : 'Mistakes by class',
    columns: [
      { key: 'name', title: findings ? 'Finding' : 'Class' },
      { key: 'kind', title: 'Pairs A/B' },
      { key: 'images', title: 'Images', digits: 0 },
      { key: 'common', title: 'Both wrong', unit: '%' },
      { key: 'onlyA', title: 'Only A wrong', unit: '%' },
      { key: 'onlyB', title: 'Only B wrong', unit: '%' },
      { key: 'kappa', title: 'kappa', digits: 3 },
    ],
    rows,
  };
}
