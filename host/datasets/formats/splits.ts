import type { GivenSplit } from './reader.ts';

const WORDS: Readonly<Record<string, GivenSplit>> = {
  train: 'train',
  training: 'train',
  val: 'validation',
  valid: 'validation',
  validation: 'validation',
  test: 'test',
  testing: 'test',
};

/** The split that a folder's name or a cell is: `Train`, `val`, `testing` ...; null for any other word. */
export function splitOfWord(word: string): GivenSplit | null {
  const key = word.trim().toLowerCase();
  return Object.hasOwn(WORDS, key) ? (WORDS[key] ?? null) : null;
}

/**
 * The split that a file's path speaks of: the first such word in its name (`train_val_list.txt`,
 * `instances_train2017.json`, `trainLabels.csv`), else in its folders from the inside out. A name
 * that speaks of tests and of others (`train_test_labels.csv`) says none.
 */
export function splitInPath(path: string): GivenSplit | null {
  for (const part of path.split('/').reverse()) {
    const splits = wordsOf(part)
      .map(splitOfWord)
      .filter((split) => split !== null);
    const [first] = splits;
    if (first === undefined) continue;
    return splits.includes('test') && splits.some((split) => split !== 'test') ? null : first;
  }
  return null;
}

/** Words that folders of a split are called by as well. */
const PLAIN = /^(data|sets?|dataset|images?|imgs?|pictures?|files?|input|jpe?g|png)$/i;

/**
 * The split of the images in a folder: it, or the nearest above it, that is called after a split and
 * nothing else (`train`, `val2017`, `Test_Images`): `bullet_train` is a class.
 */
export function splitOfFolder(path: string): GivenSplit | null {
  for (const name of path.split('/').reverse()) {
    const [word, ...others] = wordsOf(name).filter((one) => !PLAIN.test(one));
    const split = word !== undefined && others.length === 0 ? splitOfWord(word) : null;
    if (split) return split;
  }
  return null;
}

/** The words of a name: parted by all but letters, and before a capital within one. */
function wordsOf(name: string): string[] {
  return name.split(/[^a-zA-Z]+|(?<=[a-z])(?=[A-Z])/).filter((word) => word !== '');
}
