import type { Figure, Quantity, Table } from '../../../../contract/figures.ts';
import { barriersOf, type Barriers } from '../../../../engine/analysis/barrier.ts';
import { basinOf } from '../../../../engine/analysis/basin.ts';
import type { Presented, StudyView } from '../definition.ts';
import { behind, pairLink } from '../links.ts';
import { overPairs, pairDifference, runsOfKind, type PairValue, type RunPair } from '../pairs.ts';
import type { BarrierJob, BarrierMeasured, MeasuredLine } from './measure.ts';

export interface LinePair extends RunPair {
  sameStart: boolean;
}

interface Given {
  view: StudyView;
  lines: LinePair[];
  measured: BarrierMeasured;
  job: BarrierJob;
  /** null: the network has none. */
  batchNorm: 'interpolated' | 'recalibrated' | null;
}

const SPLITS = ['test', 'train'] as const;
const MEASURES = ['error', 'loss'] as const;
const DEFINITIONS = ['entezari', 'frankle'] as const;
type Split = (typeof SPLITS)[number];
type Of = (typeof MEASURES)[number];
type Definition = keyof Barriers;

/** What a barrier is of: `test error, Entezari`. */
interface What {
  split: Split;
  of: Of;
  definition: Definition;
}

/** The one that keys without more words stand for. */
const MAIN: What = { split: 'test', of: 'error', definition: 'entezari' };
const ALL: What[] = SPLITS.flatMap((split) =>
  MEASURES.flatMap((of) => DEFINITIONS.map((definition) => ({ split, of, definition }))),
);

/** Figures, numbers and notes of the lines, in the order of the job. */
export function presented(given: Given): Presented {
  const kinds = [...new Set(given.lines.map(({ kind }) => kind))];
  return {
    quantities: [...quantitiesOf(given, kinds), ...basinQuantities(given)],
    figures: [
      ...SPLITS.flatMap((split) => MEASURES.map((of) => lineFigure(given, kinds, split, of))),
      heights(given, kinds),
    ],
    tables: [heightTable(given), pointTable(given)],
    notes: notesOf(given),
  };
}

function valueAt(line: MeasuredLine, split: Split, of: Of, at: number): number | null {
  const scored = line[split][at];
  if (!scored) return null;
  return of === 'error' ? 1 - scored.accuracy : scored.loss;
}

/** null where a value between the ends is not finite. */
function barrierOf({ job, measured }: Given, at: number, { split, of, definition }: What) {
  const points = job.lambdas.flatMap((lambda, i) => {
    if (lambda < 0 || lambda > 1) return [];
    return [{ lambda, value: valueAt(measured.lines[at]!, split, of, i) }];
  });
  if (points.some(({ value }) => value === null)) return null;
  return barriersOf(points as { lambda: number; value: number }[])[definition];
}

type KindOf = (line: LinePair) => string;
const byStart: KindOf = ({ sameStart }) => (sameStart ? 'same start' : 'different starts');

function valuesOf(given: Given, what: What, kindOf: KindOf): PairValue[] {
  return given.lines.flatMap((line, at) => {
    const value = barrierOf(given, at, what);
    if (value === null) return [];
    return [{ kind: kindOf(line), seeds: [line.a.seed, line.b.seed] as const, value }];
  });
}

function quantitiesOf(given: Given, kinds: string[]): Quantity[] {
  const starts = [...new Set(given.lines.map(byStart))].sort().reverse();
  return [
    ...ALL.flatMap((what) => kinds.map((kind) => quantity(given, what, kind, (line) => line.kind))),
    ...(starts.length > 1 ? starts.map((kind) => quantity(given, MAIN, kind, byStart)) : []),
    ...differences(given, kinds, (line) => line.kind),
    ...differences(given, starts, byStart),
  ];
}

function quantity(given: Given, what: What, kind: string, kindOf: KindOf): Quantity {
  const values = valuesOf(given, what, kindOf);
  const { split, of, definition } = what;
  const key = what === MAIN || isMain(what) ? kind : `${split}.${of}.${definition}.${kind}`;
  return {
    ...{ key: `barrier.${key}`, title: `barrier of ${kind} (${named(what)})` },
    ...overPairs(values, kind),
    n: values.filter((each) => each.kind === kind).length,
    unit: of === 'error' ? '%' : '',
  };
}

