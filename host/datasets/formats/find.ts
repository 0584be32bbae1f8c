import { posix } from 'node:path';
import { looksLikeImage } from '../inspect.ts';
import { fewOf } from '../order.ts';
import type { Tree, TreeFile } from '../tree.ts';
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

/** Finds the files that tables speak of. */
export class FileFinder {
  readonly #tree: Tree;
  /** Files whose path is not in Unicode form NFC, by the one that is. */
  readonly #normal = new Map<string, TreeFile>();
  #names: ((name: string) => TreeFile[])[] | null = null;
  #folders: { paths: ReadonlySet<string>; names: ReadonlySet<string> } | null = null;

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

  /**
   * The file that a table calls `text`: relative to one of `folders` (the first that has it), else
   * the one of that name, or of that name without its ending, anywhere, whose folders fit best. What
   * the folder of a split speaks of lies in it. A string says why not.
   */
  find(text: string, folders: readonly string[]): TreeFile | string {
    const key = pathKey(text);
    if (key === '') return 'no file named';
    for (const folder of folders) {
      const file = this.at(posix.join(folder, key));
      if (file) return file;
    }
    const [name = '', ...above] = key.split('/').reverse();
    const home = folders.find((folder) => this.#isSplit(folder));
    const found = this.#called(name).filter(({ path }) => {
      return (home === undefined || path.startsWith(`${home}/`)) && this.#mayBe(path, above);
    });
    if (found.length < 2) return found[0] ?? 'no such file';
    const fits = found.map(({ path }) => shared(foldersAbove(path), above));
    const best = Math.max(...fits);
    const closest = found.filter((_, i) => fits[i] === best);
    if (closest.length === 1 && closest[0]) return closest[0];
    const paths = closest.map(({ path }) => path);
    return `${closest.length} files have that name: ${fewOf(paths, 2)}`;
  }

  /** Files of a name, of a name without its ending, or of these but for upper and lower case. */
  #called(name: string): TreeFile[] {
    this.#names ??= [
      lookUp(this.#tree.files, (path) => path),
      lookUp(this.#images(), withoutEnding),
      lookUp(this.#tree.files, (path) => path.toLowerCase()),
      lookUp(this.#images(), (path) => withoutEnding(path).toLowerCase()),
    ];
    for (const [i, files] of this.#names.entries()) {
      const found = files(i < 2 ? name : name.toLowerCase());
      if (found.length > 0) return found;
    }
    return [];
  }

  #images(): TreeFile[] {
    return this.#tree.files.filter(({ path }) => looksLikeImage(path));
  }

  /** A folder that is there and is a split by its name. */
  #isSplit(folder: string): boolean {
    return splitInPath(folder) !== null && this.#imageFolders().paths.has(folder);
  }

  /** False where the table names a folder that is in the tree, but not above this file. */
  #mayBe(path: string, above: readonly string[]): boolean {
    const own = foldersAbove(path);
    const at = shared(own, above);
    const named = above[at];
    if (named === undefined || at === own.length || own.includes(named)) return true;
    return !this.#imageFolders().names.has(named);
  }

  /** The folders that have images below them. */
  #imageFolders(): { paths: ReadonlySet<string>; names: ReadonlySet<string> } {
    if (this.#folders) return this.#folders;
    const paths = new Set(this.#images().map(({ path }) => folderOf(path)));
    for (const path of paths) if (path.includes('/')) paths.add(folderOf(path));
    const names = new Set([...paths].map((path) => posix.basename(path).normalize('NFC')));
    this.#folders = { paths, names };
    return this.#folders;
  }
}

/** Finds files by a part of their names; the list is made when it is first needed. */
function lookUp(
  files: readonly TreeFile[],
  keyOf: (name: string) => string,
): (key: string) => TreeFile[] {
  let byKey: Map<string, TreeFile[]> | null = null;
  return (key) => {
    byKey ??= Map.groupBy(files, ({ path }) => keyOf(posix.basename(path).normalize('NFC')));
    return byKey.get(key) ?? [];
  };
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
