import type { Database } from 'better-sqlite3';
import type { FilterCounts, ImageFilter, ImageRow } from '../../contract/datasets.ts';
import { columnsOf } from './columns.ts';
import { countMatches } from './counts.ts';
import { matching } from './match.ts';
import { requireDataset } from './read.ts';
import { imageRows } from './rows.ts';

/**
 * A page of the images that match, in the order of their paths (with `filter.ids` in theirs).
 * Throws CarryoverError `not-found` (the data set, the filter's study) or `bad-input` (a split
 * without its study).
 */
export function queryImages(
  db: Database,
  datasetId: string,
  filter: ImageFilter,
  page: { offset: number; limit: number },
): { total: number; images: ImageRow[] } {
  const { ids, positions } = matchesOf(db, datasetId, filter);
  const shown = positions.subarray(page.offset, page.offset + page.limit);
  return {
    total: positions.length,
    images: imageRows(
      db,
      Array.from(shown, (at) => ids[at]!),
    ),
  };
}

/** Counts per facet value; see FilterCounts. Throws what `queryImages` throws. */
export function countImages(db: Database, datasetId: string, filter: ImageFilter): FilterCounts {
  requireDataset(db, datasetId);
  return countMatches(db, columnsOf(db, datasetId), filter);
}

/** The place of an image in the filtered list; null where it is not in it. Throws what `queryImages` throws. */
export function positionOf(
  db: Database,
  datasetId: string,
  filter: ImageFilter,
  id: number,
): number | null {
  const { positionOfId, placeOf } = matchesOf(db, datasetId, filter);
  const position = positionOfId(id);
  return position < 0 ? null : placeOf(position);
}

/** Ids of all images that match, in the order of `queryImages`. Throws what `queryImages` throws. */
export function idsMatching(db: Database, datasetId: string, filter: ImageFilter): Int32Array {
  const { ids, positions } = matchesOf(db, datasetId, filter);
  return positions.map((position) => ids[position]!);
}

function matchesOf(db: Database, datasetId: string, filter: ImageFilter) {
  requireDataset(db, datasetId);
  const columns = columnsOf(db, datasetId);
  const { positions, placeOf } = matching(db, columns, filter);
  return { ids: columns.ids, positionOfId: columns.positionOf, positions, placeOf };
}
