/** DomainNet as published: `<domain>_train.txt` and `<domain>_test.txt` beside folders of domains. */
import { CarryoverError } from '../../../contract/errors.ts';
import { counted, fewOf } from '../order.ts';
import type { Tree, TreeFile } from '../tree.ts';
import { candidate, emptyRead, inOrder } from './candidate.ts';
import { FileFinder, pathKey } from './find.ts';
import type { GivenSplit, Read, Reader } from './reader.ts';
import { MAX_TABLE_BYTES, tableError } from './tables.ts';

const LIST = /^(?<base>.*?)(?:txt\/)?(?<domain>[^/]+)_(?<split>train|test)\.txt$/;
const MOST_LISTS_DEEP = 3;

interface List {
  file: TreeFile;
  /** The folder that paths in it start from, with a '/' at its end; '' at the root. */
  base: string;
  domain: string;
  split: GivenSplit;
}

export const domainnet: Reader<'domainnet'> = {
  format: 'domainnet',
  offers: async (tree) => {
    const lists = listsOf(tree);
    const good = [];
    for (const list of lists) if (await startsAsList(tree, list)) good.push(list);
    if (good.length === 0) return [];
    const names = fewOf(
      good.map(({ file }) => file.path),
      3,
    );
    const why = `${names}: lists of images with the index of their class`;
    return [{ reading: { format: 'domainnet' }, title: 'DomainNet lists', why }];
  },
  read: async (tree, _, { signal, onProgress }) => {
    const { lists, strays } = await partedLists(tree);
    if (lists.length === 0) {
      throw new CarryoverError('bad-input', `${tree.root} has no list <domain>_train.txt`, {
        file: tree.root,
        wayOut: 'put the lists beside the folders of the domains, or in a folder txt',
      });
    }
    const reader = new ListsReader(tree, lists, strays);
    for (const list of lists) {
      signal.throwIfAborted();
      await reader.readOne(list);
      onProgress?.(reader.read.candidates.length);
    }
    return reader.finish();
  },
};

function listsOf(tree: Tree): List[] {
  return tree.files.flatMap((file) => {
    const groups = LIST.exec(file.path)?.groups;
    if (!groups || file.path.split('/').length > MOST_LISTS_DEEP) return [];
    const { base = '', domain = '', split } = groups;
    return [{ file, base, domain, split: split === 'train' ? 'train' : 'test' }];
  });
}

/** Strays are called like a list, but do not start as one, and there is no such domain. */
async function partedLists(tree: Tree): Promise<{ lists: List[]; strays: List[] }> {
  const lists: List[] = [];
  const strays: List[] = [];
  for (const list of listsOf(tree)) {
    const isList = hasDomain(tree, list) || (await startsAsList(tree, list));
    (isList ? lists : strays).push(list);
  }
  return { lists, strays };
}

function hasDomain(tree: Tree, { base, domain }: List): boolean {
  const folders = [`${base}${domain}/`, `${base}groundtruth/${domain}/`];
  return tree.files.some(({ path }) => folders.some((folder) => path.startsWith(folder)));
}

/** A line's path and index, parted at the last blank; null where it has none. */
function parseLine(line: string): { path: string; index: number } | null {
  const at = line.lastIndexOf(' ');
  const index = line.slice(at + 1);
  return at > 0 && /^\d+$/.test(index) ? { path: line.slice(0, at), index: Number(index) } : null;
}

async function startsAsList(tree: Tree, { file, domain }: List): Promise<boolean> {
  if (file.bytes > MAX_TABLE_BYTES) return false;
  const text = (await tree.read(file, MAX_TABLE_BYTES)).toString('utf8', 0, 4096);
  const first = parseLine(text.split('\n', 1)[0]?.trim() ?? '');
  return first?.path.startsWith(`${domain}/`) === true;
}

