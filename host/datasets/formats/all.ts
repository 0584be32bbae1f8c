/** Every format that can be read; the order is that of offers. */
import type { Reading, ReadingFormat, ReadingOffer } from '../../../contract/reading.ts';
import { looksLikeImage } from '../inspect.ts';
import type { Tree } from '../tree.ts';
import { aroundTable, givenTable } from './around.ts';
import { chexpert } from './chexpert.ts';
import { coco } from './coco.ts';
import { dicom } from './dicom.ts';
import { domainnet } from './domainnet.ts';
import { folders } from './folders.ts';
import { idx } from './idx.ts';
import { npz, refuseDamaged } from './npz.ts';
import type { Read, ReadOptions, Reader } from './reader.ts';
import { table } from './table.ts';
import { webdataset } from './webdataset.ts';

/** Published layouts before general ones: what is surest is offered first. */
const READERS: { readonly [F in ReadingFormat]: Reader<F> } = {
  chexpert,
  domainnet,
  npz,
  idx,
  webdataset,
  coco,
  table,
  dicom,
  folders,
};
/** What a single table may be read as. */
const OF_TABLES: readonly ReadingFormat[] = ['chexpert', 'coco', 'table'];

/**
 * Ways to read a tree, the best first; empty where nothing fits. Throws CarryoverError `bad-input`
 * where nothing fits and an .npz is damaged.
 */
export async function offersFor(tree: Tree): Promise<ReadingOffer[]> {
  const whole = await aroundTable(tree, { signal: new AbortController().signal });
  const offers: ReadingOffer[] = [];
  for (const format of formatsFor(whole)) offers.push(...(await READERS[format].offers(whole)));
  if (offers.length === 0) await refuseDamaged(whole);
  return offers;
}

function formatsFor(tree: Tree): readonly ReadingFormat[] {
  if (givenTable(tree)) return OF_TABLES;
  const all = Object.keys(READERS) as ReadingFormat[];
  const pictures = tree.files.filter(({ path }) => looksLikeImage(path) && !/\.dcm$/i.test(path));
  // A few DICOM files among many pictures are not what the tree is about.
  if (2 * pictures.length <= tree.files.length) return all;
  return [...all.filter((format) => format !== 'dicom'), 'dicom'];
}

/** Reads a tree as `reading` says. Throws CarryoverError `bad-input` for what cannot be read so. */
export async function readTree(tree: Tree, reading: Reading, options: ReadOptions): Promise<Read> {
  const reader = READERS[reading.format] as Reader<ReadingFormat>;
  return reader.read(await aroundTable(tree, { signal: options.signal }), reading, options);
}
