/** Whether a tree holds DICOM files, and what could be their class. */
import { posix } from 'node:path';
import type { Reading, ReadingOffer } from '../../../contract/reading.ts';
import { CarryoverError } from '../../../contract/errors.ts';
import type { DicomInfo } from '../../../engine/dicom/index.ts';
import { dicomdirFiles, isDicom, readDicom } from '../../../engine/dicom/index.ts';
import { fewOf, sortedSet } from '../order.ts';
import type { Tree, TreeFile } from '../tree.ts';
import { folderOf } from './find.ts';
import { splitOfWord } from './splits.ts';

type Label = Extract<Reading, { format: 'dicom' }>['label'];

/** So many files are looked into, spread over the tree, none larger than this. */
const LOOKED_INTO = 40;
const MAX_LOOKED_INTO = 32 * 2 ** 20;
/** Endings of other things; a DICOM file may have any other, and often has none. */
const OTHER =
  /\.(png|jpe?g|webp|gif|bmp|tiff?|svg|heic|csv|tsv|txt|md|jsonl?|xml|html?|pdf|zip|tar|t?gz|np[yz]|nii|mat|xlsx?|docx?|py|ipynb|mp4|avi)$/i;
const TAGS = ['BodyPartExamined', 'ViewPosition', 'SeriesDescription', 'Modality'] as const;

/** Share of the files that must have a tag for it to be offered. */
const MOSTLY = 0.9;

/** What patients, studies and series are called on a disc. */
const NUMBERED = /^(pa|pat|patient|st|study|se|ser|series)[-_ ]?\d+$/i;

/** Identifiers shorter than this are in many a path by chance. */
const TELLING = 4;

/** A file looked into that holds an image. */
export interface Seen {
  file: TreeFile;
  info: DicomInfo;
}

export async function dicomOffers(tree: Tree): Promise<ReadingOffer[]> {
  const { seen, directories } = await sample(tree);
  if (seen.length === 0 && directories === 0) return [];
  const labels = labelsOf(seen);
  const why =
    seen.length === 0
      ? 'a DICOMDIR, which lists DICOM files'
      : `DICOM files by their content: ${fewOf(distinct(seen, 'Modality'), 4) || 'no modality'}`;
  return labels.map((label) => ({
    reading: { format: 'dicom', label, domain: 'none' },
    title:
      label === 'folder' ? 'DICOM: class from the folder' : `DICOM: class from the tag ${label}`,
    why,
  }));
}

async function sample(tree: Tree): Promise<{ seen: Seen[]; directories: number }> {
  const files = tree.files.filter(
    ({ path, bytes }) => !OTHER.test(path) && bytes <= MAX_LOOKED_INTO && bytes > 0,
  );
  const step = Math.max(1, files.length / LOOKED_INTO);
  const seen: Seen[] = [];
  let directories = 0;
  for (let at = 0; at < files.length; at += step) {
    const file = files[Math.floor(at)];
    if (file === undefined) continue;
    const found = await lookAt(tree, file);
    if (found === 'directory') directories += 1;
    else if (found !== null) seen.push({ file, info: found });
  }
  return { seen, directories };
}

async function lookAt(tree: Tree, file: TreeFile): Promise<DicomInfo | 'directory' | null> {
  try {
    const bytes = await tree.read(file, MAX_LOOKED_INTO);
    if (!isDicom(bytes)) return null;
    return dicomdirFiles(bytes) === null ? readDicom(bytes) : 'directory';
  } catch (error) {
    if (error instanceof CarryoverError) return null;
    throw error;
  }
}

/**
 * What may tell classes apart, the likeliest first: more than one value, not one for each file, and
 * hardly a blank. Then the modality, which every file has.
 */
function labelsOf(seen: readonly Seen[]): Label[] {
  const most = Math.max(2, seen.length / 2);
  const tags = TAGS.filter((tag) => {
    const values = seen.flatMap(({ info }) => info.tags[tag] ?? []);
    const distinct = new Set(values).size;
    return distinct > 1 && distinct <= most && values.length >= MOSTLY * seen.length;
  });
  const folders = foldersOf(seen);
  const first: Label[] = folders > 1 && folders <= most ? ['folder'] : [];
  return [...new Set<Label>([...first, ...tags, 'Modality'])];
}

/** How many folders the files lie in; 0 where they cannot be classes: patients, series, splits, the root. */
function foldersOf(seen: readonly Seen[]): number {
  const names = new Set(seen.map(({ file }) => posix.basename(folderOf(file.path))));
  const called = seen.some(({ file, info: { identifiers } }) => {
    const name = posix.basename(folderOf(file.path));
    const id = identifiers.patient;
    return (id !== null && name.includes(id)) || hasName(name, identifiers.name);
  });
  const noClass = (name: string): boolean => splitOfWord(name) !== null || NUMBERED.test(name);
  const unfit = called || names.has('') || [...names].every(noClass) || foldersArePatients(seen);
  return unfit ? 0 : names.size;
}

/** Whether each folder has the files of one patient, of several: its name then tells who it is. */
export function foldersArePatients(seen: readonly Seen[]): boolean {
  const patients = new Map<string, Set<string>>();
  for (const { file, info } of seen) {
    const patient = info.identifiers.patient ?? info.identifiers.name;
    if (patient === null) return false;
    const folder = posix.basename(folderOf(file.path));
    patients.set(folder, (patients.get(folder) ?? new Set()).add(patient));
  }
  const all = new Set([...patients.values()].flatMap((some) => [...some]));
  return all.size > 1 && [...patients.values()].every(({ size }) => size === 1);
}

/** Whether a path speaks of a file's patient, by PatientID or PatientName. */
export function namesPatient({ file: { path }, info: { identifiers } }: Seen): boolean {
  const { patient, name } = identifiers;
  const byId = patient !== null && patient.length >= TELLING && path.includes(patient);
  return byId || hasName(path, name);
}

/** Whether all words of a name (`DOE^JOHN`) are in a text (`John_Doe/1`), or stand together in it. */
function hasName(text: string, name: string | null): boolean {
  const words = wordsOf(name ?? '');
  const whole = words.join('');
  if (whole.length < TELLING) return false;
  const among = wordsOf(text);
  return words.every((word) => among.includes(word)) || among.includes(whole);
}

function wordsOf(text: string): string[] {
  return (
    text
      .normalize('NFC')
      .toLowerCase()
      .match(/[\p{L}\p{M}\p{N}]+/gu) ?? []
  );
}

function distinct(seen: readonly Seen[], tag: string): string[] {
  return sortedSet(seen.flatMap(({ info }) => info.tags[tag] ?? []));
}
