/** The child process that lays out a map: `node map-main.ts <job.json>`. */
import { principalComponents } from '../../engine/analysis/pca.ts';
import { umapLayout } from '../../engine/analysis/umap.ts';
import { runChild } from '../trainer/child.ts';
import { readRows, writeArray } from './arrays.ts';
import type { MapJob, MapMessage } from './protocol.ts';

/** Distances in more dimensions cost more and tell no more. */
const DIMENSIONS = 50;
const PHASES = {
  neighbours: { phase: 'finding neighbours', unit: 'images' },
  layout: { phase: 'laying out the map', unit: 'epochs' },
} as const;

await runChild<MapJob, MapMessage>(async ({ features, folder, id, ...options }, send) => {
  const total = features.rows.length;
  const values = await readRows(features);
  send({
    type: 'progress',
    ...{ phase: 'principal components', done: 0, total, unit: 'images' },
  });
  const { scores, count } = await principalComponents(values, features.dimensions, DIMENSIONS);
  const layout = await umapLayout(scores, count, {
    ...options,
    onProgress: (phase, done, of) => send({ type: 'progress', ...PHASES[phase], done, total: of }),
  });
  send({ type: 'done', file: await writeArray(folder, `${id}.f32`, layout) });
});