class ListsReader {
  readonly read: Read = emptyRead('single-label');
  readonly #tree: Tree;
  readonly #finder: FileFinder;
  /** Files that a list or a reason was given for, with the list. */
  readonly #seen = new Map<TreeFile, string>();
  readonly #nameOf = new Map<number, string>();
  readonly #indexOf = new Map<string, number>();

  constructor(tree: Tree, lists: List[], strays: List[]) {
    this.#tree = tree;
    this.#finder = new FileFinder(tree);
    for (const { file } of [...lists, ...strays]) this.#seen.set(file, file.path);
    for (const { file, domain } of strays) {
      const reason = `no list of images, and there is no folder "${domain}"`;
      this.read.skipped.push({ path: file.path, reason });
      this.read.warnings.push(`${file.path} is called like a list and was not read: ${reason}`);
    }
  }

  async readOne(list: List): Promise<void> {
    const text = (await this.#tree.read(list.file, MAX_TABLE_BYTES)).toString('utf8');
    const lines = text.split('\n');
    const isThere = hasDomain(this.#tree, list);
    let listed = 0;
    for (const [i, raw] of lines.entries()) {
      const line = raw.trim();
      if (line === '') continue;
      const { path, index } = this.#parse(list, line, i + 1);
      listed++;
      const label = path.split('/').at(-2) ?? '';
      this.#checkClass(list, i + 1, index, label);
      if (isThere) this.#take(list, i + 1, path, label);
    }
    if (isThere) return;
    const zip = this.#tree.find(`${list.base}${list.domain}.zip`);
    const way = zip === null ? '' : `; unpack ${zip.path} beside it`;
    const reason = `lists ${counted(listed, 'image')}, but there is no folder "${list.domain}"${way}`;
    this.read.skipped.push({ path: list.file.path, reason });
  }

  #parse({ file }: List, line: string, at: number): { path: string; index: number } {
    const found = parseLine(line);
    if (found && found.path.includes('/')) return { ...found, path: pathKey(found.path) };
    throw tableError(file.path, at, 'not a path, a blank and the index of a class', {
      value: line.slice(0, 200),
      wayOut: 'write each line as in sketch/dog/sketch_091_000001.jpg 91',
    });
  }

  /** The index is the class, its name the folder: the two must go together everywhere. */
  #checkClass({ file }: List, at: number, index: number, label: string): void {
    const name = this.#nameOf.get(index) ?? label;
    const known = this.#indexOf.get(label) ?? index;
    if (name !== label || known !== index) {
      const reason =
        name === label
          ? `class "${label}" has the index ${index} here and ${known} before`
          : `index ${index} is the class "${label}" here and "${name}" before`;
      const wayOut = 'take the lists of one and the same release';
      throw tableError(file.path, at, reason, { value: `${label} ${index}`, wayOut });
    }
    this.#nameOf.set(index, label);
    this.#indexOf.set(label, index);
  }

  #take(
    { file: list, base, domain, split }: List,
    line: number,
    path: string,
    label: string,
  ): void {
    const place = `${list.path}, line ${line}`;
    const file = this.#finder.at(base + path) ?? this.#finder.at(`${base}groundtruth/${path}`);
    if (!file) {
      this.read.skipped.push({ path, reason: `no such file (${place})` });
      return;
    }
    const before = this.#seen.get(file);
    if (before === undefined) {
      this.#seen.set(file, list.path);
      this.read.candidates.push(candidate(file, { label, domain, split }));
    } else {
      this.read.skipped.push({ path, reason: `listed again (${place}) after ${before}` });
    }
  }

  finish(): Read {
    for (const file of this.#tree.files) {
      if (!this.#seen.has(file)) this.read.skipped.push({ path: file.path, reason: 'in no list' });
    }
    const used = new Set(this.read.candidates.map(({ label }) => label));
    const byIndex = [...this.#nameOf].sort(([a], [b]) => a - b).map(([, name]) => name);
    this.read.classNames = byIndex.filter((name) => used.has(name));
    return inOrder(this.read);
  }
}
