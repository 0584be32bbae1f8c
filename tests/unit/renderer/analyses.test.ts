import { describe, expect, it } from 'vitest';
import type { Figure, Quantity } from '../../../contract/figures.ts';
import { ANALYSIS_NAMES } from '../../../contract/study-analyses.ts';
import { figureTable } from '../../../renderer/src/analyses/figure-table.ts';
import { cellText, quantityText, ruleText } from '../../../renderer/src/analyses/text.ts';
import { hintOf, titleOf } from '../../../renderer/src/analyses/titles.ts';

const base = { id: 'f', title: 'F', caption: '' };
const [x, y] = [{ title: 'block' }, { title: 'accuracy' }];

describe('the numbers of a figure', () => {
  it.each<[string, Figure, unknown]>([
    [
      'bars',
      {
        ...{ ...base, kind: 'bars', x, y },
        groups: [
          {
            label: '8',
            bars: [
              { name: 'P-T', colour: 0, value: 0.5, interval: [0.4, 0.6], values: [0.4, 0.6] },
              { name: 'RI-T', colour: 1, value: 0.25 },
            ],
          },
        ],
      },
      {
        header: ['group', 'bar', 'value', 'low', 'high', 'values'],
        rows: [
          ['8', 'P-T', 0.5, 0.4, 0.6, '0.4 0.6'],
          ['8', 'RI-T', 0.25, null, null, null],
        ],
      },
    ],
    [
      'lines, by the names of an axis that has them',
      {
        ...{ ...base, kind: 'lines', y, x: { title: 'module', categories: ['stem', 'fc'] } },
        series: [
          {
            name: 'a',
            colour: 0,
            points: [
              { x: 1, y: 2, interval: [1, 3] },
              { x: 0.5, y: 4 },
            ],
          },
        ],
      },
      {
        header: ['series', 'module', 'accuracy', 'low', 'high'],
        rows: [
          ['a', 'fc', 2, 1, 3],
          ['a', 0.5, 4, null, null],
        ],
      },
    ],
    [
      'a heatmap, with its holes',
      {
        ...{ ...base, kind: 'heatmap', x, y, rows: ['r', 's'], columns: ['c', 'd'] },
        ...{ values: [[1, null], [-1, 0]], range: [-1, 1], scale: 'diverging' }, // prettier-ignore
      },
      {
        header: ['', 'c', 'd'],
        rows: [
          ['r', 1, null],
          ['s', -1, 0],
        ],
      },
    ],
    [
      'a scatter plot',
      {
        ...{ ...base, kind: 'scatter', x, y },
        series: [
          {
            name: 'a',
            colour: 0,
            points: [
              { x: 1, y: 2, label: 'run' },
              { x: 3, y: 4 },
            ],
          },
        ],
      },
      {
        header: ['series', 'label', 'block', 'accuracy'],
        rows: [
          ['a', 'run', 1, 2],
          ['a', null, 3, 4],
        ],
      },
    ],
    [
      'intervals',
      {
        ...{ ...base, kind: 'intervals', x },
        rows: [
          { label: 'a', value: 1, interval: [0, 2], colour: 0, note: 'few' },
          { label: 'b', value: 2, interval: null, colour: 1 },
        ],
      },
      {
        header: ['label', 'block', 'low', 'high', 'note'],
        rows: [
          ['a', 1, 0, 2, 'few'],
          ['b', 2, null, null, null],
        ],
      },
    ],
    [
      'pictures',
      {
        ...{ ...base, kind: 'pictures' },
        groups: [
          {
            title: 'g',
            pictures: [
              { imageId: 7, lines: ['disc', 'as box'] },
              { file: 'f.png', lines: [] },
            ],
          },
        ],
      },
      {
        header: ['group', 'image', 'file', 'lines'],
        rows: [
          ['g', 7, null, 'disc; as box'],
          ['g', null, 'f.png', ''],
        ],
      },
    ],
  ])('are those of %s', (_, figure, table) => {
    expect(figureTable(figure)).toEqual(table);
  });
});

describe('a cell', () => {
  it('is written as its unit and its size ask for', () => {
    expect(cellText(null)).toBe('–');
    expect(cellText('layer4')).toBe('layer4');
    expect(cellText(-0.12345)).toBe('−0.123');
    expect(cellText(0.12345, '%')).toBe('12.3 %');
    expect(cellText(0.12345, '', 1)).toBe('0.1');
    expect(cellText(0)).toBe('0.000');
    expect(cellText(12, '', 0)).toBe('12');
    expect(cellText(2_500_000)).toBe('2.50e6');
    expect(cellText(0.00002)).toBe('2.00e−5');
    expect(cellText(-0.00002)).toBe('−2.00e−5');
  });
});

describe('a quantity', () => {
  const given: Quantity = {
    ...{ key: 'q', title: 'q', value: 0.5, interval: [-0.25, 1], method: 't', n: 3, unit: '' },
  };

  it('stands with its interval, where it has one', () => {
    expect(quantityText(given)).toBe('0.500 [−0.250, 1.000]');
    expect(quantityText({ ...given, unit: '%' })).toBe('50.0 % [−25.0 %, 100.0 %]');
    expect(quantityText({ ...given, interval: null })).toBe('0.500');
    expect(quantityText({ ...given, value: null, interval: null })).toBe('–');
  });
});

it('a rule names each bound', () => {
  expect(ruleText({ above: 0 })).toBe('above 0');
  expect(ruleText({ above: -1, below: 1 })).toBe('above -1 and below 1');
});

it('every analysis has a title and a hint of its own', () => {
  for (const of of [titleOf, hintOf]) {
    expect(new Set(ANALYSIS_NAMES.map((name) => of(name))).size).toBe(ANALYSIS_NAMES.length);
  }
});
