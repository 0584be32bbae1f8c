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
  /** The surest first: names alone come again in many folders. */
  #ways: Way[] | null = null;
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
    const above = foldersAbove(key);
    const home = folders.map((folder) => this.#splitAround(folder)).find((split) => split !== null);
    const found = this.#called(key).filter(({ path }) => {
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

  /** Files of that name in folders of those names, of the name, or of the name in other ways. */
  #called(key: string): readonly TreeFile[] {
    this.#ways ??= [
      new Way(this.#tree.files, (path) => endOf(path, 3)),
      new Way(this.#tree.files, (path) => endOf(path, 2)),
      new Way(this.#tree.files, (path) => posix.basename(path)),
      new Way(this.#images(), (path) => posix.basename(withoutEnding(path)), posix.basename),
      new Way(this.#tree.files, (path) => posix.basename(path).toLowerCase()),
      new Way(
        this.#images(),
        (path) => posix.basename(withoutEnding(path)).toLowerCase(),
        (name) => posix.basename(name).toLowerCase(),
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
