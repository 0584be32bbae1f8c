/** WebDataset: tar shards in which the files of one sample have one key (`0001.jpg`, `0001.cls`). */
import { isUtf8 } from 'node:buffer';
import { posix } from 'node:path';
import { CarryoverError } from '../../../contract/errors.ts';
import { mapConcurrently } from '../concurrent.ts';
import { looksLikeImage } from '../inspect.ts';
import { byCodeUnits, counted } from '../order.ts';
import type { Tree, TreeFile } from '../tree.ts';
import { archiveFiles, placeIn } from '../tree.ts';
import { candidate, emptyRead, inOrder } from './candidate.ts';
import { folderOf } from './find.ts';
import type { Candidate, Read, ReadOptions, Reader } from './reader.ts';
import { splitInPath } from './splits.ts';

/** By precedence: a text beside a stated label is a caption. */
const LABELS = ['cls', 'json', 'txt'];
const NAMES = ['classes.txt', 'classnames.txt', 'classes.json'];
const MAX_LABEL = 1 << 20;
const READS_AT_ONCE = 16;
/** Entries that are looked at to tell shards from other archives. */
const PEEK = 1000;

export const webdataset: Reader<'webdataset'> = {
  format: 'webdataset',
  offers: async (tree) => {
    const [first] = shardsIn(tree);
    if (first === undefined) return [];
    const { files } = await filesOf(tree, first, PEEK).catch(() => ({ files: [] }));
    const labelled = samplesOf(files).filter((sample) => sample.image && sample.labels.length > 0);
    if (labelled.length === 0 || areNotes(labelled)) return [];
    const why = `${first.path} holds images with ${endings(labelled)} of the same key beside them`;
    return [{ reading: { format: 'webdataset' }, title: 'WebDataset shards', why }];
  },
  read: async (tree, _reading, options) => {
    const read = emptyRead('single-label');
    const shards = shardsIn(tree);
    const names = await classNamesOf(tree);
    const used = new Set<TreeFile>([...shards, ...names.files]);
    for (const shard of shards) await readShard(tree, shard, names.byNumber, read, options);
    for (const file of tree.files) {
      if (used.has(file) || file.entry !== null) continue;
      read.skipped.push({ path: file.path, reason: 'not a tar shard' });
    }
    if (read.candidates.length === 0) throw noSamples(tree, read);
    orderClasses(read, names.byNumber);
    if (read.candidates.some(({ group }) => group !== null)) read.groupedBy = 'key “group”';
    return inOrder(read);
  },
};

/** Tar files of the tree; a tree that is one tar stands for it itself. */
function shardsIn(tree: Tree): TreeFile[] {
  const [first] = tree.files;
  if (tree.single !== null) {
    if (first === undefined || first.entry === null || !isTar(tree.single)) return [];
    return [{ ...first, path: tree.single, entry: null }];
  }
  return tree.files.filter(({ path, entry }) => entry === null && isTar(path));
}

function isTar(path: string): boolean {
  return path.toLowerCase().endsWith('.tar');
}

async function filesOf(tree: Tree, shard: TreeFile, most?: number) {
  const { signal } = new AbortController();
  return archiveFiles(tree.root, shard, { signal, ...(most === undefined ? {} : { most }) });
}

interface Sample {
  key: string;
  image: TreeFile | null;
  /** By ending, those of LABELS first. */
  labels: TreeFile[];
  /** Further images and files of the key. */
  others: TreeFile[];
}

/** The key is the path up to the first dot of its last part. */
function samplesOf(files: readonly TreeFile[]): Sample[] {
  const samples = new Map<string, Sample>();
  for (const file of files) {
    const [key, ending] = split(file.path);
    const sample = samples.get(key) ?? { key, image: null, labels: [], others: [] };
    samples.set(key, sample);
    if (LABELS.includes(ending)) sample.labels.push(file);
    else sample.others.push(file);
  }
  for (const sample of samples.values()) chooseImage(sample);
  return [...samples.values()];
}

/** The image with the plainest ending: `.jpg` before `.seg.png`, `.left.png` before `.right.png`. */
function chooseImage(sample: Sample): void {
  const parts = (ending: string): number => ending.split('.').length;
  const [best] = sample.others
    .filter(({ path }) => looksLikeImage(path))
    .map((file) => ({ file, ending: split(file.path)[1] }))
    .sort((a, b) => parts(a.ending) - parts(b.ending) || byCodeUnits(a.ending, b.ending));
  if (best === undefined) return;
  sample.image = best.file;
  sample.others = sample.others.filter((file) => file !== best.file);
}

function split(path: string): [key: string, ending: string] {
  const name = posix.basename(path);
  const dot = name.indexOf('.');
  const length = path.length - (dot < 0 ? 0 : name.length - dot);
  return [path.slice(0, length), path.slice(length + 1).toLowerCase()];
}

/** Texts beside images that folders tell apart: boxes or captions, no classes. */
function areNotes(samples: Sample[]): boolean {
  const texts = samples.every(({ labels }) => labels.every(({ path }) => split(path)[1] === 'txt'));
  return texts && new Set(samples.map(({ key }) => posix.dirname(key))).size > 1;
}

function endings(samples: Sample[]): string {
  const found = new Set(samples.flatMap(({ labels }) => labels.map(({ path }) => split(path)[1])));
  return [...found]
    .sort(byCodeUnits)
    .map((ending) => `.${ending}`)
    .join(', ');
}

