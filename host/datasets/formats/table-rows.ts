/** What a table's row says of its image beside the label. */
import type { TableColumns } from '../../../contract/reading.ts';
import { withAgeBand } from './age-band.ts';
import type { Candidate, GivenSplit } from './reader.ts';
import { splitOfWord, splitInPath } from './splits.ts';
import { hasNoValue } from './tables.ts';

/** Parts of a candidate that a table gives; null where the row says nothing. */
export type Described = Pick<
  Candidate,
  'split' | 'group' | 'licence' | 'attribution' | 'source' | 'attributes'
> & { domain: string | null };

export const UNDESCRIBED: Described = {
  domain: null,
  split: null,
  group: null,
  licence: null,
  attribution: null,
  source: null,
  attributes: {},
};

/** Beyond so many different values of a column, further ones are not shared between rows. */
const MOST_SHARED = 10_000;

/** The columns that describe images; each may lie in any table of the reading. */
export function describingColumns(columns: TableColumns): string[] {
  const { domain, group, split, licence, attribution, source, attributes } = columns;
  const named = [domain, group, split, licence, attribution, source];
  return [...named.filter((name) => name !== undefined), ...attributes];
}

type Filled = readonly [name: string, text: string];

/** Reads the describing cells of a table's rows; `onOddSplit` is told values that are no split. */
export function describeRows(
  path: string,
  header: string[],
  columns: TableColumns,
  onOddSplit: (value: string) => void,
): (cells: string[]) => Described {
  const share = sharer();
  const cellAt = (column: string | undefined): ((cells: string[]) => string | null) => {
    const at = column === undefined ? -1 : header.indexOf(column);
    return (cells) => (at < 0 ? null : share(cells[at] ?? ''));
  };
  const [domain, group, splitCell] = [columns.domain, columns.group, columns.split].map(cellAt);
  const [licence, attribution, source] = [columns.licence, columns.attribution, columns.source].map(
    cellAt,
  );
  const attributes = columns.attributes
    .filter((name) => header.includes(name))
    .map((name) => [name, cellAt(name)] as const);
  const describeAttributes = (cells: string[]): Record<string, string> => {
    const all = attributes.map(([name, cell]) => [name, cell(cells)] as const);
    return withAgeBand(Object.fromEntries(all.filter((one): one is Filled => one[1] !== null)));
  };
  const splitOfFile = columns.split === undefined ? splitInPath(path) : null;
  const splitOf = (cells: string[]): GivenSplit | null => {
    const text = splitCell?.(cells) ?? null;
    const split = text === null ? splitOfFile : splitOfWord(text);
    if (text !== null && split === null) onOddSplit(text);
    return split;
  };
  return (cells) => ({
    domain: domain?.(cells) ?? null,
    group: group?.(cells) ?? null,
    split: splitOf(cells),
    licence: licence?.(cells) ?? null,
    attribution: attribution?.(cells) ?? null,
    source: source?.(cells) ?? null,
    attributes: describeAttributes(cells),
  });
}

/** Equal texts as one string, blank ones as null: rows are many, values few. */
function sharer(): (text: string) => string | null {
  const known = new Map<string, string>();
  return (text) => {
    if (hasNoValue(text)) return null;
    const same = known.get(text);
    if (same !== undefined || known.size >= MOST_SHARED) return same ?? text;
    known.set(text, text);
    return text;
  };
}

/** What two tables say of one image: the first counts where both speak. */
export function joined(first: Described, second: Described): Described {
  return {
    domain: first.domain ?? second.domain,
    group: first.group ?? second.group,
    split: first.split ?? second.split,
    licence: first.licence ?? second.licence,
    attribution: first.attribution ?? second.attribution,
    source: first.source ?? second.source,
    attributes: { ...second.attributes, ...first.attributes },
  };
}
