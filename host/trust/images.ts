/** The images of a data set as a trust report looks at them. */
import type { Database } from 'better-sqlite3';
import { CarryoverError } from '../../contract/errors.ts';
import type { TrustSpec } from '../../contract/trust.ts';
import { listNames } from '../datasets/read.ts';

/** In the order of a report's counts; `none`: in no split, in a study unused. */
export const SPLITS = ['train', 'validation', 'test', 'none'] as const;
export type SplitName = (typeof SPLITS)[number];

export interface TrustImage {
  id: number;
  path: string;
  width: number;
  height: number;
  sha256: string;
  group: string;
  /** The class; multi-label: findings that are present or, with a question mark, uncertain. */
  label: string;
  /** Classes it counts for: indices into the class names. */
  classes: number[];
  /** Index into the domain names. */
  domain: number;
  split: SplitName;
  /** Signed 64 bits. */
  phash: bigint | null;
  /** Of the luma, of values in [0, 1]. */
  deviation: number | null;
}

interface StoredImage extends Omit<TrustImage, 'label' | 'classes' | 'split' | 'phash'> {
  className: string | null;
  domainName: string;
  split: Exclude<SplitName, 'none'> | null;
  phash: string | null;
}

const IMAGES = `SELECT i.id, i.path, i.width, i.height, i.sha256, i.group_name AS "group",
    c.name AS className, d.name AS domainName, CAST(i.phash AS TEXT) AS phash, i.deviation,
    CASE WHEN @studyId IS NULL THEN i.split ELSE s.split END AS split
  FROM current_images i JOIN domains d ON d.id = i.domain_id
  LEFT JOIN classes c ON c.id = i.class_id
  LEFT JOIN study_images s ON s.study_id = @studyId AND s.image_id = i.id
  WHERE i.dataset_id = @datasetId AND i.excluded = 0 ORDER BY i.path`;

const FINDINGS = `SELECT f.image_id AS imageId, c.name, f.value FROM current_findings f
  JOIN classes c ON c.id = f.class_id
  WHERE c.dataset_id = ? AND f.value <> 0 ORDER BY c.position`;

/**
 * All images but excluded ones, as they are labelled now, in the order of their paths.
 * Throws CarryoverError `not-found` (the study) or `bad-input` (it splits another data set).
 */
export function readTrustImages(
  db: Database,
  datasetId: string,
  { studyId }: Pick<TrustSpec, 'studyId'>,
): TrustImage[] {
  if (studyId !== null) requireSplit(db, datasetId, studyId);
  const classes = placesOf(listNames(db, 'classes', datasetId));
  const domains = placesOf(listNames(db, 'domains', datasetId));
  const findings = findingsOf(db, datasetId);
  const stored = db.prepare<[object], StoredImage>(IMAGES).iterate({ datasetId, studyId });
  return Array.from(stored, ({ className, domainName, phash, split, ...image }) => {
    const found = findings.get(image.id) ?? [];
    const present = found.filter(({ value }) => value === 1).map(({ name }) => name);
    return {
      ...image,
      label:
        className ?? found.map(({ name, value }) => (value === 1 ? name : `${name}?`)).join(', '),
      classes: (className === null ? present : [className]).map((name) => classes.get(name)!),
      domain: domains.get(domainName)!,
      split: split ?? 'none',
      phash: phash === null ? null : BigInt(phash),
    };
  });
}

function placesOf(names: string[]): Map<string, number> {
  return new Map(names.map((name, place) => [name, place]));
}

interface Finding {
  name: string;
  value: 1 | -1;
}

function findingsOf(db: Database, datasetId: string): Map<number, Finding[]> {
  const found = new Map<number, Finding[]>();
  const rows = db.prepare<[string], Finding & { imageId: number }>(FINDINGS).iterate(datasetId);
  for (const { imageId, ...finding } of rows) {
    const list = found.get(imageId);
    if (list) list.push(finding);
    else found.set(imageId, [finding]);
  }
  return found;
}

function requireSplit(db: Database, datasetId: string, studyId: string): void {
  const name = db
    .prepare<[string], string>('SELECT name FROM studies WHERE id = ?')
    .pluck()
    .get(studyId);
  if (name === undefined) {
    throw new CarryoverError('not-found', `there is no study ${studyId}`, { value: studyId });
  }
  const split = db
    .prepare(
      `SELECT 1 FROM study_images s JOIN images i ON i.id = s.image_id
       WHERE s.study_id = ? AND i.dataset_id = ?`,
    )
    .get(studyId, datasetId);
  if (split !== undefined) return;
  throw new CarryoverError('bad-input', `study "${name}" does not split this data set`, {
    value: studyId,
    wayOut: 'name a study that uses the data set, or none for the splits of the source',
  });
}
