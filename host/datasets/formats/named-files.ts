/** The files that the rows of one table name, told together: what one row names another cannot mean. */
import type { TreeFile } from '../tree.ts';
import type { FileFinder, Match, Naming } from './find.ts';
import { pathKey } from './find.ts';

/** Is given the file, or why there is none. */
type Take = (file: TreeFile | string) => void;

interface Waiting {
  text: string;
  key: string;
  take: Take;
}

const NO_FILE = 'no such file';

export class NamedFiles {
  readonly #finder: FileFinder;
  readonly #naming: Naming;
  /** Files that rows name exactly. */
  readonly #exact = new Set<TreeFile>();
  /** True once a row with folders names a file by all of them: then others with folders must too. */
  #placed = false;
  readonly #waiting: Waiting[] = [];

  constructor(finder: FileFinder, naming: Naming) {
    this.#finder = finder;
    this.#naming = naming;
  }

  /** `take` is called at once where the row names a file exactly, else by `finish`. */
  name(text: string, take: Take): void {
    const key = pathKey(text);
    const file = this.#finder.exact(text, this.#naming.folders);
    if (file === null) {
      this.#waiting.push({ text, key, take });
      return;
    }
    this.#exact.add(file);
    if (key.includes('/')) this.#placed = true;
    take(file);
  }

  /** Call after the last row. */
  finish(): void {
    const found = this.#waiting.map((one) => {
      return { ...one, match: this.#finder.match(one.text, this.#naming) };
    });
    this.#placed ||= found.some(({ match }) => typeof match !== 'string' && match.whole);
    const best = bestKeys(found);
    for (const { key, match, take } of found) {
      const placed = this.#placed && key.includes('/');
      if (typeof match === 'string') take(placed ? NO_FILE : match);
      else if (this.#exact.has(match.file) || (placed && !match.whole)) take(NO_FILE);
      else take(reached(key, match.file, best));
    }
  }
}

interface Best {
  fit: number;
  keys: Set<string>;
}

/** The names that fit each file best: only one of them can mean it. */
function bestKeys(found: { key: string; match: Match | string }[]): Map<TreeFile, Best> {
  const best = new Map<TreeFile, Best>();
  for (const { key, match } of found) {
    if (typeof match === 'string') continue;
    const { file, fit } = match;
    const before = best.get(file);
    if (before === undefined || before.fit < fit) best.set(file, { fit, keys: new Set([key]) });
    else if (before.fit === fit) before.keys.add(key);
  }
  return best;
}

function reached(key: string, file: TreeFile, best: Map<TreeFile, Best>): TreeFile | string {
  const keys = best.get(file)?.keys;
  if (!keys?.has(key)) return NO_FILE;
  return keys.size === 1 ? file : `${keys.size} names may mean ${file.path}`;
}
