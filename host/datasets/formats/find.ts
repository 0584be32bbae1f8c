import { posix } from 'node:path';
import { looksLikeImage } from '../inspect.ts';
import { fewOf } from '../order.ts';
import type { Tree, TreeFile } from '../tree.ts';
import type { GivenSplit } from './reader.ts';
import { splitInPath } from './splits.ts';

/** How a path is compared: '/' between parts, nothing before the first, Unicode form NFC. */
export function pathKey(path: string): string {
  return path
    .trim()
    .replaceAll('\\', '/')
    .replace(/^(\.?\/)+/, '')
    .normalize('NFC');
}

/** The folder that a file lies in; '' at the root. */
export function folderOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
}

/** A table that names files, and the folders that its names are relative to. */
export interface Naming {
  table: string;
  folders: readonly string[];
}

/** A file that is called as a row says, somewhere. */
export interface Match {
  file: TreeFile;
  /** How many folders are the same, from the inside out. */
  fit: number;
  /** All folders of the row or of the file are the same, one at least. */
  whole: boolean;
}

/** Finds the files that tables speak of. */
export class FileFinder {
  readonly #tree: Tree;
  /** Files whose path is not in Unicode form NFC, by the one that is. */
  readonly #normal = new Map<string, TreeFile>();
  /** The surest first: names alone come again in many folders. */
  #ways: Way[] | null = null;
  #wholeWays: Way[] | null = null;
  #folders: ImageFolders | null = null;

  constructor(tree: Tree) {
    this.#tree = tree;
    for (const file of tree.files) {
      const key = file.path.normalize('NFC');
      if (key !== file.path) this.#normal.set(key, file);
    }
  }

  /** The file at a path relative to the root. */
  at(path: string): TreeFile | null {
    return this.#tree.find(path) ?? this.#normal.get(path) ?? null;
  }