function isMain({ split, of, definition }: What): boolean {
  return split === MAIN.split && of === MAIN.of && definition === MAIN.definition;
}

function named({ split, of, definition }: What): string {
  return `${split} ${of}, ${definition === 'entezari' ? 'Entezari' : 'Frankle'}`;
}

function differences(given: Given, kinds: string[], kindOf: KindOf): Quantity[] {
  const whats = [MAIN, { ...MAIN, of: 'loss' as const }];
  return whats.flatMap((what) =>
    kinds.flatMap((first, at) =>
      kinds.slice(at + 1).map((second): Quantity => {
        const what_ = what.of === 'error' ? '' : 'test.loss.entezari.';
        return {
          key: `barrier.${what_}difference.${first} minus ${second}`,
          title: `barrier of ${first} less that of ${second} (${named(what)})`,
          ...pairDifference(valuesOf(given, what, kindOf), first, second),
          unit: what.of === 'error' ? '%' : '',
        };
      }),
    ),
  );
}

function lineFigure(given: Given, kinds: string[], split: Split, of: Of): Figure {
  const { view, job, measured, lines } = given;
  const title = of === 'error' ? 'accuracy' : 'loss';
  return {
    kind: 'lines',
    id: `${split}-${title}`,
    title: `${split === 'test' ? 'Test' : 'Training'} ${title} on the line`,
    caption:
      `Weights (1 - lambda) a + lambda b, ${measured.images[split]} images; means over pairs, ` +
      `bands: 95 %, jackknife over seeds.${policy(given)}`,
    x: { title: 'lambda' },
    y: of === 'error' ? { title, unit: '%', include: [0] } : { title, scale: 'log' },
    series: kinds.map((kind, colour) => ({
      ...{ name: kind, colour },
      points: job.lambdas.flatMap((x, i) => {
        const values = lines.flatMap((line, at): PairValue[] => {
          const value = line.kind === kind ? valueAt(measured.lines[at]!, split, of, i) : null;
          const seeds = [line.a.seed, line.b.seed] as const;
          return value === null ? [] : [{ kind, seeds, value: of === 'error' ? 1 - value : value }];
        });
        const { value: y, interval } = overPairs(values, kind);
        if (y === null) return [];
        return [
          { x, y, ...(interval && { interval }), ...behind(view.id, runsOfKind(lines, kind)) },
        ];
      }),
    })),
    marks: [
      { x: 0, label: 'a' },
      { x: 1, label: 'b' },
    ],
  };
}

function policy({ batchNorm }: Given): string {
  return batchNorm === null ? '' : ` BatchNorm: running statistics ${batchNorm}.`;
}

function heights(given: Given, kinds: string[]): Figure {
  const rows = kinds.flatMap((kind, colour) => {
    const values = valuesOf(given, MAIN, (line) => line.kind);
    const { value, interval } = overPairs(values, kind);
    if (value === null) return [];
    const one = given.lines.find((line) => line.kind === kind)!;
    const note = byStart(one);
    return [{ label: kind, value, interval, colour, note, link: pairLink(one.a.id, one.b.id) }];
  });
  return {
    kind: 'intervals',
    id: 'heights',
    title: 'Height of the barrier',
    caption: `${named(MAIN)}: largest rise above the straight line between the ends; 95 %, jackknife over seeds.${policy(given)}`,
    x: { title: 'rise of the test error', unit: '%', include: [0] },
    zero: 0,
    rows,
  };
}

