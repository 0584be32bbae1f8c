/** DICOM: files with any ending, series in folders, a DICOMDIR. Identifiers never leave this file in clear. */
import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import type { SkippedFile } from '../../../contract/datasets.ts';
import { CarryoverError } from '../../../contract/errors.ts';
import type { Reading } from '../../../contract/reading.ts';
import type { DicomInfo } from '../../../engine/dicom/index.ts';
import { dicomdirFiles, isDicom, readDicom } from '../../../engine/dicom/index.ts';
import { MAX_FILE_BYTES } from '../../../engine/transforms/formats.ts';
import { mapConcurrently } from '../concurrent.ts';
import { counted, fewOf } from '../order.ts';
import type { Tree, TreeFile } from '../tree.ts';
import { openTree } from '../tree.ts';
import { AGE_BAND, ageBand, yearsOf } from './age-band.ts';
import { candidate, emptyRead, inOrder } from './candidate.ts';
import type { Seen } from './dicom-offers.ts';
import { dicomOffers, foldersArePatients, namesPatient } from './dicom-offers.ts';
import { folderOf } from './find.ts';
import { levelOfSplits } from './folder-levels.ts';
import type { Candidate, Read, ReadOptions, Reader } from './reader.ts';
import { splitOfWord } from './splits.ts';

type DicomReading = Extract<Reading, { format: 'dicom' }>;

/** Tags that become attributes: those that many images share. */
const ATTRIBUTES = [
  'Modality',
  'BodyPartExamined',
  'ViewPosition',
  'Laterality',
  'SeriesDescription',
  'Manufacturer',
  'ManufacturerModelName',
  'StationName',
  'PatientSex',
  'PatientAge',
  'SliceThickness',
  'KVP',
] as const;
const UNKNOWN_DOMAIN = 'unknown';
const FILES_AT_ONCE = 8;

/** One file looked into: an image, a DICOMDIR, or why it is neither. */
type Found =
  | { kind: 'image'; file: TreeFile; info: DicomInfo }
  | { kind: 'directory'; file: TreeFile; lists: string[] }
  | { kind: 'skipped'; file: TreeFile; reason: string };

export const dicom: Reader<'dicom'> = {
  format: 'dicom',
  offers: dicomOffers,
  read: async (tree, reading, options) => {
    const looked = await lookInto(tree, tree.files, options);
    const [single] = looked;
    const alone = tree.single !== null && single?.file.entry === null;
    if (!alone || single.kind !== 'directory') return describe(tree, looked, reading, options);
    // A DICOMDIR by itself stands for the files beside and below it that it lists.
    const whole = await openTree(tree.root, { signal: options.signal });
    const { files } = resolved(whole, single);
    const listed = await lookInto(whole, files, options);
    return describe(whole, [single, ...listed], reading, options);
  },
};

function lookInto(
  tree: Tree,
  files: readonly TreeFile[],
  { signal, onProgress }: ReadOptions,
): Promise<Found[]> {
  let done = 0;
  return mapConcurrently(files, FILES_AT_ONCE, async (file) => {
    signal.throwIfAborted();
    const found = await lookAt(tree, file);
    onProgress?.(++done);
    return found;
  });
}

async function lookAt(tree: Tree, file: TreeFile): Promise<Found> {
  try {
    const bytes = await tree.read(file, MAX_FILE_BYTES);
    if (!isDicom(bytes)) return { kind: 'skipped', file, reason: 'not a DICOM file' };
    const lists = dicomdirFiles(bytes);
    if (lists !== null) return { kind: 'directory', file, lists };
    return { kind: 'image', file, info: readDicom(bytes) };
  } catch (error) {
    if (!(error instanceof CarryoverError) || error.code === 'cancelled') throw error;
    return { kind: 'skipped', file, reason: error.message };
  }
}

/** The files that a DICOMDIR lists: those that are there, and those that are not. */
function resolved(
  tree: Tree,
  { file, lists }: Extract<Found, { kind: 'directory' }>,
): { files: TreeFile[]; lost: string[] } {
  const paths = [...new Set(lists.map((path) => posix.join(folderOf(file.path), path)))];
  const byLower = new Map(tree.files.map((there) => [there.path.toLowerCase(), there]));
  const files = paths.map((path) => tree.find(path) ?? byLower.get(path.toLowerCase()) ?? path);
  return {
    files: files.filter((found) => typeof found !== 'string'),
    lost: files.filter((found) => typeof found === 'string'),
  };
}

