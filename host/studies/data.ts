import type { Database } from 'better-sqlite3';

/** An image as studies see it. */
export interface StudyImage {
  id: number;
  /** Relative to the data set's root. */
  path: string;
  domain: string;
  label: string;
  group: string;
  sha256: string;
}

export interface StudyDataset {
  id: string;
  name: string;
  root: string;
  hash: string;
  groupedBy: string;
  domains: string[];
}

/** The data set of that name, else of that id, or null. */
export function findDataset(db: Database, nameOrId: string): StudyDataset | null {
  const row = db
    .prepare<{ key: string }, Omit<StudyDataset, 'domains'>>(
      `SELECT id, name, root, content_hash AS hash, grouped_by AS groupedBy FROM datasets
       WHERE name = @key OR id = @key ORDER BY name = @key DESC LIMIT 1`,
    )
    .get({ key: nameOrId });
  if (!row) return null;
  const domains = db
    .prepare<[string], string>('SELECT name FROM domains WHERE dataset_id = ? ORDER BY position')
    .pluck()
    .all(row.id);
  return { ...row, domains };
}

/** Names of all data sets, in order. */
export function datasetNames(db: Database): string[] {
  return db.prepare<[], string>('SELECT name FROM datasets ORDER BY name').pluck().all();
}

/** Images of these domains in an order that depends on nothing but their classes and content. */
export function imagesOf(db: Database, dataset: StudyDataset, domains: string[]): StudyImage[] {
  const wanted = new Set(domains);
  const images = db
    .prepare<[string], StudyImage>(
      `SELECT images.id, images.path, domains.name AS domain, classes.name AS label,
              images.group_name AS "group", images.sha256
       FROM images JOIN domains ON domains.id = images.domain_id
                   JOIN classes ON classes.id = images.class_id
       WHERE images.dataset_id = ?`,
    )
    .all(dataset.id)
    .filter((image) => wanted.has(image.domain));
  return images.sort(byClassAndContent);
}

function byClassAndContent(a: StudyImage, b: StudyImage): number {
  return compare(a.label, b.label) || compare(a.sha256, b.sha256) || compare(a.path, b.path);
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Images per class name. */
export function countByClass(images: readonly StudyImage[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { label } of images) counts.set(label, (counts.get(label) ?? 0) + 1);
  return counts;
}
