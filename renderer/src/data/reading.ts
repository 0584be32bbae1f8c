import type {
  Level,
  Reading,
  ReadingFormat,
  ReadingOffer,
  SourceLook,
  TableColumns,
} from '../../../contract/reading.ts';

export type LabelKind = TableColumns['label']['kind'];
type ReadingOf<F extends ReadingFormat> = Extract<Reading, { format: F }>;

export const LEVEL_CHOICES = ['domain', 'class', 'split', 'group', 'ignore'] as const;

/** How a select writes what a level means; its name is apart where it is an attribute. */
export const levelChoice = (level: Level): string =>
  typeof level === 'string' ? level : 'attribute';

export function levelOf(choice: string, attribute: string): Level {
  const plain = LEVEL_CHOICES.find((one) => one === choice);
  return plain ?? { attribute: attribute.trim() || 'attribute' };
}

/**
 * What a reading says of each level that there is: its last level is the one that the images lie
 * in, those before it count from the top, and what is between them is passed over.
 */
export function spreadLevels(levels: readonly Level[], depth: number): Level[] {
  if (levels.length >= depth) return [...levels];
  const between = Array<Level>(depth - levels.length).fill('ignore');
  return [...levels.slice(0, -1), ...between, ...levels.slice(-1)];
}

/** The offers, and what can be chosen by hand although nothing spoke for it. */
export function allOffers(look: SourceLook): ReadingOffer[] {
  const offers = [...look.offers];
  const has = (format: ReadingFormat) => offers.some(({ reading }) => reading.format === format);
  if (!has('folders') && look.levels.length > 0) {
    const levels = [...Array<Level>(look.levels.length - 1).fill('ignore'), 'class' as const];
    offers.push({
      reading: { format: 'folders', levels },
      title: 'Folders, each level as you say',
      why: 'There are folders: you can say what each level of them means.',
    });
  }
  const table = look.tables[0];
  if (!has('table') && table !== undefined) {
    offers.push({
      reading: { format: 'table', tables: [table.file], columns: guessColumns(table.columns) },
      title: 'Table, each column as you say',
      why: `${table.file} is a table: you can say what its columns mean.`,
    });
  }
  return offers;
}

interface Named {
  name: string;
}

/** Columns for a table that nothing is known of: the first is the path, the next the class. */
function guessColumns(columns: readonly Named[]): TableColumns {
  const [first, second] = columns;
  const path = first?.name ?? '';
  return {
    path,
    label: { kind: 'class', column: second?.name ?? path },
    attributes: [],
  };
}

/** The columns that a label is read from. */
export function labelColumns(label: TableColumns['label']): string[] {
  return label.kind === 'class' || label.kind === 'list' ? [label.column] : label.columns;
}

/** Another kind of label over the same columns, as far as they fit. */
export function withLabelKind(
  label: TableColumns['label'],
  kind: LabelKind,
  columns: readonly string[],
): TableColumns['label'] {
  const before = labelColumns(label);
  const column = before[0] ?? columns[0] ?? '';
  if (kind === 'class') return { kind, column };
  if (kind === 'list') return { kind, column, separator: '|', none: 'No Finding' };
  const others = columns.filter((name) => !before.includes(name));
  const wanted = kind === 'one-hot' ? [...before, ...others].slice(0, 2) : before;
  return { kind, columns: before.length > 1 ? before : wanted };
}

/** A column put in or taken out of a list, in the table's order. */
export function toggled(
  chosen: readonly string[],
  name: string,
  columns: readonly string[],
): string[] {
  const on = !chosen.includes(name);
  return columns.filter((one) => (one === name ? on : chosen.includes(one)));
}

/** Optional columns of a table by their role. */
export const COLUMN_ROLES = [
  ['domain', 'Domain'],
  ['group', 'Group (patient)'],
  ['split', 'Split'],
  ['licence', 'Licence'],
  ['attribution', 'By'],
  ['source', 'Source'],
] as const;
export type ColumnRole = (typeof COLUMN_ROLES)[number][0];

/** Columns with one role set, or taken away with ''. */
export function withRole(columns: TableColumns, role: ColumnRole, name: string): TableColumns {
  const changed: TableColumns = { ...columns, [role]: name };
  if (name === '') delete changed[role];
  return changed;
}

/** DICOM tags that can name the class, in words. */
export const DICOM_LABELS: readonly [ReadingOf<'dicom'>['label'], string][] = [
  ['folder', 'the folder a file lies in'],
  ['Modality', 'Modality (CT, MR, …)'],
  ['BodyPartExamined', 'body part examined'],
  ['SeriesDescription', 'series description'],
  ['ViewPosition', 'view position'],
];

export const DICOM_DOMAINS: readonly [ReadingOf<'dicom'>['domain'], string][] = [
  ['none', 'one for all'],
  ['Modality', 'Modality'],
  ['Manufacturer', 'manufacturer'],
  ['ManufacturerModelName', 'model of the scanner'],
  ['StationName', 'station'],
];