  /** The file at `text` in one of `folders` (the first that has it); its case and ending may differ. */
  exact(text: string, folders: readonly string[]): TreeFile | null {
    const key = pathKey(text);
    if (key === '') return null;
    const paths = folders.map((folder) => posix.join(folder, key));
    for (const path of paths) {
      const file = this.at(path);
      if (file) return file;
    }
    this.#wholeWays ??= [
      new Way(this.#images(), withoutEnding, (path) => path),
      new Way(this.#tree.files, lower),
      new Way(this.#images(), (path) => lower(withoutEnding(path)), lower),
    ];
    for (const way of this.#wholeWays) {
      for (const path of paths) {
        const [file, ...others] = way.find(path);
        if (file && others.length === 0) return file;
      }
    }
    return null;
  }

  /** True where a table that calls a file `text` may mean one; its other rows may say otherwise. */
  has(text: string, naming: Naming): boolean {
    const found = this.exact(text, naming.folders) ?? this.match(text, naming);
    return typeof found !== 'string';
  }

  /**
   * The file of that name, or of that name without its ending, anywhere, whose folders fit best. What
   * the folder of a split speaks of lies in it, and no table of one split speaks of another's folder.
   * A string says why not.
   */
  match(text: string, { table, folders }: Naming): Match | string {
    const key = pathKey(text);
    if (key === '') return 'no file named';
    const above = foldersAbove(key);
    const home = folders.map((folder) => this.#splitAround(folder)).find((split) => split !== null);
    const possible = this.#called(key).filter(({ path }) => {
      return (home === undefined || path.startsWith(`${home}/`)) && this.#mayBe(path, above);
    });
    const split = splitInPath(folderOf(key)) ?? splitInPath(table);
    const found = possible.filter(({ path }) => this.#maySpeakOf(split, path));
    const fits = found.map(({ path }) => shared(foldersAbove(path), above));
    const best = Math.max(...fits);
    const closest = found.filter((_, i) => fits[i] === best);
    const [file] = closest;
    if (!file) return possible[0] ? `only in another split: ${possible[0].path}` : 'no such file';
    if (closest.length === 1) {
      return { file, fit: best, whole: isWhole(file, best, above, folders) };
    }
    const paths = closest.map(({ path }) => path);
    return `${closest.length} files have that name: ${fewOf(paths, 2)}`;
  }

  /** Files of that name in folders of those names, of the name, or of the name in other ways. */
  #called(key: string): readonly TreeFile[] {
    this.#ways ??= [
      new Way(this.#tree.files, (path) => endOf(path, 3)),
      new Way(this.#tree.files, (path) => endOf(path, 2)),
      new Way(this.#tree.files, (path) => posix.basename(path)),
      new Way(this.#images(), (path) => posix.basename(withoutEnding(path)), posix.basename),
      new Way(this.#tree.files, (path) => lower(posix.basename(path))),
      new Way(
        this.#images(),
        (path) => lower(posix.basename(withoutEnding(path))),
        (name) => lower(posix.basename(name)),
      ),
    ];
    for (const way of this.#ways) {
      const found = way.find(key);
      if (found.length > 0) return found;
    }
    return [];
  }

  #images(): TreeFile[] {
    return this.#tree.files.filter(({ path }) => looksLikeImage(path));
  }

  /** The nearest folder with images below it, where it is a split by its name; null: it is none. */
  #splitAround(folder: string): string | null {
    if (splitInPath(folder) === null) return null;
    const { paths } = this.#imageFolders();
    let near = folder;
    while (near !== '' && !paths.has(near)) near = folderOf(near);
    return splitInPath(near) === null ? null : near;
  }

  /** False where the table names a folder that is in the tree, but not above this file. */
  #mayBe(path: string, above: readonly string[]): boolean {
    const own = foldersAbove(path);
    const at = shared(own, above);
    const named = above[at];
    if (named === undefined || at === own.length || own.includes(named)) return true;
    return !this.#imageFolders().names.has(named);
  }

  /**
   * False for a file of another split than a row's or its table's. Validation may be a part of the training images
   * where it has no folder of its own; a test set is never a part of others.
   */
  #maySpeakOf(split: GivenSplit | null, path: string): boolean {
    const own = splitInPath(folderOf(path));
    if (split === null || own === null || own === split) return true;
    return split !== 'test' && own !== 'test' && !this.#imageFolders().splits.has(split);
  }

  #imageFolders(): ImageFolders {
    if (this.#folders) return this.#folders;
    const paths = new Set(this.#images().map(({ path }) => folderOf(path)));
    for (const path of paths) if (path.includes('/')) paths.add(folderOf(path));
    const names = new Set([...paths].map((path) => posix.basename(path).normalize('NFC')));
    this.#folders = { paths, names, splits: new Set([...paths].map(splitInPath)) };
    return this.#folders;
  }
}

/** The folders that have images below them. */
interface ImageFolders {
  paths: ReadonlySet<string>;
  names: ReadonlySet<string>;
  splits: ReadonlySet<GivenSplit | null>;
}

/** Finds files by a part of their paths; the list is made when it is first needed. */
class Way {
  readonly #files: readonly TreeFile[];
  readonly #keyOf: (path: string) => string;
  readonly #wanted: (path: string) => string;
  #byKey: Map<string, TreeFile[]> | null = null;

  /** @param wanted what of a table's path must be that part of a file's; else the same part */
  constructor(
    files: readonly TreeFile[],
    keyOf: (path: string) => string,
    wanted: (path: string) => string = keyOf,
  ) {
    this.#files = files;
    this.#keyOf = keyOf;
    this.#wanted = wanted;
  }

  find(path: string): readonly TreeFile[] {
    const wanted = this.#wanted(path);
    this.#byKey ??= Map.groupBy(this.#files, (file) => this.#keyOf(file.path.normalize('NFC')));
    return this.#byKey.get(wanted) ?? [];
  }
}

/** The last parts of a path; all of a shorter one. */
function endOf(path: string, parts: number): string {
  return path.split('/').slice(-parts).join('/');
}

/** The folders of a path from the inside out. */
function foldersAbove(path: string): string[] {
  return path.normalize('NFC').split('/').reverse().slice(1);
}

/** How many folders are the same, from the inside out. */
function shared(some: readonly string[], others: readonly string[]): number {
  const at = some.findIndex((name, i) => name !== others[i]);
  return at < 0 ? some.length : at;
}

function withoutEnding(path: string): string {
  return path.slice(0, path.length - posix.extname(path).length);
}

function lower(path: string): string {
  return path.toLowerCase();
}

function isWhole(
  { path }: TreeFile,
  fit: number,
  above: readonly string[],
  folders: readonly string[],
): boolean {
  const around = folders.filter((folder) => folder === '' || path.startsWith(`${folder}/`));
  const below = around.map((folder) => foldersAbove(posix.relative(folder, path)).length);
  return fit > 0 && [above.length, ...below].includes(fit);
}
