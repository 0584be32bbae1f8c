/** The tables of a data set that the window downloads and the command line writes. */
import { CarryoverError } from '../contract/errors.ts';
import { suspectsTable } from './analyses/table.ts';
import type { HostContext } from './context.ts';
import { requireDataset } from './datasets/read.ts';
import { changesCsv, changesJson, imagesCsv, imagesJson, metadataCsv } from './datasets/tables.ts';
import { trustTable } from './trust/table.ts';

/** Writes a table of a data set, piece by piece; `report`: of which report, the newest if absent. */
type Table = (context: HostContext, datasetId: string, report?: string) => Iterable<string>;

const TABLES: Readonly<Record<string, Table>> = {
  'images.csv': imagesCsv,
  'images.json': imagesJson,
  'changes.csv': changesCsv,
  'changes.json': changesJson,
  'metadata.csv': metadataCsv,
  'suspects.csv': (context, id, report) => suspectsTable(context, id, 'csv', report),
  'suspects.json': (context, id, report) => suspectsTable(context, id, 'json', report),
  'trust.csv': (context, id, report) => trustTable(context, id, 'csv', report),
  'trust.json': (context, id, report) => trustTable(context, id, 'json', report),
};

/**
 * A table by its name (`images.csv`), piece by piece. Throws `not-found` (the data set, the table,
 * the report).
 */
export function dataTable(
  context: HostContext,
  datasetId: string,
  name: string,
  report?: string,
): Iterable<string> {
  const table = Object.hasOwn(TABLES, name) ? TABLES[name] : undefined;
  if (table === undefined) {
    throw new CarryoverError('not-found', `there is no table ${name}`, {
      value: name,
      wayOut: `ask for one of ${Object.keys(TABLES).join(', ')}`,
    });
  }
  requireDataset(context.db, datasetId);
  return table(context, datasetId, report);
}
