/** Which tables of a tree say what is on its images, judged by their columns. */
import { CarryoverError } from '../../../contract/errors.ts';
import type { ReadingOffer, TableColumns } from '../../../contract/reading.ts';
import { looksLikeImage } from '../inspect.ts';
import { counted, fewOf } from '../order.ts';
import type { Tree, TreeFile } from '../tree.ts';
import { FileFinder, folderOf } from './find.ts';
import { splitInPath, splitOfWord } from './splits.ts';
import type { ColumnValues, SampledTable } from './table-columns.ts';
import { sampleTable } from './table-columns.ts';
import { isAge } from './age-band.ts';
import { givenTable } from './around.ts';
import { looksLikeTable } from './tables.ts';

const MOST_TABLES = 24;
const MOST_FOLDERS_DEEP = 3;
const MOST_BYTES = 64 * 2 ** 20;
const SAMPLED_ROWS = 1000;
/** Values looked up among the files before a column is taken for paths. */
const TRIED_PATHS = 50;
const MOST_GUESSED_CLASSES = 100;

/** The tables near the root that are small enough to be looked at; only the one that was given, if one was. */
export function tablesOf(tree: Tree): TreeFile[] {
  const given = givenTable(tree);
  if (given) return [given];
  const near = ({ path }: TreeFile): boolean => path.split('/').length <= MOST_FOLDERS_DEEP + 1;
  return tree.files
    .filter((file) => looksLikeTable(file.path) && near(file) && file.bytes <= MOST_BYTES)
    .slice(0, MOST_TABLES);
}

export async function offerTables(tree: Tree): Promise<ReadingOffer[]> {
  const sampled: SampledTable[] = [];
  for (const file of tablesOf(tree)) {
    const one = await sampleTable(tree, file, SAMPLED_ROWS).catch(notATable);
    if (one && one.rows > 0) sampled.push(one);
  }
  if (sampled.length === 0) return [];
  const known = [...offerNih(tree, sampled), ...offerIsic(sampled)];
  return known.length > 0 ? known : offerGuessed(tree, sampled);
}

/** A file that only has a table's name makes no offer; what cannot be read at all is told. */
function notATable(error: unknown): null {
  if (error instanceof CarryoverError && error.code === 'bad-input') return null;
  throw error;
}

function names({ columns }: SampledTable): string[] {
  return columns.map(({ name }) => name);
}

function has(one: SampledTable, ...wanted: string[]): boolean {
  const all = names(one);
  return wanted.every((name) => all.includes(name));
}

function offer(
  title: string,
  why: string,
  tables: string[],
  columns: Omit<TableColumns, 'attributes'> & { attributes?: string[] },
): ReadingOffer {
  const filled = { attributes: [], ...columns };
  return { reading: { format: 'table', tables, columns: filled }, title, why };
}

const NIH = ['Image Index', 'Finding Labels', 'Patient ID'];
const NIH_ATTRIBUTES = [
  'Follow-up #',
  'Patient Age',
  'Patient Gender',
  'Patient Sex',
  'View Position',
];

function offerNih(tree: Tree, sampled: SampledTable[]): ReadingOffer[] {
  return sampled
    .filter((one) => has(one, ...NIH))
    .map((one) => {
      const lists = tree.files
        .map(({ path }) => path)
        .filter((path) => /(^|\/)(train_val|train|val|test)_list(_NIH)?\.txt$/i.test(path));
      const given = lists.length > 0 ? `, ${fewOf(lists)} give the splits` : '';
      return offer(
        'NIH ChestX-ray: findings, grouped by patient',
        `${one.file.path} has the columns ${NIH.join(', ')}${given}`,
        [one.file.path, ...lists],
        {
          path: 'Image Index',
          label: { kind: 'list', column: 'Finding Labels', separator: '|', none: 'No Finding' },
          group: 'Patient ID',
          attributes: NIH_ATTRIBUTES.filter((name) => has(one, name)),
        },
      );
    });
}

/** `image`, then a column per class in capitals (weights may follow), as in the challenges of ISIC. */
function offerIsic(sampled: SampledTable[]): ReadingOffer[] {
  const truths = sampled.filter((one) => has(one, 'image', 'MEL', 'NV'));
  const [first] = truths;
  if (!first) return [];
  const isClass = (name: string): boolean => name !== 'image' && !/[a-z]/.test(name);
  const classes = names(first).filter(isClass);
  const same = truths.filter((one) => has(one, ...classes));
  const beside = sampled.filter((one) => has(one, 'image') && !truths.includes(one));
  const all = [...same, ...beside];
  const others = new Set(
    all.flatMap(names).filter((name) => !['image', ...classes].includes(name) && name !== ''),
  );
  const group = groupAmong([...others]);
  if (group !== undefined) others.delete(group);
  const why =
    `${fewOf(same.map(({ file }) => file.path))}: a 1 in one of ${counted(classes.length, 'column')}` +
    (group === undefined ? '' : `, ${group} groups images`);
  return [
    offer(
      'ISIC: one-hot classes',
      why,
      all.map(({ file }) => file.path),
      {
        path: 'image',
        label: { kind: 'one-hot', columns: classes },
        ...(group !== undefined && { group }),
        attributes: [...others],
      },
    ),
  ];
}

