/** Trust reports as files for other programs. */
import { CarryoverError } from '../../contract/errors.ts';
import type { ImageSet, OddImage, TrustReport } from '../../contract/trust.ts';
import type { Cell } from '../csv.ts';
import { asText, csvLine } from '../csv.ts';
import type { HostContext } from '../context.ts';
import { getReport, latestReport } from './handlers.ts';

/**
 * A report of the data set, the newest of what it is now unless `reportId` names another. Throws
 * CarryoverError `not-found`.
 */
export function trustTable(
  { db }: HostContext,
  datasetId: string,
  format: 'csv' | 'json',
  reportId?: string,
): Iterable<string> {
  const report = reportId === undefined ? latestReport(db, datasetId) : getReport(db, reportId);
  if (report?.datasetId !== datasetId) {
    throw new CarryoverError('not-found', `there is no trust report of data set ${datasetId}`, {
      value: reportId ?? datasetId,
      wayOut: 'open its Trust page, which makes one',
    });
  }
  return format === 'json' ? [`${JSON.stringify(report, null, 2)}\n`] : trustCsv(report);
}

const HEADER = ['kind', 'set', 'image', 'path', 'label', 'domain', 'split', 'distance', 'why'];

/** A line for each image of each set and leaked group and for each odd image and unreadable file. */
export function* trustCsv(report: TrustReport): Generator<string> {
  yield csvLine(HEADER);
  for (const kind of ['exact', 'near', 'conflicts'] as const) {
    for (const [at, set] of report[kind].entries()) {
      yield setLines(KIND[kind], at + 1, set, set.distance, '');
    }
  }
  for (const [at, set] of report.groupsAcrossSplits.leaked.entries()) {
    yield setLines('group', at + 1, set, null, `group ${set.group}`);
  }
  yield* oddLines('odd size', report.oddSizes);
  yield* oddLines('even brightness', report.blank);
  yield* oddLines('near-constant', report.nearConstant);
  for (const { path, reason } of report.unreadable) {
    yield line(['unreadable', null, null, path, '', '', '', null, reason]);
  }
}

const KIND = { exact: 'exact duplicate', near: 'near duplicate', conflicts: 'label conflict' };

function setLines(
  kind: string,
  number: number,
  set: ImageSet,
  distance: number | null,
  why: string,
): string {
  const { ids, paths, labels, domains, splits } = set;
  return ids
    .map((id, i) =>
      line([
        ...[kind, number, id, paths[i]!],
        ...[labels[set.labelOf[i]!]!, domains[set.domainOf[i]!]!, splits[set.splitOf[i]!]!],
        ...[distance, why],
      ]),
    )
    .join('');
}

function* oddLines(kind: string, images: readonly OddImage[]): Generator<string> {
  for (const { id, path, why } of images) yield line([kind, null, id, path, '', '', '', null, why]);
}

function line(cells: readonly Cell[]): string {
  return csvLine(cells.map((cell) => (typeof cell === 'string' ? asText(cell) : cell)));
}