function describe(
  tree: Tree,
  looked: readonly Found[],
  reading: DicomReading,
  { salt }: ReadOptions,
): Read {
  const read = emptyRead('single-label');
  const groups = new Set<string>();
  const images = looked.filter((found) => found.kind === 'image');
  const splitAt = levelOfSplits(images.map(({ file }) => file.path.split('/').slice(0, -1)));
  for (const found of looked) {
    if (found.kind === 'skipped') {
      read.skipped.push({ path: found.file.path, reason: found.reason });
    } else if (found.kind === 'directory') {
      read.skipped.push(...lostOf(tree, found));
    } else {
      const taken = imagesOf(found.file, found.info, { reading, salt, splitAt });
      if (typeof taken === 'string') read.skipped.push({ path: found.file.path, reason: taken });
      else read.candidates.push(...taken);
      const kind = groupOf(found.info, salt)?.kind;
      if (kind) groups.add(kind);
    }
  }
  read.groupedBy = groups.size === 0 ? null : `${[...groups].sort().join(', ')} (hashed)`;
  read.warnings.push(...warningsOf(images, reading));
  return inOrder(read);
}

function lostOf(tree: Tree, directory: Extract<Found, { kind: 'directory' }>): SkippedFile[] {
  const reason = `listed in ${directory.file.path}, and not there`;
  return resolved(tree, directory).lost.map((path) => ({ path, reason }));
}

/** The frames of a file as candidates, or why it is not taken. */
function imagesOf(
  file: TreeFile,
  info: DicomInfo,
  { reading, salt, splitAt }: { reading: DicomReading; salt: string; splitAt: number },
): Candidate[] | string {
  const label = labelOf(file, info, reading);
  if (label === null) {
    return reading.label === 'folder'
      ? 'lies in no folder that could be its class'
      : `the tag ${reading.label} is blank`;
  }
  const several = info.frames > 1;
  const group = groupOf(info, salt)?.name ?? (several ? file.path : null);
  const domain =
    reading.domain === 'none' ? {} : { domain: info.tags[reading.domain] ?? UNKNOWN_DOMAIN };
  const folders = file.path.split('/').slice(0, reading.label === 'folder' ? -2 : -1);
  const split = splitOfWord(folders[splitAt] ?? '');
  const known = { label, group, split, attributes: attributesOf(info), ...domain };
  return Array.from({ length: info.frames }, (_, index) =>
    candidate(file, { ...known, frame: several ? index : null }),
  );
}

function labelOf(file: TreeFile, { tags }: DicomInfo, { label }: DicomReading): string | null {
  if (label === 'folder') return posix.basename(folderOf(file.path)) || null;
  return tags[label] ?? null;
}

/** The first of patient, study and series that is known, hashed. */
function groupOf(
  { identifiers }: DicomInfo,
  salt: string,
): { kind: 'patient' | 'study' | 'series'; name: string } | null {
  const kinds = ['patient', 'study', 'series'] as const;
  const kind = kinds.find((one) => identifiers[one] !== null);
  if (kind === undefined) return null;
  const hash = createHash('sha256').update(`${salt}\n${identifiers[kind]}`).digest('hex');
  return { kind, name: `${kind}-${hash.slice(0, 16)}` };
}

function attributesOf({ tags }: DicomInfo): Record<string, string> {
  const shared = ATTRIBUTES.flatMap((keyword) => {
    const value = tags[keyword];
    return value === undefined ? [] : [[keyword, value]];
  });
  const band = ageBand(yearsOf(tags['PatientAge'] ?? ''));
  if (band !== null) shared.push([AGE_BAND, band]);
  const year = /^(\d{4})\d{4}$/.exec(tags['StudyDate'] ?? '')?.[1];
  if (year !== undefined) shared.push(['Study year', year]);
  return Object.fromEntries(shared) as Record<string, string>;
}

function warningsOf(images: readonly Seen[], { label }: DicomReading): string[] {
  if (images.length === 0) return [];
  const warnings = [
    `tags read: ${[...ATTRIBUTES, 'StudyDate (its year)'].join(', ')}; PatientID, or where it is ` +
      'blank StudyInstanceUID or SeriesInstanceUID, is only used as a salted hash that groups ' +
      'images, and no name, date of birth or identifier is stored',
  ];
  if (label === 'folder' && foldersArePatients(images)) {
    warnings.push(
      'each folder has the images of one patient, so that the classes tell patients apart: if ' +
        'that is not meant, take the class from a tag',
    );
  }
  const named = images.filter(namesPatient);
  if (named.length > 0) {
    const paths = fewOf(
      named.map(({ file }) => file.path),
      2,
    );
    warnings.push(
      `${counted(named.length, 'path')} with the PatientID or PatientName of its file: paths are stored as they ` +
        `are: ${paths}; rename the folders or files where that must not be`,
    );
  }
  const burned = images.filter(({ info }) => info.tags['BurnedInAnnotation'] === 'YES').length;
  if (burned > 0) {
    warnings.push(
      `identifying text is burned into the pixels of ${counted(burned, 'file')}, as they say`,
    );
  }
  return warnings;
}
