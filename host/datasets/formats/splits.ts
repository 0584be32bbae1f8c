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
 * The split that a file's path speaks of: the first such word in its name
 * (`instances_train2017.json`, `train_val_list.txt`), else in its folders from the inside out.
 */
export function splitInPath(path: string): GivenSplit | null {
  for (const part of path.split('/').reverse()) {
    for (const word of part.split(/[^a-z]+/i)) {
      const split = splitOfWord(word);
      if (split) return split;
    }
  }
  return null;
}