/** Forms that contests hand out: what stands in them is not what is on the images. */
const FILLED_IN = /submission[^/]*$/i;
const PATH_NAMES = /^(file_?name|file|path|image|image_?(path|id|name|file)|img)$/i;
const LABEL_NAMES =
  /^(labels?([ _]?(name|id))?|class([ _]?(name|id))?|category|target|species|diagnosis|dx|finding labels?)$/i;
/** The coarsest first: what lies in two groups of one of these may lie in one of an earlier one. */
const GROUP_NAMES = ['family', 'patient|subject|participant', 'group', 'case', 'lesion'].map(
  (words) => new RegExp(`^(${words})([ _-]?(id|no|number))?$`, 'i'),
);
const SPLIT_NAMES = /^((data)?[ _-]?split|fold|set|subset|partition|phase)$/i;
/** What people are filtered by is no class by guess. */
const PERSONAL = /^(patient[ _]?)?(sex|gender)$/i;
const PLAIN_NAMES = {
  licence: /^licen[cs]e$/i,
  attribution: /^attribution$/i,
  source: /^source$/i,
};

/** Tables with the same columns are read together (train/metadata.csv, test/metadata.csv). */
function offerGuessed(tree: Tree, sampled: SampledTable[]): ReadingOffer[] {
  const finder = new FileFinder(tree);
  const flat = new Set(imageFolders(tree)).size <= 1;
  const meant = sampled.filter(({ file }) => !FILLED_IN.test(file.path));
  const alike = Map.groupBy(meant, (one) => JSON.stringify(names(one)));
  const guesses = [...alike.values()].flatMap((tables) => {
    const path = pathColumn(tables, finder);
    if (path === null) return [];
    const columns = merged(tables).filter(({ name }) => name !== path.name);
    const described = describing(columns);
    const used = new Set(Object.values(described));
    const open = columns.filter(({ name }) => !used.has(name));
    const label = labelOf(open, flat, tables);
    if (!label) return [];
    const paths = tables.map(({ file }) => file.path);
    const taken = new Set(label.columns);
    const attributes = open.filter(
      (column) => !taken.has(column.name) && isAttribute(column, tables),
    );
    const why = `column ${path.name} names files (${path.found} of ${path.tried} tried), ${label.why}`;
    const made = offer(`Table ${fewOf(paths, 2)}: ${label.title}`, why, paths, {
      path: path.name,
      label: label.label,
      ...described,
      attributes: attributes.map(({ name }) => name),
    });
    return [{ made, sure: label.sure }];
  });
  return guesses.sort((a, b) => Number(b.sure) - Number(a.sure)).map(({ made }) => made);
}

/** Folders of images, without those on the way that are splits by their name. */
function imageFolders(tree: Tree): string[] {
  return tree.files
    .filter(({ path }) => looksLikeImage(path))
    .map(({ path }) => folderOf(path).split('/'))
    .map((folders) => folders.filter((name) => splitInPath(name) === null).join('/'));
}

interface PathColumn {
  name: string;
  found: number;
  tried: number;
}

/** The column whose values name files most often, at least every second time. */
function pathColumn(tables: SampledTable[], finder: FileFinder): PathColumn | null {
  const columns = (tables[0]?.columns ?? []).map(({ name }, i) =>
    tryPaths(tables, i, name, finder),
  );
  const share = ({ found, tried }: PathColumn): number => found / tried;
  const good = columns.filter(({ found, tried }) => tried > 0 && 2 * found >= tried);
  const named = ({ name }: PathColumn): number => Number(PATH_NAMES.test(name));
  good.sort((a, b) => share(b) - share(a) || named(b) - named(a));
  return good[0] ?? null;
}

function tryPaths(
  tables: SampledTable[],
  column: number,
  name: string,
  finder: FileFinder,
): PathColumn {
  const tried = tables.flatMap(({ file, columns }) => {
    const naming = { table: file.path, folders: [folderOf(file.path), ''] };
    const values = [...(columns[column]?.values ?? [])].slice(0, TRIED_PATHS);
    return values.map((text) => finder.has(text, naming));
  });
  return { name, found: tried.filter(Boolean).length, tried: tried.length };
}

/** The columns over all tables. */
function merged(tables: SampledTable[]): ColumnValues[] {
  return (tables[0]?.columns ?? []).map((column, i) => {
    const values = new Set(tables.flatMap(({ columns }) => [...(columns[i]?.values ?? [])]));
    const blank = tables.reduce((sum, { columns }) => sum + (columns[i]?.blank ?? 0), 0);
    return { ...column, values, blank, distinct: values.size };
  });
}

