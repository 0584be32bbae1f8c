import { posix } from 'node:path';
import { looksLikeImage } from '../inspect.ts';
import { fewOf } from '../order.ts';
import type { Tree, TreeFile } from '../tree.ts';

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
  #byName: Map<string, TreeFile[]> | null = null;
  #byStem: Map<string, TreeFile[]> | null = null;

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
   * the only one of that name, or of that name without its ending, anywhere. A string says why not.
   */
  find(text: string, folders: readonly string[]): TreeFile | string {
    const key = pathKey(text);
    if (key === '') return 'no file named';
    for (const folder of folders) {
      const file = this.at(posix.join(folder, key));
      if (file) return file;
    }
    const name = posix.basename(key);
    const named = this.#named(name);
    const found = named.length > 0 ? named : this.#stemmed(name);
    if (found.length < 2) return found[0] ?? 'no such file';
    const ending = `/${key}`;
    const exact = found.filter(({ path }) => {
      const whole = path.normalize('NFC');
      return whole.endsWith(ending) || withoutEnding(whole).endsWith(ending);
    });
    if (exact.length === 1 && exact[0]) return exact[0];
    const paths = found.map(({ path }) => path);
    return `${found.length} files have that name: ${fewOf(paths, 2)}`;
  }

  #named(name: string): TreeFile[] {
    this.#byName ??= Map.groupBy(this.#tree.files, ({ path }) =>
      posix.basename(path).normalize('NFC'),
    );
    return this.#byName.get(name) ?? [];
  }

  #stemmed(name: string): TreeFile[] {
    this.#byStem ??= Map.groupBy(
      this.#tree.files.filter(({ path }) => looksLikeImage(path)),
      ({ path }) => withoutEnding(posix.basename(path)).normalize('NFC'),
    );
    return this.#byStem.get(name) ?? [];
  }
}

function withoutEnding(path: string): string {
  return path.slice(0, path.length - posix.extname(path).length);
}
