import type { FeatureSource, Neighbour } from '../../contract/analyses.ts';
import { CarryoverError } from '../../contract/errors.ts';
import { NearestByCosine } from '../../engine/analysis/neighbours.ts';
import type { HostContext } from '../context.ts';
import { hasBit } from '../datasets/bits.ts';
import { columnsOf } from '../datasets/columns.ts';
import { readRows, rowBlocks } from './arrays.ts';
import { keptFeatures, openKept } from './features.ts';
import { namedSource } from './source.ts';

/**
 * The images of the same data set that are most like one by cosine similarity of features that were
 * computed before; excluded ones are left out. Throws `not-found` where there are none of this
 * image.
 */
export async function nearestImages(
  context: HostContext,
  { imageId, source, most }: { imageId: number; source: FeatureSource; most: number },
): Promise<Neighbour[]> {
  const { db } = context;
  const datasetId = db
    .prepare<[number], string>('SELECT dataset_id FROM images WHERE id = ?')
    .pluck()
    .get(imageId);
  if (datasetId === undefined) {
    throw new CarryoverError('not-found', `there is no image ${imageId}`, {
      value: String(imageId),
    });
  }
  const { source: named, name } = namedSource(context, source);
  for (const features of keptFeatures(context, datasetId, named)) {
    const opened = await openKept(context, features);
    const row = opened?.ids.indexOf(imageId) ?? -1;
    if (!opened || row < 0) continue;
    const { file, dimensions, ids } = opened;
    const query = await readRows({ file, dimensions, rows: [row] });
    const { positionOf, excluded } = columnsOf(db, datasetId);
    const hidden = ids.filter((id) => positionOf(id) >= 0 && hasBit(excluded, positionOf(id)));
    // The image itself is found, too.
    const nearest = new NearestByCosine(query, most + hidden.length + 1);
    for await (const { first, values } of rowBlocks(file, dimensions)) nearest.add(values, first);
    const left = new Set([...hidden, imageId]);
    return nearest
      .result()
      .map(({ index, similarity }) => ({ id: ids[index]!, similarity }))
      .filter(({ id }) => !left.has(id))
      .slice(0, most);
  }
  throw new CarryoverError('not-found', `no features of image ${imageId} by ${name} are kept`, {
    value: String(imageId),
    wayOut: 'make a map of the data set with this source first',
  });
}
