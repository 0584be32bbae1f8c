import type { Figure, Quantity, Table } from '../../../../contract/figures.ts';
import type { AnalysisOptions } from '../../../../contract/study-analyses.ts';
import { FEW_UNITS } from '../../../../engine/analysis/bootstrap.ts';
import type { Presented, StudyRun, StudyView } from '../definition.ts';
import { behind, pairLink, runLink } from '../links.ts';
import { overPairs, pairDifference, runsOfKind, type PairValue } from '../pairs.ts';
import type { CkaJob, CkaMeasured, LayerSimilarity } from './measure.ts';

/** Two runs, or a run and its start (`a` and `b` the same). */
export interface Pair {
  kind: string;
  a: StudyRun;
  b: StudyRun;
}

interface Row extends Pair {
  layers: LayerSimilarity[];
}

/** All that is drawn of. */
interface Shown {
  view: StudyView;
  rows: Row[];
  kinds: string[];
  layers: string[];
  options: AnalysisOptions<'cka'>;
  measured: CkaMeasured;
}

/** Figures, numbers and notes of the similarities of pairs, in the order of the job. */
export function presented(
  view: StudyView,
  pairs: readonly Pair[],
  options: AnalysisOptions<'cka'>,
  measured: CkaMeasured,
  job: CkaJob,
): Presented {
  const rows = pairs.map((pair, at): Row => ({ ...pair, layers: measured.pairs[at]! }));
  const kinds = [...new Set(rows.map(({ kind }) => kind))];
  const shown = { view, rows, kinds, layers: job.layers.flat(), options, measured };
  return {
    quantities: quantitiesOf(shown),
    figures: [byLayer(shown), ...maps(shown)],
    tables: [tableOf(shown)],
    notes: notesOf(shown),
  };
}

/** Of one layer, or the mean over the layers; pairs without a value are left out. */
function valuesOf({ rows }: Shown, layer: number | null): PairValue[] {
  return rows.flatMap(({ kind, a, b, layers }) => {
    const all = layer === null ? layers : [layers[layer]!];
    const values = all.flatMap(({ cka }) => (cka === null ? [] : [cka]));
    if (values.length === 0) return [];
    const value = values.reduce((sum, each) => sum + each, 0) / values.length;
    return [{ kind, seeds: [a.seed, b.seed] as const, value }];
  });
}

/** Over seeds; of a single pair at one layer, over images. */
function estimateOf(shown: Shown, kind: string, layer: number | null) {
  const values = valuesOf(shown, layer);
  const found = overPairs(values, kind);
  const own = shown.rows.filter((row) => row.kind === kind);
  const count = values.filter((each) => each.kind === kind).length;
  const interval = layer === null ? null : (own[0]?.layers[layer]?.interval ?? null);
  if (found.interval === null && count === 1 && interval !== null) {
    const method = `half-samples over ${shown.measured.groups} groups of images, one pair`;
    return { ...found, interval, method, n: count };
  }
  return { ...found, n: count };
}

function quantitiesOf(shown: Shown): Quantity[] {
  const { kinds, layers } = shown;
  const places = [null, ...layers.keys()];
  const suffix = (layer: number | null) => (layer === null ? '' : `.${layers[layer]}`);
  const where = (layer: number | null) => (layer === null ? 'mean over layers' : layers[layer]!);
  const own = kinds.flatMap((kind) =>
    places.map((layer): Quantity => ({
      key: `cka.${kind}${suffix(layer)}`,
      title: `CKA of ${kind}, ${where(layer)}`,
      ...estimateOf(shown, kind, layer),
      unit: '',
    })),
  );
  const differences = kinds.flatMap((first, at) =>
    kinds.slice(at + 1).flatMap((second) =>
      places.map((layer): Quantity => ({
        key: `cka.difference.${first} minus ${second}${suffix(layer)}`,
        title: `CKA of ${first} less that of ${second}, ${where(layer)}`,
        ...pairDifference(valuesOf(shown, layer), first, second),
        unit: '',
      })),
    ),
  );
  return [...own, ...differences];
}

function byLayer(shown: Shown): Figure {
  const { view, rows, kinds, layers, options, measured } = shown;
  return {
    kind: 'lines',
    id: 'by-layer',
    title: 'Similarity by layer',
    caption:
      `Linear CKA, ${options.estimator}, of ${measured.images} test images; means over pairs of seeds, ` +
      `bands: 95 %, jackknife over seeds (of a single pair: half-samples over images). ` +
      (options.permutations > 0
        ? `Dashed: the largest 95th percentile of ${options.permutations} random pairings of images.`
        : ''),
    x: { title: 'layer', categories: layers },
    y: { title: `CKA (${options.estimator})`, include: [0, 1] },
    series: [
      ...kinds.map((kind, colour) => ({
        ...{ name: kind, colour },
        points: [...layers.keys()].flatMap((x) => {
          const { value, interval } = estimateOf(shown, kind, x);
          const link = behind(view.id, runsOfKind(rows, kind));
          return value === null ? [] : [{ x, y: value, ...(interval && { interval }), ...link }];
        }),
      })),
      ...nullSeries(shown),
    ],
  };
}

