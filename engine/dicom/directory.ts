import { itemOf, textOf } from './elements.ts';
import { parse } from './parse.ts';

const RECORDS = 'x00041220';
const FILE_ID = 'x00041500';

/**
 * The files that a DICOMDIR lists, relative to its folder, '/' between parts, in its own order;
 * null: the file is no DICOMDIR.
 * @throws bad-input as readDicom, for what is no DICOM or damaged
 */
export function dicomdirFiles(bytes: Buffer): string[] | null {
  const { dataset } = parse(bytes);
  const records = dataset.elements[RECORDS];
  if (records === undefined) return null;
  const files: string[] = [];
  for (let index = 0; index < (records.items?.length ?? 0); index++) {
    const record = itemOf(dataset, RECORDS, index);
    const id = record === null ? null : textOf(record, FILE_ID);
    if (id !== null) files.push(id.split('\\').join('/'));
  }
  return files;
}
