/** What the levels of a tree of folders may mean, judged by their names. */
import type { FolderLevel, Level, ReadingOffer } from '../../../contract/reading.ts';
import { readingText } from '../../../contract/reading.ts';
import { looksLikeImage } from '../inspect.ts';
import { byCodeUnits, counted, fewOf } from '../order.ts';
import type { Tree } from '../tree.ts';
import { splitOfWord } from './splits.ts';

const MOST_LEVELS = 12;
const MOST_OFFERS = 5;
const EXAMPLES = 5;
/** From so many names with digits on, folders are taken for patients and the like. */
const MANY_NAMES = 20;

/** What folders that only hold the others are called. */
const WRAPPING = /^(data|dataset|images?|imgs?|raw)$/i;

const PERSON = /^(patient|subject|sub|lesion)[-_ ]?\d+$/i;

/** Folders above each image, from the top; of all files where none has an image's name. */
export function folderPaths(tree: Tree): string[][] {
  const images = tree.files.filter(({ path }) => looksLikeImage(path));
  return (images.length > 0 ? images : tree.files).map(({ path }) => path.split('/').slice(0, -1));
}

/** The levels of folders from the top down, with a few of their names. */
export function describeLevels(paths: string[][]): FolderLevel[] {
  const names: Set<string>[] = [];
  for (const folders of paths) {
    for (const [i, name] of folders.slice(0, MOST_LEVELS).entries()) {
      (names[i] ??= new Set()).add(name);
    }
  }
  return names.map((set) => ({
    names: set.size,
    examples: [...set].sort(byCodeUnits).slice(0, EXAMPLES),
  }));
}

/** The depth that most images lie at, from 1; 0 where all lie in no folder. */
function usualDepth(paths: string[][]): number {
  const counts = new Map<number, number>();
  for (const { length } of paths) {
    if (length > 0) counts.set(length, (counts.get(length) ?? 0) + 1);
  }
  const [best] = [...counts].sort(([a, n], [b, m]) => m - n || a - b);
  return Math.min(best?.[0] ?? 0, MOST_LEVELS);
}

/** The level of images' folders that is the split; -1: none is. */
export function levelOfSplits(all: string[][]): number {
  const depth = usualDepth(all);
  return splitAmong(
    namesOf(
      all.filter(({ length }) => length === depth),
      depth,
    ),
  );
}

function namesOf(paths: string[][], depth: number): Set<string>[] {
  return Array.from({ length: depth }, (_, i) => new Set(paths.map((path) => path[i] ?? '')));
}

function splitAmong(names: Set<string>[]): number {
  return names.findIndex((set) => [...set].every((name) => splitOfWord(name) !== null));
}

interface Guess {
  levels: Level[];
  why: string;
}

/** Ways to read the folders, the best first; none where no image lies in a folder. */
export function offerLevels(tree: Tree): ReadingOffer[] {
  const all = folderPaths(tree);
  const depth = usualDepth(all);
  if (depth === 0) return [];
  const paths = all.filter(({ length }) => length === depth);
  const guesses = guess(paths, depth, tree.single !== null);
  const kept = Map.groupBy(guesses, ({ levels }) => JSON.stringify(levels)).values();
  const first = [...kept].flatMap(([one]) => one ?? []);
  return first.slice(0, MOST_OFFERS).map(({ levels, why }) => {
    const reading = { format: 'folders', levels } as const;
    const title = readingText(reading);
    return { reading, title: title[0]?.toUpperCase() + title.slice(1), why };
  });
}

function guess(paths: string[][], depth: number, archive: boolean): Guess[] {
  const names = namesOf(paths, depth);
  const fixed: Level[] = names.map(() => 'ignore');
  const at = splitAmong(names);
  if (at >= 0) fixed[at] = 'split';
  const people = levelOfPeople(names, at);
  if (people >= 0) fixed[people] = 'group';
  const open = names.flatMap((_, i) => (i === at || i === people ? [] : [i]));
  const varied = open.filter((i) => (names[i]?.size ?? 0) > 1);
  const splitWhy = at < 0 ? '' : `; named as splits are: ${listed(names[at])}`;
  const peopleWhy = people < 0 ? '' : `; called after patients: ${listed(names[people])}`;
  if (open.length === 0) {
    const levels = fixed.with(at, 'class');
    return [{ levels, why: `all images lie in ${listed(names[at])}` }];
  }
  const varying = varied.length > 0 ? varied : open.slice(-1);
  const chosen = !archive && isLoneDomain(open, varied, names) ? open : varying;
  const guesses =
    chosen.length === 1
      ? [{ levels: fixed.with(chosen[0] ?? 0, 'class'), why: oneLevel(names[chosen[0] ?? 0]) }]
      : guessSeveral(paths, fixed, chosen, names);
  const found = guesses.map(({ levels, why }) => ({
    levels,
    why: `${why}${splitWhy}${peopleWhy}`,
  }));
  return [...found, ...plainer(fixed, open, at, names)];
}

