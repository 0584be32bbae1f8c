/** What is read of a file besides its pixels. Nothing that names a person is on this list. */
import type { DataSet } from 'dicom-parser';
import { textOf } from './elements.ts';

/** Keyword and tag, in the order of the standard. */
const TAGS = {
  StudyDate: 'x00080020',
  Modality: 'x00080060',
  Manufacturer: 'x00080070',
  StationName: 'x00081010',
  SeriesDescription: 'x0008103e',
  ManufacturerModelName: 'x00081090',
  PatientSex: 'x00100040',
  PatientAge: 'x00101010',
  BodyPartExamined: 'x00180015',
  SliceThickness: 'x00180050',
  KVP: 'x00180060',
  ViewPosition: 'x00185101',
  SeriesNumber: 'x00200011',
  InstanceNumber: 'x00200013',
  Laterality: 'x00200060',
  SliceLocation: 'x00201041',
  BurnedInAnnotation: 'x00280301',
} as const;

export const DICOM_TAGS = Object.keys(TAGS) as readonly (keyof typeof TAGS)[];

/** Longest value that is kept. */
const LONGEST = 200;

/** Values by keyword; absent and blank ones are left out. */
export function tagsOf(dataset: DataSet): Record<string, string> {
  const values = DICOM_TAGS.map((keyword) => [keyword, textOf(dataset, TAGS[keyword])] as const);
  const present = values.flatMap(([keyword, text]) =>
    text === null ? [] : [[keyword, text.slice(0, LONGEST)]],
  );
  return Object.fromEntries(present);
}

/** What tells patient, study and series apart. Must be hashed before anything is stored. */
export interface Identifiers {
  patient: string | null;
  study: string | null;
  series: string | null;
  /** PatientName: to be compared with paths only. */
  name: string | null;
}

export function identifiersOf(dataset: DataSet): Identifiers {
  return {
    patient: textOf(dataset, 'x00100020'),
    study: textOf(dataset, 'x0020000d'),
    series: textOf(dataset, 'x0020000e'),
    name: textOf(dataset, 'x00100010'),
  };
}