/** The coarsest of the columns that are groups by their names. */
function groupAmong(columns: string[]): string | undefined {
  const found = GROUP_NAMES.map((pattern) => columns.find((name) => pattern.test(name)));
  return found.find((name) => name !== undefined);
}

type Describing = Partial<Record<'domain' | 'group' | 'split' | keyof typeof PLAIN_NAMES, string>>;

function describing(columns: ColumnValues[]): Describing {
  const found: Describing = {};
  const isSplit = ({ name, values }: ColumnValues): boolean =>
    SPLIT_NAMES.test(name) && [...values].every((value) => splitOfWord(value) !== null);
  const name = (test: (column: ColumnValues) => boolean): string | undefined =>
    columns.find((column) => column.distinct > 0 && test(column))?.name;
  const pick = (key: keyof Describing, value: string | undefined): void => {
    if (value !== undefined) found[key] = value;
  };
  pick('group', groupAmong(columns.filter(({ distinct }) => distinct > 0).map((one) => one.name)));
  pick('split', name(isSplit));
  pick(
    'domain',
    name((column) => column.name.toLowerCase() === 'domain'),
  );
  for (const [key, pattern] of Object.entries(PLAIN_NAMES)) {
    pick(
      key as keyof typeof PLAIN_NAMES,
      name((column) => pattern.test(column.name)),
    );
  }
  return found;
}

interface GuessedLabel {
  label: TableColumns['label'];
  columns: string[];
  title: string;
  why: string;
  /** False where no name and no values tell that it is the class. */
  sure: boolean;
}

/** `flat`: all images lie in one folder, so that a table alone can tell them apart. */
function labelOf(
  columns: ColumnValues[],
  flat: boolean,
  tables: SampledTable[],
): GuessedLabel | null {
  const named = columns.find(({ name, distinct }) => LABEL_NAMES.test(name) && distinct > 0);
  if (named) return oneColumn(named, `column ${named.name} is the class by its name`);
  const flags = columns.filter(({ distinct, values }) => {
    return distinct > 0 && [...values].every((value) => value !== '' && isFlag(Number(value)));
  });
  if (flags.length >= 2) return flagColumns(flags, tables);
  if (!flat) return null;
  const few = columns.find(mayBeClass);
  if (!few) return null;
  const why = `column ${few.name} has ${few.distinct} different values`;
  return { ...oneColumn(few, why), sure: false };
}

function mayBeClass({ name, distinct, blank, values }: ColumnValues): boolean {
  if (distinct < 2 || distinct > MOST_GUESSED_CLASSES || blank > 0) return false;
  return !PERSONAL.test(name) && !isAge(name) && !areMeasurements([...values]);
}

/** Numbers, but not the codes of classes: 0, 1, 2 and so on without a gap. */
function areMeasurements(values: string[]): boolean {
  const numbers = values.map(Number).sort((a, b) => a - b);
  if (numbers.some((value) => !Number.isFinite(value))) return false;
  const [first = NaN] = numbers;
  return !(first === 0 || first === 1) || numbers.some((value, i) => value !== first + i);
}

function isFlag(value: number): boolean {
  return value === 0 || Math.abs(value) === 1;
}

function oneColumn({ name, values }: ColumnValues, why: string): GuessedLabel {
  const lists = [...values].some((value) => value.includes('|'));
  return {
    label: lists
      ? { kind: 'list', column: name, separator: '|', none: 'No Finding' }
      : { kind: 'class', column: name },
    columns: [name],
    title: lists ? `findings listed in ${name}` : `class in ${name}`,
    why: lists ? `${why} and lists findings, separated by |` : why,
    sure: true,
  };
}

function flagColumns(flags: ColumnValues[], tables: SampledTable[]): GuessedLabel {
  const columns = flags.map(({ name }) => name);
  if (tables.every((one) => isOneHot(one, columns))) {
    const why = `each row has a 1 in just one of ${counted(columns.length, 'column')}`;
    return {
      label: { kind: 'one-hot', columns },
      columns,
      title: 'one-hot classes',
      why,
      sure: true,
    };
  }
  const why = `${counted(columns.length, 'column')} hold 1, 0, -1 only`;
  return {
    label: { kind: 'findings', columns },
    columns,
    title: 'one column per finding',
    why,
    sure: true,
  };
}

function isOneHot(one: SampledTable, columns: string[]): boolean {
  const at = columns.map((name) => names(one).indexOf(name));
  return one.cells.every((cells) => {
    const values = at.map((i) => Number(cells[i]));
    return (
      values.every((value) => value >= 0) && values.filter((value) => value === 1).length === 1
    );
  });
}

/** What repeats is worth filtering by; a column of unique texts is not. */
function isAttribute({ name, distinct }: ColumnValues, tables: SampledTable[]): boolean {
  const rows = tables.reduce((sum, one) => sum + one.rows, 0);
  // Without a name: the numbers of the rows, as pandas writes them.
  return name !== '' && distinct > 0 && (distinct <= 20 || 2 * distinct <= rows);
}
