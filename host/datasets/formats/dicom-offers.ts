/** Whether a tree holds DICOM files, and what could be their class. */
import { posix } from 'node:path';
import type { Reading, ReadingOffer } from '../../../contract/reading.ts';
import { CarryoverError } from '../../../contract/errors.ts';
import type { DicomInfo } from '../../../engine/dicom/index.ts';
import { dicomdirFiles, isDicom, readDicom } from '../../../engine/dicom/index.ts';
import { fewOf } from '../order.ts';
import type { Tree, TreeFile } from '../tree.ts';
import { folderOf } from './find.ts';

type Label = Extract<Reading, { format: 'dicom' }>['label'];

/** So many files are looked into, spread over the tree, none larger than this. */
const LOOKED_INTO = 40;
const MAX_LOOKED_INTO = 32 * 2 ** 20;
/** Endings of other things; a DICOM file may have any other, and often has none. */
const OTHER =
  /\.(png|jpe?g|webp|gif|bmp|tiff?|svg|heic|csv|tsv|txt|md|jsonl?|xml|html?|pdf|zip|tar|t?gz|np[yz]|nii|mat|xlsx?|docx?|py|ipynb|mp4|avi)$/i;
const TAGS = ['BodyPartExamined', 'ViewPosition', 'SeriesDescription', 'Modality'] as const;

/** A file looked into that holds an image. */
interface Seen {
  file: TreeFile;
  info: DicomInfo;
}

export async function dicomOffers(tree: Tree): Promise<ReadingOffer[]> {
  const { seen, directories } = await sample(tree);
  if (seen.length === 0 && directories === 0) return [];
  const labels = new Set<Label>([...varying(seen), 'Modality']);
  const why =
    seen.length === 0
      ? 'a DICOMDIR, which lists DICOM files'
      : `DICOM files by their content: ${fewOf(distinct(seen, 'Modality'), 4) || 'no modality'}`;
  return [...labels].map((label) => ({
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

/** What tells classes apart, the likeliest first: more than one value, and not one for each file. */
function varying(seen: readonly Seen[]): Label[] {
  const most = Math.max(2, seen.length / 2);
  const few = (values: readonly string[]) => values.length > 1 && values.length <= most;
  const folders = seen.map(({ file }) => posix.basename(folderOf(file.path)));
  // A folder per patient is no class, and its name is nobody's business.
  const named = seen.some(({ info: { identifiers } }, index) =>
    folders[index]?.includes(identifiers.patient ?? '\0'),
  );
  const labels: Label[] =
    few([...new Set(folders)]) && !folders.includes('') && !named ? ['folder'] : [];
  return [...labels, ...TAGS.filter((tag) => few(distinct(seen, tag)))];
}

function distinct(seen: readonly Seen[], tag: string): string[] {
  return [...new Set(seen.flatMap(({ info }) => info.tags[tag] ?? []))].sort();
}
