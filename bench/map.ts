/** Seconds from features to a map and to trained probes, by number of images. */
import { groupedFolds } from '../engine/analysis/confident-learning.ts';
import { principalComponents } from '../engine/analysis/pca.ts';
import { trainProbe } from '../engine/analysis/probe.ts';
import { umapLayout } from '../engine/analysis/umap.ts';
import { stream } from '../engine/random/streams.ts';
import type { Bench, Choice } from './bench.ts';
import { timed } from './bench.ts';

const FEATURES = 512;
const CLASSES = 50;
const COUNTS = [10_000, 20_000];

interface Result {
  images: number;
  features: number;
  /** Principal components, exact neighbours and layout of a map; one probe of five. */
  seconds: { components: number; neighbours: number; layout: number; probe: number };
  peakBytes: number;
}

/** Rows of overlapping groups, as features of a network are. */
function features(images: number): Float32Array {
  const random = stream(0, 'bench', 'map');
  const centres = Float32Array.from({ length: CLASSES * FEATURES }, () => random.normal());
  return Float32Array.from({ length: images * FEATURES }, (_, at) => {
    const own = Math.floor(at / FEATURES) % CLASSES;
    return centres[own * FEATURES + (at % FEATURES)]! + random.normal();
  });
}

async function measure(images: number): Promise<Result> {
  const values = features(images);
  const components = await timed(() => principalComponents(values, FEATURES, 50));
  const { scores, count } = components.result;
  let before = performance.now();
  let neighbours = 0;
  await umapLayout(scores, count, {
    ...{ neighbours: 15, minDistance: 0.1, seed: 0 },
    onProgress(phase) {
      if (phase !== 'layout' || neighbours > 0) return;
      neighbours = (performance.now() - before) / 1000;
      before = performance.now();
    },
  });
  const layout = (performance.now() - before) / 1000;
  const labels = Int32Array.from({ length: images }, (_, at) => at % CLASSES);
  const groups = Array.from(labels, (_, at) => String(at));
  const folds = groupedFolds(labels, groups, 5, 0);
  const inside = [...folds.keys()].filter((at) => folds[at] !== 0);
  const rows = new Float32Array(inside.length * count);
  for (const [to, at] of inside.entries()) {
    rows.set(scores.subarray(at * count, (at + 1) * count), to * count);
  }
  const own = Int32Array.from(inside, (at) => labels[at]!);
  const options = { features: count, classes: CLASSES, standardise: false, inverseStrength: 0.1 };
  const probe = await timed(async () => trainProbe(rows, own, options));
  const seconds = { components: components.seconds, neighbours, layout, probe: probe.seconds };
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  return { images, features: FEATURES, seconds, peakBytes };
}

function lineOf({ images, seconds, peakBytes }: Result): string {
  const { components, neighbours, layout, probe } = seconds;
  const total = components + neighbours + layout;
  return (
    `${images.toLocaleString('en')} x ${FEATURES}: map ${total.toFixed(1)} s ` +
    `(components ${components.toFixed(1)}, neighbours ${neighbours.toFixed(1)}, ` +
    `layout ${layout.toFixed(1)}); a probe of ${CLASSES} classes ${probe.toFixed(1)} s; ` +
    `memory at most ${Math.round(peakBytes / 2 ** 20)} MiB`
  );
}

export const map: Bench = {
  name: 'map',
  about: 'Seconds from features to a map, and to a probe for label errors.',
  async run({ images }: Choice) {
    const results: Result[] = [];
    for (const count of images ? [images] : COUNTS) results.push(await measure(count));
    return { results, lines: results.map(lineOf) };
  },
};
