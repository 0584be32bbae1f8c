/** Where an image's bytes are: a file, an entry of an archive, one of many in an array or DICOM file. */
export interface Place {
  /** Absolute. */
  file: string;
  /** In the archive that the file is (zip, tar, npz); null: the file itself. */
  entry: string | null;
  /** In the file or entry, from 0, where it holds several images; null: the only one. */
  frame: number | null;
}

/** A whole file as a place. */
export function wholeFile(file: string): Place {
  return { file, entry: null, frame: null };
}

/** What people see: the file, then /entry and #frame where there are any. */
export function placeText(file: string, entry: string | null, frame: number | null): string {
  return `${file}${entry === null ? '' : `/${entry}`}${frame === null ? '' : `#${frame}`}`;
}

/** What people see of a place; errors begin with it. */
export function placeName({ file, entry, frame }: Place): string {
  return placeText(file, entry, frame);
}
