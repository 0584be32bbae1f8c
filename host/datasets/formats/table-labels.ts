/** What a table's row says is on its image. */
import type { FindingValue } from '../../../contract/datasets.ts';
import type { TableColumns } from '../../../contract/reading.ts';
import { sortedSet } from '../order.ts';
import { EMPTY_LIST, hasNoValue, tableError } from './tables.ts';

type Findings = ReadonlyMap<string, FindingValue>;
type LabelColumns = TableColumns['label'];

export interface Labelled {
  label: string | null;
  findings: Findings | null;
}

/** A string says why a row has no label. Throws `bad-input` for a value that is none. */
export type ReadLabel = (cells: string[], line: number) => Labelled | string;

/** The columns that must be there for labels to be read. */
export function labelColumns(label: LabelColumns): string[] {
  return label.kind === 'class' || label.kind === 'list' ? [label.column] : label.columns;
}

/** Labels over all tables of a reading. */
export interface Labels {
  /** For a table with these columns. */
  reader(file: string, columns: string[]): ReadLabel;
  /** Call after the last row. The classes in the order that the source fixes; null: sorted. */
  finish(): string[] | null;
}

export function labelsOf(label: LabelColumns): Labels {
  switch (label.kind) {
    case 'class':
      return classLabels(label.column);
    case 'one-hot':
      return oneHotLabels(label.columns);
    case 'findings':
      return findingLabels(label.columns);
    case 'list':
      return listLabels(label);
  }
}

function classLabels(column: string): Labels {
  const known = new Map<string, Labelled>();
  return {
    reader: (_, columns) => {
      const at = columns.indexOf(column);
      return (cells) => {
        const label = cells[at] ?? '';
        if (hasNoValue(label)) return `no value in column ${column}`;
        const same = known.get(label) ?? { label, findings: null };
        known.set(label, same);
        return same;
      };
    },
    finish: () => null,
  };
}

function oneHotLabels(names: string[]): Labels {
  const used = new Set<string>();
  return {
    reader: (file, columns) => {
      const at = names.map((name) => columns.indexOf(name));
      return (cells, line) => {
        const values = at.map((i, n) => findingValue(file, line, names[n] ?? '', cells[i] ?? ''));
        const present = names.filter((_, n) => values[n] === 1);
        const [label] = present;
        if (label === undefined) return 'no class has a 1';
        if (present.length > 1) return `${present.length} classes have a 1: ${present.join(', ')}`;
        used.add(label);
        return { label, findings: null };
      };
    },
    finish: () => names.filter((name) => used.has(name)),
  };
}

/** One column per finding: 1, 0, -1 or blank (not mentioned), also written 1.0 and so on. */
export function findingLabels(names: string[]): Labels {
  // Few patterns make up many rows: each is kept once.
  const known = new Map<string, Labelled>();
  return {
    reader: (file, columns) => {
      const at = names.map((name) => columns.indexOf(name));
      return (cells, line) => {
        const key = at.map((i) => cells[i]).join('\n');
        const same = known.get(key);
        if (same) return same;
        const findings = new Map<string, FindingValue>();
        for (const [n, name] of names.entries()) {
          const value = findingValue(file, line, name, cells[at[n] ?? -1] ?? '');
          if (value !== null) findings.set(name, value);
        }
        const labelled = { label: null, findings };
        known.set(key, labelled);
        return labelled;
      };
    },
    finish: () => names,
  };
}

function findingValue(
  file: string,
  line: number,
  column: string,
  text: string,
): FindingValue | null {
  if (text === '') return null;
  const value = Number(text);
  if (value === 1 || value === -1) return value;
  if (value === 0) return 0;
  throw tableError(file, line, `column ${column} has the value "${text}"`, {
    value: text,
    wayOut: 'write 1 (present), 0 (absent), -1 (uncertain) or nothing; or choose other columns',
  });
}

function listLabels(label: Extract<LabelColumns, { kind: 'list' }>): Labels {
  const known = new Map<string, { label: null; findings: Map<string, FindingValue> }>();
  return {
    reader: (_, columns) => {
      const at = columns.indexOf(label.column);
      return (cells) => {
        const text = cells[at] ?? '';
        if (text === '' && label.none !== '') return `no value in column ${label.column}`;
        const same = known.get(text);
        if (same) return same;
        const listed = text === EMPTY_LIST ? [] : text.split(label.separator);
        const names = listed.map((name) => name.trim());
        const present = names.filter((name) => name !== '' && name !== label.none);
        const labelled = {
          label: null,
          findings: new Map<string, FindingValue>(present.map((name) => [name, 1])),
        };
        known.set(text, labelled);
        return labelled;
      };
    },
    finish: () => {
      const all = sortedSet([...known.values()].flatMap(({ findings }) => [...findings.keys()]));
      for (const { findings } of known.values()) {
        for (const name of all) if (!findings.has(name)) findings.set(name, 0);
      }
      return all;
    },
  };
}
