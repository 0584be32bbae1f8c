import type { DatasetSummary } from '../../contract/datasets.ts';
import { CarryoverError } from '../../contract/errors.ts';
import type { Reading } from '../../contract/reading.ts';
import type { HostContext } from '../context.ts';
import { writeTransaction } from '../db/transaction.ts';
import { forgetColumns } from './columns.ts';
import { contentKey, imagesByContent, moveTo } from './move.ts';
import { counted, fewOf } from './order.ts';
import { getSummary, requireDataset } from './read.ts';
import type { Scan, ScanOptions } from './scan.ts';
import { scanSource } from './scan.ts';

/**
 * Makes a data set's files those at another path, read in the same way. Ids, labels, changes and
 * all that was computed stay. Throws CarryoverError `conflict`, naming what differs, unless the
 * same content lies there; and what `scanSource` throws.
 */
export async function relinkDataset(
  context: HostContext,
  id: string,
  path: string,
  options: ScanOptions = {},
): Promise<DatasetSummary> {
  const { db, events } = context;
  requireDataset(db, id);
  const scan = await scanSource(context, path, readingOf(context, id), options);
  const summary = getSummary(db, id);
  if (scan.contentHash !== summary.contentHash) throw otherContent(context, summary, scan);
  writeTransaction(db, () => moveTo(db, id, scan));
  forgetColumns(db, id);
  events.emit({ type: 'datasets' });
  return getSummary(db, id);
}

function readingOf({ db }: HostContext, id: string): Reading {
  const json = db
    .prepare<[string], string>('SELECT reading_json FROM datasets WHERE id = ?')
    .pluck()
    .get(id);
  return JSON.parse(json ?? 'null') as Reading;
}

function otherContent({ db }: HostContext, known: DatasetSummary, scan: Scan): CarryoverError {
  const missing = imagesByContent(db, known.id);
  const added: string[] = [];
  for (const image of scan.images) {
    const same = missing.get(contentKey(image))?.shift();
    if (!same) added.push(image.path);
  }
  const gone = [...missing.values()].flat().map((image) => image.path);
  const differences = [
    ...(gone.length === 0
      ? []
      : [`${counted(gone.length, 'image')} not there or changed (${fewOf(gone)})`]),
    ...(added.length === 0
      ? []
      : [`${counted(added.length, 'image')} that it does not have (${fewOf(added)})`]),
  ];
  return new CarryoverError(
    'conflict',
    `${scan.root} does not hold the images of "${known.name}": ${differences.join('; ')}`,
    {
      file: scan.root,
      wayOut: 'give the folder that the images were moved to, or import this one as a data set',
    },
  );
}
