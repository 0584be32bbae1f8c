/** Trees of folders whose levels mean class, domain, split, group or an attribute. */
import type { SkippedFile } from '../../../contract/datasets.ts';
import { CarryoverError } from '../../../contract/errors.ts';
import type { Level } from '../../../contract/reading.ts';
import { levelText } from '../../../contract/reading.ts';
import { looksLikeImage } from '../inspect.ts';
import { counted, fewOf } from '../order.ts';
import type { Tree, TreeFile } from '../tree.ts';
import { ONLY_DOMAIN, candidate, emptyRead, inOrder } from './candidate.ts';
import { folderOf } from './find.ts';
import { offerLevels } from './folder-levels.ts';
import type { ImageMetadata, Metadata } from './metadata.ts';
import { isMetadata, readMetadata } from './metadata.ts';
import type { Candidate, Read, Reader } from './reader.ts';
import { splitOfWord } from './splits.ts';

export const folders: Reader<'folders'> = {
  format: 'folders',
  offers: (tree) => Promise.resolve(offerLevels(tree)),
  read: async (tree, { levels }, { signal }) => {
    checkLevels(levels);
    const tables = tree.files.filter(({ path }) => isMetadata(path));
    const above = tables.filter(({ path }) => isAbove(path, levels));
    const metadata = await readMetadata(tree, above);
    signal.throwIfAborted();
    return place(tree, levels, metadata, new Set(tables));
  },
};

function checkLevels(levels: Level[]): void {
  const texts = levels.filter((level) => level !== 'ignore').map(levelText);
  const twice = texts.find((text, i) => texts.indexOf(text) !== i);
  if (texts.includes('class') && twice === undefined) return;
  const reason = twice === undefined ? 'no level is the class' : `two levels are the ${twice}`;
  throw new CarryoverError('bad-input', `these levels of folders cannot be read: ${reason}`, {
    value: levels.map(levelText).join(' / '),
    wayOut: 'name just one level the class, and each other meaning at most once',
  });
}

/** Metadata counts at the root, and in folders that are splits or are passed over. */
function isAbove(path: string, levels: Level[]): boolean {
  const folder = folderOf(path);
  const depth = folder === '' ? 0 : folder.split('/').length;
  const passed = levels.slice(0, depth);
  return depth < levels.length && passed.every((level) => level === 'split' || level === 'ignore');
}

/** Counts of what is told in warnings. */
interface Oddities {
  shallow: number;
  deep: number;
  /** Folders on the level of splits that are none, with their images. */
  otherSplits: Map<string, number>;
}

function place(tree: Tree, levels: Level[], metadata: Metadata, tables: Set<TreeFile>): Read {
  const read = emptyRead('single-label');
  const odd: Oddities = { shallow: 0, deep: 0, otherSplits: new Map() };
  for (const file of tree.files) {
    const parts = file.path.split('/').slice(0, -1);
    if (tables.has(file)) {
      if (!isAbove(file.path, levels)) read.skipped.push(lowMetadata(file.path));
    } else if (parts.length < levels.length) {
      if (parts.length > 0) odd.shallow++;
      read.skipped.push({ path: file.path, reason: shallowReason(file, parts, levels) });
    } else {
      if (parts.length > levels.length) odd.deep++;
      read.candidates.push(toCandidate(file, parts, levels, metadata.rows.get(file), odd));
    }
  }
  read.groupedBy = groupedBy(levels, metadata);
  read.warnings.push(...warnings(levels, metadata, odd));
  return inOrder(read);
}

function lowMetadata(path: string): SkippedFile {
  const reason = 'metadata is read at the root of the folder and in the folders of splits only';
  return { path, reason };
}

function shallowReason(file: TreeFile, parts: string[], levels: Level[]): string {
  const what = looksLikeImage(file.path) ? 'image' : 'file';
  if (parts.length === 0) return `${what} in no class folder`;
  const level = levels[parts.length - 1] ?? 'ignore';
  const name = `"${parts.at(-1)}"`;
  const where = level === 'ignore' ? `folder ${name}` : `${levelText(level)} folder ${name}`;
  return `${what} directly in the ${where}, in no class folder`;
}

const UNDESCRIBED: ImageMetadata = {
  group: null,
  split: null,
  licence: null,
  attribution: null,
  source: null,
  attributes: {},
};

function toCandidate(
  file: TreeFile,
  parts: string[],
  levels: Level[],
  row: ImageMetadata = UNDESCRIBED,
  odd: Oddities,
): Candidate {
  const found = { ...row, label: '', domain: ONLY_DOMAIN };
  for (const [i, level] of levels.entries()) {
    const name = (i === levels.length - 1 ? parts.at(-1) : parts[i]) ?? '';
    if (level === 'class') found.label = name;
    else if (level === 'domain') found.domain = name;
    else if (level === 'group') found.group = name;
    else if (level === 'split') {
      const split = splitOfWord(name);
      if (split) found.split = split;
      else odd.otherSplits.set(name, (odd.otherSplits.get(name) ?? 0) + 1);
    } else if (level !== 'ignore') {
      found.attributes = { ...found.attributes, [level.attribute]: name };
    }
  }
  return candidate(file, found);
}

function groupedBy(levels: Level[], metadata: Metadata): string | null {
  const at = levels.indexOf('group');
  if (at >= 0) return `folders of level ${at + 1}`;
  return metadata.groups === null ? null : `group column of ${metadata.groups}`;
}

function warnings(levels: Level[], metadata: Metadata, odd: Oddities): string[] {
  const found: string[] = [];
  const shape = [...levels.map(levelText), 'image'].join('/');
  if (odd.deep > 0) {
    found.push(
      `mixed depth: the folder was read as ${shape}, and ${counted(odd.deep, 'deeper file')} ` +
        'took the last folder as the last level; the folders between were passed over',
    );
  }
  if (odd.shallow > 0) {
    found.push(
      `mixed depth: the folder was read as ${shape}, and ${counted(odd.shallow, 'file')} ` +
        'lying less deep had no class and were skipped',
    );
  }
  for (const [name, files] of odd.otherSplits) {
    found.push(
      `the folder "${name}" is no split by its name; ${counted(files, 'file')} in it without a given split`,
    );
  }
  for (const path of metadata.others) {
    found.push(`${path} has no column file_name: it is not read as metadata of the images`);
  }
  if (metadata.orphans.length > 0) {
    const rows = metadata.orphans.length === 1 ? '1 row of metadata names' : null;
    found.push(
      `${rows ?? `${metadata.orphans.length} rows of metadata name`} no file: ${fewOf(metadata.orphans)}`,
    );
  }
  return found;
}