async function readShard(
  tree: Tree,
  shard: TreeFile,
  names: ReadonlyMap<string, string>,
  read: Read,
  options: ReadOptions,
): Promise<void> {
  options.signal.throwIfAborted();
  const listed = await filesOf(tree, shard).catch((error: unknown) => {
    if (!(error instanceof CarryoverError)) throw error;
    const reason = error.message.replace(`${placeIn(tree.root, shard, null).file}: `, '');
    read.skipped.push({ path: shard.path, reason });
    return { files: [], skipped: [] };
  });
  const inShard = (path: string) => (path === shard.path ? path : `${shard.path}/${path}`);
  for (const { path, reason } of listed.skipped) read.skipped.push({ path: inShard(path), reason });
  const given = splitInPath(shard.path);
  await mapConcurrently(samplesOf(listed.files), READS_AT_ONCE, async (sample) => {
    options.signal.throwIfAborted();
    const told = await readSample(tree, sample, names);
    if (typeof told === 'string') {
      read.skipped.push({
        path: inShard((sample.image ?? sample.labels[0])?.path ?? sample.key),
        reason: told,
      });
      return;
    }
    const { image, ...known } = told;
    read.candidates.push(
      candidate({ ...image, path: inShard(image.path) }, { ...known, split: given }),
    );
    for (const { path } of sample.others) {
      read.skipped.push({ path: inShard(path), reason: 'a further file of its sample' });
    }
  });
  options.onProgress?.(read.candidates.length);
}

type Told = Pick<Candidate, 'label'> & Partial<Pick<Candidate, 'group' | 'attributes'>>;

/** The image with what its sample says, or why it is not taken. */
async function readSample(
  tree: Tree,
  { image, labels }: Sample,
  names: ReadonlyMap<string, string>,
): Promise<(Told & { image: TreeFile }) | string> {
  if (image === null) return labels.length > 0 ? 'a label without an image' : 'not an image';
  let told: Told = { label: null };
  for (const ending of LABELS) {
    const file = labels.find(({ path }) => split(path)[1] === ending);
    if (file === undefined) continue;
    const bytes = await tree.read(file, MAX_LABEL);
    if (!isUtf8(bytes)) return `its .${ending} is no text`;
    const text = bytes.toString('utf8').trim();
    const said = ending === 'json' ? fromJson(text) : { label: text };
    if (typeof said === 'string') return said;
    told = { ...told, ...said, label: told.label ?? (said.label === '' ? null : said.label) };
  }
  if (told.label === null) return 'no label: its key has no .cls, .json or .txt that says one';
  return { ...told, image, label: names.get(told.label) ?? told.label };
}

function fromJson(text: string): Told | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'its .json is not JSON';
  }
  if (typeof value === 'number') return { label: String(value) };
  if (typeof value !== 'object' || value === null) return 'its .json is no object';
  const entries = Object.entries(value).flatMap(([key, said]) => {
    return ['string', 'number', 'boolean'].includes(typeof said)
      ? [[key, String(said)] as const]
      : [];
  });
  const { label, class: named, cls, group, ...attributes } = Object.fromEntries(entries);
  return { label: label ?? named ?? cls ?? null, group: group ?? null, attributes };
}

/** Names by number, from classes.txt or classnames.txt (a name a line) or classes.json (a list, or names by number). */
async function classNamesOf(
  tree: Tree,
): Promise<{ byNumber: ReadonlyMap<string, string>; files: TreeFile[] }> {
  const files = tree.files.filter(({ path }) => {
    return NAMES.includes(posix.basename(path)) && !folderOf(path).includes('/');
  });
  const [file] = files;
  if (file === undefined) return { byNumber: new Map(), files };
  const text = (await tree.read(file, MAX_LABEL)).toString('utf8');
  const named = file.path.endsWith('.txt')
    ? text.split(/\r?\n/).filter((line, i, all) => line !== '' || i < all.length - 1)
    : namesInJson(file.path, text);
  return { byNumber: new Map(Object.entries(named).map(([i, name]) => [i, name.trim()])), files };
}

function namesInJson(path: string, text: string): string[] | Record<string, string> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) {
      const entries = Object.entries(value).map(([i, name]) => [i, String(name)] as const);
      return Object.fromEntries(entries);
    }
  } catch {
    // Said below.
  }
  throw new CarryoverError('bad-input', `${path}: neither a list of names nor names by number`, {
    file: path,
    wayOut: 'write ["cat", "dog"] or {"0": "cat", "1": "dog"}',
  });
}

/** Numbered classes in the order of their numbers. */
function orderClasses(read: Read, names: ReadonlyMap<string, string>): void {
  const labels = new Set(read.candidates.map(({ label }) => label ?? ''));
  if (names.size > 0) {
    const known = [...names.values()].filter((name) => labels.delete(name));
    read.classNames = [...new Set(known), ...[...labels].sort(byCodeUnits)];
  } else if ([...labels].every((label) => /^\d+$/.test(label))) {
    read.classNames = [...labels].sort((a, b) => Number(a) - Number(b));
  }
}

function noSamples(tree: Tree, { skipped }: Read): CarryoverError {
  const first = skipped[0];
  const found = first === undefined ? '' : `; ${first.path}: ${first.reason}`;
  return new CarryoverError(
    'bad-input',
    `${tree.root}: no tar shard with labelled images (${counted(skipped.length, 'file')} passed over${found})`,
    { file: tree.root, wayOut: 'put key.jpg and key.cls (a number or a name) into .tar files' },
  );
}
