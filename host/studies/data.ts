import type { Database } from 'better-sqlite3';
import type { DatasetSummary } from '../../contract/datasets.ts';
import { listNames, listSummaries } from '../datasets/read.ts';
import { absolutePath } from '../datasets/walk.ts';
import type { ItemList } from '../trainer/protocol.ts';

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

/** A data set with its domains, in their order. */
export type StudyDataset = DatasetSummary & { domainNames: string[] };

/** The data set of that name, else of that id, or null. */
export function lookUpDataset(db: Database, nameOrId: string): StudyDataset | null {
  const all = listSummaries(db);
  const found = all.find(({ name }) => name === nameOrId) ?? all.find(({ id }) => id === nameOrId);
  return found ? { ...found, domainNames: listNames(db, 'domains', found.id) } : null;
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

/** What the trainer is told of images. `labels`: the index of each class. */
export function itemsOf(
  root: string,
  images: readonly StudyImage[],
  labels: ReadonlyMap<string, number>,
): ItemList {
  return {
    imageIds: images.map(({ id }) => id),
    paths: images.map(({ path }) => absolutePath(root, path)),
    labels: images.map(({ label }) => labels.get(label) ?? 0),
    hashes: images.map(({ sha256 }) => sha256),
  };
}

/** Images per class name. */
export function countByClass(images: readonly StudyImage[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { label } of images) counts.set(label, (counts.get(label) ?? 0) + 1);
  return counts;
}