/** The level whose folders are all called after patients; -1: none, or no other is left for classes. */
function levelOfPeople(names: Set<string>[], split: number): number {
  const left = names.length - (split < 0 ? 0 : 1);
  if (left < 2) return -1;
  return names.findIndex((set) => set.size > 1 && [...set].every((name) => PERSON.test(name)));
}

/** A single folder over the classes is a domain, unless it just wraps them, as in an archive. */
function isLoneDomain(open: number[], varied: number[], names: Set<string>[]): boolean {
  const [top = ''] = names[open[0] ?? 0] ?? [];
  const two = open.length === 2 && varied.length === 1 && varied[0] === open[1];
  return two && !WRAPPING.test(top);
}

/** The class alone, and splits as domains: what is meant now and then where the first guesses fail. */
function plainer(fixed: Level[], open: number[], at: number, names: Set<string>[]): Guess[] {
  const last = open.at(-1) ?? 0;
  const found: Guess[] = [
    { levels: fixed.with(last, 'class'), why: 'only the folder that an image lies in is read' },
  ];
  if (at >= 0 && at !== last) {
    const why = `read as domains, not as splits: ${listed(names[at])}`;
    found.push({ levels: fixed.with(at, 'domain').with(last, 'class'), why });
  }
  return found;
}

function oneLevel(names: Set<string> | undefined): string {
  return `one level of folders tells images apart: ${listed(names)}`;
}

/** Two and more levels that vary: which are domains, classes, groups. */
function guessSeveral(
  paths: string[][],
  fixed: Level[],
  chosen: number[],
  names: Set<string>[],
): Guess[] {
  const first = chosen[0] ?? 0;
  const last = chosen.at(-1) ?? 0;
  const upper = names[first] ?? new Set();
  const lower = names[last] ?? new Set();
  const as = (one: Level, other: Level): Level[] => fixed.with(first, one).with(last, other);
  const shared = sharedNames(paths, first, last);
  const domains: Guess = {
    levels: as('domain', 'class'),
    why:
      shared > 0
        ? `${counted(shared, 'name')} of ${lower.size} come again under several of ${listed(upper)}`
        : `${listed(upper)} hold the folders of classes`,
  };
  const patientsBelow: Guess = {
    levels: as('class', 'group'),
    why: `each of the ${lower.size} folders below lies under one of ${listed(upper)} only`,
  };
  const patientsAbove: Guess = {
    levels: as('group', 'class'),
    why: `the ${upper.size} upper folders are numbered, as patients are; below: ${listed(lower)}`,
  };
  const swapped: Guess = {
    levels: as('class', 'domain'),
    why: `the upper folders are the classes: ${listed(upper)}`,
  };
  if (shared === 0) {
    const below = upper.size > 1 && numbered(lower);
    return below ? [patientsBelow, domains] : [domains, patientsBelow];
  }
  const above = numbered(upper) && upper.size > lower.size;
  return above ? [patientsAbove, domains] : [domains, swapped];
}

/** Names of the lower level that lie under two and more folders of the upper one. */
function sharedNames(paths: string[][], upper: number, lower: number): number {
  const above = new Map<string, string>();
  const shared = new Set<string>();
  for (const path of paths) {
    const [over, name] = [path[upper] ?? '', path[lower] ?? ''];
    if ((above.get(name) ?? over) !== over) shared.add(name);
    above.set(name, over);
  }
  return shared.size;
}

/** Many names, nearly all numbers without a word after them: patients, lesions, studies. */
function numbered(names: Set<string>): boolean {
  const digits = [...names].filter((name) => /\d/.test(name) && !/\d.*\p{L}{3}/u.test(name)).length;
  return names.size >= MANY_NAMES && digits >= 0.8 * names.size;
}

function listed(names: Set<string> | undefined): string {
  return fewOf([...(names ?? [])].sort(byCodeUnits), 3);
}