function nullSeries({ rows, kinds, layers }: Shown) {
  const points = [...layers.keys()].flatMap((x) => {
    const uppers = rows.flatMap((row) => row.layers[x]!.null?.upper ?? []);
    return uppers.length === 0 ? [] : [{ x, y: Math.max(...uppers) }];
  });
  if (points.length === 0) return [];
  return [{ name: 'unrelated', colour: kinds.length, dashed: true, points }];
}

/** Layers of one against layers of the other, of the first pair of every kind. */
function maps({ view, rows, kinds, layers, options, measured }: Shown): Figure[] {
  return kinds.map((kind, at): Figure => {
    const { a, b } = rows.find((row) => row.kind === kind)!;
    const values = measured.maps[at]!;
    const own = a === b;
    const link = own ? runLink(view.id, a.id) : pairLink(a.id, b.id);
    const side = (run: StudyRun) => `${run.arm} seed ${run.seed}`;
    return {
      kind: 'heatmap',
      id: `map-${at + 1}`,
      title: `Layers of ${kind}`,
      caption: `Linear CKA, ${options.estimator}, of ${measured.images} test images; one pair.`,
      x: { title: own ? `layer of its start` : `layer of ${side(b)}` },
      y: { title: `layer of ${side(a)}` },
      rows: layers,
      columns: layers,
      values,
      range: [0, 1],
      scale: 'sequential',
      digits: 2,
      links: values.map((row) => row.map(() => link)),
    };
  });
}

function tableOf({ view, rows, layers, options }: Shown): Table {
  const second = options['second-opinion'];
  const cells = rows.flatMap(({ kind, a, b, layers: own }) =>
    own.map((each, layer) => ({
      ...{ kind, a: a.seed, b: b.seed, layer: layers[layer]!, cka: each.cka },
      ...{ low: each.interval?.[0] ?? null, high: each.interval?.[1] ?? null },
      ...{
        null: each.null?.mean ?? null,
        upper: each.null?.upper ?? null,
        p: each.null?.p ?? null,
      },
      ...(second === 'none' ? {} : { second: each.second }),
    })),
  );
  const links = rows.flatMap(({ a, b }) => {
    const link = a === b ? runLink(view.id, a.id) : pairLink(a.id, b.id);
    return layers.map(() => link);
  });
  return {
    id: 'similarities',
    title: 'Similarity of every pair',
    columns: [
      { key: 'kind', title: 'Pair' },
      { key: 'a', title: 'Seed', digits: 0 },
      { key: 'b', title: 'Seed', digits: 0 },
      { key: 'layer', title: 'Layer' },
      { key: 'cka', title: `CKA (${options.estimator})`, digits: 4 },
      { key: 'low', title: '2.5 %', digits: 4 },
      { key: 'high', title: '97.5 %', digits: 4 },
      { key: 'null', title: 'Null, mean', digits: 4 },
      { key: 'upper', title: 'Null, 95 %', digits: 4 },
      { key: 'p', title: 'p', digits: 3 },
      ...(second === 'none' ? [] : [{ key: 'second', title: SECOND[second], digits: 4 }]),
    ],
    rows: cells,
    links,
  };
}

const SECOND = { svcca: 'SVCCA', procrustes: 'Procrustes' } as const;

function notesOf({ options, measured, rows }: Shown): string[] {
  const notes = [
    'Features are flattened maps; the logits are left out. The interval of a single pair is over images, by random halves of their groups.',
  ];
  if (measured.images < options.images) {
    notes.push(
      `${measured.images} images instead of ${options.images}: there are no more, or no more fit into memory.`,
    );
  }
  if (options.estimator === 'biased') {
    notes.push(
      'Biased, as asked for: far from 0 even for unrelated features, as the null shows. No interval over images.',
    );
  }
  if (measured.groups < FEW_UNITS) {
    notes.push(`Images are of ${measured.groups} groups only: intervals over images are rough.`);
  }
  if (rows.some(({ layers }) => layers.some(({ cka }) => cka === null))) {
    notes.push('Some layers answer all images alike (dead units): they have no similarity.');
  }
  if (options['second-opinion'] === 'svcca') {
    notes.push(
      'SVCCA is near 1 by chance where the directions kept are not far fewer than images.',
    );
  }
  return notes;
}
