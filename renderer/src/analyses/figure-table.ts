import type { Figure } from '../../../contract/figures.ts';
import type { CsvValue } from '../lib/csv.ts';
import type { Table } from '../lib/leaks.ts';

type Interval = [number, number] | null | undefined;
type Kind = Figure['kind'];
type Tabulate<K extends Kind> = (figure: Extract<Figure, { kind: K }>) => Table;

const ends = (interval: Interval): CsvValue[] => [interval?.[0] ?? null, interval?.[1] ?? null];

const TABULATE: { [K in Kind]: Tabulate<K> } = {
  bars: ({ groups }) => ({
    header: ['group', 'bar', 'value', 'low', 'high', 'values'],
    rows: groups.flatMap(({ label, bars }) =>
      bars.map(({ name, value, interval, values }) => [
        ...[label, name, value, ...ends(interval), values?.join(' ') ?? null],
      ]),
    ),
  }),
  lines: ({ x: axis, y: other, series }) => ({
    header: ['series', axis.title, other.title, 'low', 'high'],
    rows: series.flatMap(({ name, points }) =>
      points.map(({ x, y, interval }) => [name, axis.categories?.[x] ?? x, y, ...ends(interval)]),
    ),
  }),
  scatter: ({ x: axis, y: other, series }) => ({
    header: ['series', 'label', axis.title, other.title],
    rows: series.flatMap(({ name, points }) =>
      points.map(({ x, y, label }) => [name, label ?? null, x, y]),
    ),
  }),
  heatmap: ({ rows, columns, values }) => ({
    header: ['', ...columns],
    rows: rows.map((name, row) => [name, ...(values[row] ?? [])]),
  }),
  intervals: ({ x, rows }) => ({
    header: ['label', x.title, 'low', 'high', 'note'],
    rows: rows.map(({ label, value, interval, note }) => [
      ...[label, value, ...ends(interval), note ?? null],
    ]),
  }),
  pictures: ({ groups }) => ({
    header: ['group', 'image', 'file', 'lines'],
    rows: groups.flatMap(({ title, pictures }) =>
      pictures.map(({ imageId, file, lines }) => [
        ...[title, imageId ?? null, file ?? null, lines.join('; ')],
      ]),
    ),
  }),
};

/** The numbers of a figure, a mark a row. */
export function figureTable(figure: Figure): Table {
  return (TABULATE[figure.kind] as (figure: Figure) => Table)(figure);
}
