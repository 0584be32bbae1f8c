/** Searches for label errors as files for other programs. */
import { CarryoverError } from '../../contract/errors.ts';
import { asText, csvLine } from '../csv.ts';
import type { HostContext } from '../context.ts';
import { getSuspects, listSuspects } from './suspects.ts';

const COLUMNS = ['id', 'path', 'domain', 'label', 'suggested', 'self_confidence', 'margin'];

/**
 * A search of a data set, the newest if none is named, piece by piece; of one finding with a last
 * column `finding`. Throws `not-found`.
 */
export function* suspectsTable(
  context: HostContext,
  datasetId: string,
  format: 'csv' | 'json',
  id?: string,
): Generator<string> {
  const all = listSuspects(context, datasetId);
  const listed = id === undefined ? all[0] : all.find((each) => each.id === id);
  if (!listed) {
    throw new CarryoverError('not-found', 'no label errors were looked for in this data set', {
      value: datasetId,
      wayOut: 'look for them with `carryover suspects`, or on the page Suspects',
    });
  }
  const report = getSuspects(context, listed.id);
  if (format === 'json') {
    yield `${JSON.stringify(report, null, 2)}\n`;
    return;
  }
  const { finding } = report.spec;
  yield csvLine([...COLUMNS, ...(finding === undefined ? [] : ['finding'])]);
  for (const suspect of report.suspects) {
    const { id, path, domain, label, suggested, selfConfidence, margin } = suspect;
    const numbers = [selfConfidence, margin].map((value) => Number(value.toFixed(6)));
    const last = finding === undefined ? [] : [asText(finding)];
    yield csvLine([id, ...[path, domain, label, suggested].map(asText), ...numbers, ...last]);
  }
}