function heightTable(given: Given): Table {
  return {
    id: 'heights',
    title: 'Barriers of every pair',
    columns: [
      { key: 'kind', title: 'Pair' },
      { key: 'a', title: 'Seed', digits: 0 },
      { key: 'b', title: 'Seed', digits: 0 },
      { key: 'start', title: 'Start' },
      ...ALL.map((what, i) => ({
        ...{ key: `w${i}`, title: named(what) },
        ...(what.of === 'error' ? { unit: '%' as const, digits: 1 } : { digits: 3 }),
      })),
    ],
    rows: given.lines.map((line, at) => ({
      ...{ kind: line.kind, a: line.a.seed, b: line.b.seed, start: byStart(line) },
      ...Object.fromEntries(ALL.map((what, i) => [`w${i}`, barrierOf(given, at, what)])),
    })),
    links: given.lines.map(({ a, b }) => pairLink(a.id, b.id)),
  };
}

function pointTable({ lines, job, measured }: Given): Table {
  const rows = lines.flatMap((line, at) =>
    job.lambdas.map((lambda, i) => ({
      ...{ kind: line.kind, a: line.a.seed, b: line.b.seed, lambda },
      ...Object.fromEntries(
        SPLITS.flatMap((split) => {
          const scored = measured.lines[at]![split][i];
          return [
            [`${split}Accuracy`, scored?.accuracy ?? null],
            [`${split}Loss`, scored?.loss ?? null],
          ];
        }),
      ),
    })),
  );
  return {
    id: 'lines',
    title: 'Points of every line',
    columns: [
      { key: 'kind', title: 'Pair' },
      { key: 'a', title: 'Seed', digits: 0 },
      { key: 'b', title: 'Seed', digits: 0 },
      { key: 'lambda', title: 'lambda', digits: 2 },
      { key: 'testAccuracy', title: 'Test accuracy', unit: '%', digits: 1 },
      { key: 'testLoss', title: 'Test loss', digits: 3 },
      { key: 'trainAccuracy', title: 'Training accuracy', unit: '%', digits: 1 },
      { key: 'trainLoss', title: 'Training loss', digits: 3 },
    ],
    rows,
    links: lines.flatMap(({ a, b }) => job.lambdas.map(() => pairLink(a.id, b.id))),
  };
}

/** (epsilon, delta) of definition 3.1; none where it is off the grid. */
function basinQuantities({ measured }: Given): Quantity[] {
  return measured.basins.flatMap(({ arm, networks, losses }): Quantity[] => {
    const basin = losses && basinOf(losses);
    const n = networks;
    const method = 'Monte Carlo over points of the set, no interval';
    const of = (what: string, value: number | null): Quantity => ({
      ...{ key: `barrier.basin.${what}.${arm}`, title: `${what} of the basin of ${arm}`, value },
      ...{ interval: null, method, n, unit: '' },
    });
    return [of('epsilon', basin?.epsilon ?? null), of('delta', basin?.delta ?? null)];
  });
}

function notesOf(given: Given): string[] {
  const { lines, measured, batchNorm, job } = given;
  const notes = [
    'Pairs of one arm: all pairs of seeds. Pairs of two arms: runs of one seed. The head of every run is drawn anew from its seed, so runs of one start differ in it. ' +
      'A low straight line does not show that two networks compute the same, and a high one may be undone by permuting units.',
  ];
  if (batchNorm === 'interpolated') {
    notes.push(
      'BatchNorm: running statistics interpolated, not recalibrated; between the ends accuracy may be lower for that alone.',
    );
  }
  if (measured.lines.some(({ train, test }) => [...train, ...test].includes(null))) {
    notes.push('Some points far outside gave numbers that are not finite; they are left out.');
  }
  if (!lines.some(({ sameStart }) => sameStart)) {
    notes.push('No two runs have one start: the definition of Frankle is for pairs that do.');
  }
  for (const { arm, distance, losses } of measured.basins) {
    const basin = losses && basinOf(losses);
    const far = `${(4 * distance).toFixed(1)} (four times the mean distance of its runs)`;
    if (basin && basin.delta !== null) continue;
    notes.push(`The basin of ${arm} has no delta up to ${far}, or its losses are not finite.`);
  }
  if (job.basins.length > 0) {
    notes.push(
      'Basin: losses on training images of uniform points of the convex hull of the runs of an arm, and of points beyond its boundary (definition 3.1 of Neyshabur et al. 2020).',
    );
  }
  return notes;
}
